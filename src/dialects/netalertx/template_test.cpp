#include "dialects/netalertx/template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/netalertx/test_plugin.h"

namespace backplane::netalertx {
namespace {

using testing::HasSubstr;
using testing::Not;

class Template : public testing::Test {
 protected:
  Status Make(const std::string& name, const std::string& prefix = {}) {
    return codec_.MakePlugin(
        {.name = name, .short_name = prefix, .folder = root_.path() / name, .share = BACKPLANE_SOURCE_DIR});
  }
  std::string Content(const std::string& file) { return ReadFile(root_.path() / file, 1 << 20).value(); }

  TemporaryFolder root_;
  const NetAlertX codec_;
};

TEST_F(Template, IsItselfWithoutAFinding) {
  const auto read = codec_.Read(BACKPLANE_SOURCE_DIR "/examples/netalertx/front/plugins/__template", {});
  EXPECT_TRUE(read.findings.empty()) << Describe(read.findings.front());
  ASSERT_EQ(read.manifests.size(), 1U);
}

TEST_F(Template, ACopyHasItsOwnNames) {
  ASSERT_TRUE(Make("my_scan"));
  const auto read = codec_.Read(root_.path(), {});
  EXPECT_TRUE(read.findings.empty()) << Describe(read.findings.front());
  ASSERT_EQ(read.manifests.size(), 1U);
  const Manifest& manifest = read.manifests[0];
  EXPECT_EQ(manifest.name, "MYSCAN");
  EXPECT_EQ(manifest.title, "My scan");
  EXPECT_EQ(manifest.document["code_name"], "my_scan");
  EXPECT_EQ(manifest.runs, "python3 /app/front/plugins/my_scan/script.py");
  for (const char* file : {"my_scan/config.json", "my_scan/script.py"}) {
    EXPECT_THAT(Content(file), Not(HasSubstr("TEMPLATE"))) << file;
    EXPECT_THAT(Content(file), Not(HasSubstr("__template"))) << file;
  }
}

TEST_F(Template, ThePrefixMayBeChosen) {
  ASSERT_TRUE(Make("second", "OTHER"));
  EXPECT_THAT(Content("second/script.py"), HasSubstr("PREFIX = \"OTHER\""));
}

TEST_F(Template, BadNamesAreRefused) {
  for (const char* name : {"", "__hidden", "a b", "a/b", "..", "9lives", "-x", "_", "caf\xc3\xa9"})
    EXPECT_EQ(Make(name).error().code, Errc::kInvalid) << name;
  for (const char* prefix : {"lower", "A B", "9A", "A-B"})
    EXPECT_EQ(Make("fine", prefix).error().code, Errc::kInvalid) << prefix;
  EXPECT_FALSE(std::filesystem::exists(root_.path() / "fine"));
}

TEST_F(Template, WhatIsThereIsLeftAlone) {
  std::filesystem::create_directory(root_.path() / "taken");
  EXPECT_EQ(Make("taken").error().code, Errc::kConflict);
  EXPECT_TRUE(std::filesystem::is_empty(root_.path() / "taken"));
}

}  // namespace
}  // namespace backplane::netalertx
