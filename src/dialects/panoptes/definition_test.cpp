// Each file in testdata/definitions is read; beside it lies what Python's configparser makes of it
// (.json; absent if it refuses the file) and what we have to say (.err; absent if nothing). With
// BACKPLANE_UPDATE_GOLDEN=1 the .err files are written instead of compared.
#include "dialects/panoptes/definition.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/files.h"

namespace backplane::panoptes {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefinitions = BACKPLANE_SOURCE_DIR "/src/dialects/panoptes/testdata/definitions";

std::string Content(const fs::path& path) { return ReadFile(path, 1 << 20).value_or(std::string()); }

std::string Lines(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings)
    out += fmt::format("{} {}: {}\n", IsError(finding) ? "error" : "warning",
                       finding.where.empty() ? "-" : finding.where, finding.message);
  return out;
}

Json ToJson(const Definition& definition) {
  Json out = Json::object();
  for (const Section& section : definition.sections) {
    out[section.name] = Json::object();
    for (const Option& option : section.options) out[section.name][option.name] = option.value;
  }
  return out;
}

bool HasError(const Definition& definition) {
  return std::any_of(definition.findings.begin(), definition.findings.end(), IsError);
}

class DefinitionFile : public testing::TestWithParam<fs::path> {};

TEST_P(DefinitionFile, IsReadAsPythonReadsIt) {
  fs::path file = GetParam();
  const Definition definition = ParseDefinition(Content(file), "x.panoptes-plugin");
  const auto expected = ParseJson(Content(file.replace_extension(".json")));
  EXPECT_EQ(!HasError(definition), expected.has_value()) << Lines(definition.findings);
  if (expected) {
    EXPECT_EQ(ToJson(definition), *expected);
  }
  file.replace_extension(".err");
  if (std::getenv("BACKPLANE_UPDATE_GOLDEN")) {
    fs::remove(file);
    if (!definition.findings.empty()) {
      ASSERT_TRUE(WriteFileAtomic(file, Lines(definition.findings)));
    }
  }
  EXPECT_EQ(Lines(definition.findings), Content(file));
}

std::vector<fs::path> Files() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(kDefinitions))
    if (entry.path().extension() == ".ini") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Files, DefinitionFile, testing::ValuesIn(Files()),
                         [](const auto& one) { return one.param.stem().string(); });

TEST(Definition, AFindingNamesSectionOptionAndLine) {
  const Definition definition = ParseDefinition("[main]\na = 1\nLong_Name = 2\n", "x");
  EXPECT_EQ(definition.Where("main", "Long_Name"), "[main] Long_Name, line 3");
  EXPECT_EQ(definition.Where("main", "b"), "[main] b, line 1");
  EXPECT_EQ(definition.Where("other", "b"), "[other] b");
}

TEST(Definition, FindsWhatIsThere) {
  const Definition definition = ParseDefinition("[main]\na = 1\n", "x");
  ASSERT_NE(definition.Find("main"), nullptr);
  EXPECT_EQ(*definition.Find("main")->Find("a"), "1");
  EXPECT_EQ(definition.Find("main")->Find("b"), nullptr);
  EXPECT_EQ(definition.Find("Main"), nullptr);
}

TEST(Definition, WhatInterpolationMakesIsBounded) {
  std::string bomb = "[main]\na0 = " + std::string(1'000, 'x') + "\n";
  for (int i = 1; i < 9; ++i) {
    bomb += fmt::format("a{} =", i);
    for (int j = 0; j < 20; ++j) bomb += fmt::format(" %(a{})s", i - 1);
    bomb += '\n';
  }
  const Definition definition = ParseDefinition(bomb, "x");
  ASSERT_TRUE(HasError(definition));
  EXPECT_EQ(definition.findings[0].message, "values refer to values too often");
}

TEST(Definition, OptionsAreBoundedWithThoseOfDefault) {
  std::string text = "[DEFAULT]\n";
  for (int i = 0; i < 100; ++i) text += fmt::format("a{} = 1\n", i);
  for (int i = 0; i < 100; ++i) text += fmt::format("[s{}]\n", i);
  const Definition definition = ParseDefinition(text, "x");
  ASSERT_TRUE(HasError(definition));
  EXPECT_EQ(definition.findings[0].message, "has more than 2000 options");
}

TEST(Definition, NotEveryMistakeOfAHopelessFileIsListed) {
  std::string text = "[main]\n";
  for (int i = 0; i < 1'000; ++i) text += "words\n";
  EXPECT_EQ(ParseDefinition(text, "x").findings.size(), 20U);
}

}  // namespace
}  // namespace backplane::panoptes
