#include "package/working_copy.h"

#include <filesystem>
#include <fstream>
#include <functional>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/test_folder.h"

namespace backplane::package {
namespace {

namespace fs = std::filesystem;

void Write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::trunc) << text;
}

// An installed plugin: two modules, one of them in a package, and a data file.
class WorkingCopyTest : public ::testing::Test {
 protected:
  WorkingCopyTest() {
    Write(source_ / "script.py", "import lib.helper\n");
    Write(source_ / "lib" / "__init__.py", "");
    Write(source_ / "lib" / "helper.py", "answer = 42\n");
    Write(source_ / "run.sh", "#!/bin/sh\n");
    fs::permissions(source_ / "run.sh", fs::perms::owner_all);
    Write(source_ / "config.json", "{}");
    Write(folder_.path() / "data.json", "[]");
    auto tree = TreeReader(blobs_).Read({source_});
    EXPECT_TRUE(tree);
    copy_ = std::make_unique<WorkingCopy>(folder_.path() / "copy", *tree,
                                          std::vector<fs::path>{folder_.path() / "data.json"}, blobs_);
    EXPECT_TRUE(copy_->PutBack());
  }
  fs::path Here(const std::string& name) const { return copy_->PathOf((source_ / name).string()); }
  std::string Text(const std::string& name) const { return ReadFile(Here(name), 1 << 20).value_or("?"); }
  // Everything below the copy that is code, with its content.
  std::map<std::string, std::string> Code() const {
    std::map<std::string, std::string> code;
    const fs::path root = Here("");
    for (const auto& entry : fs::recursive_directory_iterator(root, fs::directory_options::follow_directory_symlink)) {
      struct stat info{};
      if (stat(entry.path().c_str(), &info) == 0 && S_ISREG(info.st_mode) && IsCode(entry.path(), info.st_mode))
        code[fs::relative(entry.path(), root).string()] = ReadFile(entry.path(), 1 << 20).value_or("?");
    }
    return code;
  }

  TestFolder folder_;
  const fs::path source_ = folder_.path() / "source" / "plugins" / "one";
  const Blobs blobs_{folder_.path() / "contents"};
  std::unique_ptr<WorkingCopy> copy_;
};

TEST_F(WorkingCopyTest, HoldsWhatWasRead) {
  EXPECT_EQ(Text("lib/helper.py"), "answer = 42\n");
  EXPECT_EQ(fs::status(Here("run.sh")).permissions() & fs::perms::owner_exec, fs::perms::owner_exec);
  EXPECT_EQ(fs::read_symlink(copy_->PathOf((folder_.path() / "data.json").string())), folder_.path() / "data.json");
  const auto once = copy_->PutBack();
  ASSERT_TRUE(once);
  EXPECT_TRUE(copy_->Unchanged(*once));
  EXPECT_EQ(copy_->PutBack().value(), *once);  // nothing was to be done
}

TEST_F(WorkingCopyTest, WhatTheScriptWritesBesideItselfStays) {
  const auto before = copy_->PutBack().value();
  Write(Here("state.json"), "{}");
  Write(Here("cache/page.html"), "x");
  EXPECT_TRUE(copy_->Unchanged(before));
  EXPECT_EQ(copy_->PutBack().value(), before);
  EXPECT_EQ(Text("state.json"), "{}");
  EXPECT_EQ(Text("cache/page.html"), "x");
}

TEST_F(WorkingCopyTest, AnEditOfTheSourceChangesNothing) {
  const auto before = copy_->PutBack().value();
  Write(source_ / "script.py", "evil\n");
  fs::remove(source_ / "lib" / "helper.py");
  EXPECT_TRUE(copy_->Unchanged(before));
  EXPECT_EQ(Text("script.py"), "import lib.helper\n");
}

TEST_F(WorkingCopyTest, ADamagedContentRunsNothing) {
  for (const auto& entry : fs::recursive_directory_iterator(folder_.path() / "contents"))
    if (entry.is_regular_file()) {
      fs::permissions(entry.path(), fs::perms::owner_all);
      Write(entry.path(), "evil\n");
    }
  fs::remove(Here("script.py"));
  const auto put_back = copy_->PutBack();
  ASSERT_FALSE(put_back);
  EXPECT_EQ(put_back.error().code, Errc::kInternal);
  // And so it goes on until it is whole again.
  EXPECT_FALSE(copy_->PutBack());
}

// Ways to have something else run than what was approved. After each: noticed during a run, put
// right before the next.
struct Way {
  std::string name;
  std::function<void(const fs::path& here)> tamper;
};
void PrintTo(const Way& way, std::ostream* out) { *out << way.name; }

class Tampering : public WorkingCopyTest, public ::testing::WithParamInterface<Way> {};

TEST_P(Tampering, IsNoticedAndPutRight) {
  const auto approved = Code();
  const auto before = copy_->PutBack().value();
  GetParam().tamper(Here(""));
  EXPECT_FALSE(copy_->Unchanged(before)) << "during a run";
  ASSERT_TRUE(copy_->PutBack());
  EXPECT_EQ(Code(), approved) << "before the next";
  // A run that was begun before it was put right has seen the other files.
  const auto after = copy_->PutBack().value();
  EXPECT_TRUE(copy_->Unchanged(after));
}

// Keeps size and time of modification.
void Forge(const fs::path& path, const std::string& text) {
  struct stat info{};
  stat(path.c_str(), &info);
  const int fd = open(path.c_str(), O_WRONLY);
  EXPECT_EQ(pwrite(fd, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  const timespec times[2] = {info.st_atim, info.st_mtim};
  futimens(fd, times);
  close(fd);
}

INSTANTIATE_TEST_SUITE_P(
    All, Tampering,
    ::testing::Values(
        Way{"a_byte", [](const fs::path& p) { Write(p / "script.py", "import lib.helpex\n"); }},
        Way{"a_byte_with_forged_time", [](const fs::path& p) { Forge(p / "script.py", "X"); }},
        Way{"appended", [](const fs::path& p) { std::ofstream(p / "script.py", std::ios::app) << "evil\n"; }},
        Way{"truncated", [](const fs::path& p) { fs::resize_file(p / "script.py", 0); }},
        Way{"removed", [](const fs::path& p) { fs::remove(p / "lib" / "helper.py"); }},
        Way{"replaced_by_rename",
            [](const fs::path& p) {
              Write(p / "x.txt", "evil\n");
              fs::rename(p / "x.txt", p / "script.py");
            }},
        Way{"an_imported_module", [](const fs::path& p) { Write(p / "lib" / "helper.py", "answer = 43\n"); }},
        Way{"an_empty_module", [](const fs::path& p) { Write(p / "lib" / "__init__.py", "evil\n"); }},
        Way{"a_link_for_a_file",
            [](const fs::path& p) {
              Write(p / "x.txt", "evil\n");
              fs::remove(p / "script.py");
              fs::create_symlink(p / "x.txt", p / "script.py");
            }},
        Way{"a_hard_link",
            [](const fs::path& p) { fs::create_hard_link(p / "script.py", p.parent_path() / "another_name"); }},
        Way{"a_link_for_a_folder",
            [](const fs::path& p) {
              Write(p.parent_path() / "other" / "helper.py", "evil\n");
              fs::remove_all(p / "lib");
              fs::create_directory_symlink(p.parent_path() / "other", p / "lib");
            }},
        Way{"a_folder_for_a_file",
            [](const fs::path& p) {
              fs::remove(p / "script.py");
              fs::create_directory(p / "script.py");
            }},
        Way{"a_file_for_a_folder",
            [](const fs::path& p) {
              fs::remove_all(p / "lib");
              Write(p / "lib.py", "evil\n");
            }},
        Way{"a_new_module", [](const fs::path& p) { Write(p / "json.py", "evil\n"); }},
        Way{"a_new_package", [](const fs::path& p) { Write(p / "json" / "__init__.py", "evil\n"); }},
        Way{"a_new_module_in_a_package", [](const fs::path& p) { Write(p / "lib" / "re.py", "evil\n"); }},
        Way{"a_compiled_module", [](const fs::path& p) { Write(p / "json.pyc", "evil"); }},
        Way{"a_cache_of_compiled_modules",
            [](const fs::path& p) { Write(p / "__pycache__" / "script.cpython-311.pyc", "evil"); }},
        Way{"a_library", [](const fs::path& p) { Write(p / "json.cpython-311-x86_64-linux-gnu.so", "evil"); }},
        Way{"a_library_with_a_number", [](const fs::path& p) { Write(p / "libc.so.6", "evil"); }},
        Way{"a_program",
            [](const fs::path& p) {
              Write(p / "ip", "evil\n");
              fs::permissions(p / "ip", fs::perms::owner_all);
            }},
        Way{"a_link_to_a_module",
            [](const fs::path& p) {
              Write(p.parent_path() / "elsewhere.txt", "evil\n");
              fs::create_symlink(p.parent_path() / "elsewhere.txt", p / "json.py");
            }},
        Way{"a_link_to_a_folder", [](const fs::path& p) { fs::create_directory_symlink("/usr/lib", p / "json"); }},
        Way{"a_path_file", [](const fs::path& p) { Write(p / "site.pth", "import evil\n"); }},
        Way{"code_in_a_folder_of_data", [](const fs::path& p) { Write(p / "cache" / "deep" / "evil.py", "evil\n"); }},
        Way{"no_longer_a_program",
            [](const fs::path& p) { fs::permissions(p / "run.sh", fs::perms::owner_read | fs::perms::owner_write); }},
        Way{"everything", [](const fs::path& p) { fs::remove_all(p); }}),
    [](const auto& info) { return info.param.name; });

TEST_F(WorkingCopyTest, CodeThatComesIntoAFolderOfDataLaterIsNoticed) {
  Write(Here("cache/page.html"), "x");
  const auto before = copy_->PutBack().value();
  Write(Here("cache/evil.py"), "evil\n");
  EXPECT_FALSE(copy_->Unchanged(before));
  ASSERT_TRUE(copy_->PutBack());
  EXPECT_FALSE(fs::exists(Here("cache/evil.py")));
}

TEST_F(WorkingCopyTest, ARunThatOverlapsAnotherPutBackIsNotTaken) {
  const auto first = copy_->PutBack().value();
  Write(Here("script.py"), "evil\n");
  const auto second = copy_->PutBack().value();  // another lane's run begins, and puts it right
  EXPECT_FALSE(copy_->Unchanged(first));
  EXPECT_TRUE(copy_->Unchanged(second));
}

TEST_F(WorkingCopyTest, DataMayComeAndGo) {
  Write(folder_.path() / "more.json", "{}");
  copy_->SetData({folder_.path() / "more.json"});
  const auto now = copy_->PutBack().value();
  EXPECT_TRUE(copy_->Unchanged(now));
  EXPECT_EQ(fs::read_symlink(copy_->PathOf((folder_.path() / "more.json").string())), folder_.path() / "more.json");
  EXPECT_FALSE(fs::exists(fs::symlink_status(copy_->PathOf((folder_.path() / "data.json").string()))));
}

TEST_F(WorkingCopyTest, ALinkToDataIsPutBack) {
  const fs::path link = copy_->PathOf((folder_.path() / "data.json").string());
  const auto before = copy_->PutBack().value();
  fs::remove(link);
  fs::create_symlink("/etc/passwd", link);
  EXPECT_FALSE(copy_->Unchanged(before));
  ASSERT_TRUE(copy_->PutBack());
  EXPECT_EQ(fs::read_symlink(link), folder_.path() / "data.json");
}

}  // namespace
}  // namespace backplane::package
