// docs/reference/configuration.md is made from the declaration of the options: this test holds
// them together. `BACKPLANE_UPDATE_GOLDEN=1 config_test` writes the page anew.
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>

#include "base/files.h"
#include "config/options.h"

namespace backplane::config {
namespace {

std::string Page() {
  return "# Configuration: the options\n\n"
         "<!-- Made from src/config/options.cpp: change the sentences there, then run\n"
         "     `BACKPLANE_UPDATE_GOLDEN=1` with config_test. -->\n\n"
         "The site file is TOML. A dot in a name is a table: `runs.workers` is `workers` in `[runs]`. The environment\n"
         "wins over the file, the command line over both. Each line gives the name, the default, what is allowed, and\n"
         "the variable. Durations are a whole number with `ms`, `s`, `m`, `h` or `d`.\n\n" +
         OptionReference();
}

TEST(Reference, ThePageIsWhatTheProgramSays) {
  const auto file = std::filesystem::path(BACKPLANE_SOURCE_DIR) / "docs" / "reference" / "configuration.md";
  if (std::getenv("BACKPLANE_UPDATE_GOLDEN") != nullptr) {
    std::filesystem::create_directories(file.parent_path());
    ASSERT_TRUE(WriteFileAtomic(file, Page()));
  }
  const auto present = ReadFile(file, 1 << 20);
  ASSERT_TRUE(present) << present.error().message;
  EXPECT_EQ(*present, Page()) << "run config_test with BACKPLANE_UPDATE_GOLDEN=1, and look at what changed";
}

}  // namespace
}  // namespace backplane::config
