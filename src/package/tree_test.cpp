#include "package/tree.h"

#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <nlohmann/json.hpp>

#include "base/test_folder.h"
#include "base/text.h"
#include "package/diff.h"

namespace backplane::package {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

void Write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::trunc) << text;
}

class TreeTest : public ::testing::Test {
 protected:
  TreeTest() {
    Write(Here("one/script.py"), "a\nb\nc\n");
    Write(Here("one/lib/helper.py"), "h\n");
  }
  fs::path Here(const std::string& name) const { return folder_.path() / name; }
  Tree Read(const std::string& name = "one") {
    auto tree = reader_.Read({Here(name)});
    EXPECT_TRUE(tree) << tree.error().message;
    return tree.value_or(Tree());
  }
  std::vector<std::string> Names(const Tree& tree) {
    std::vector<std::string> names;
    for (const TreeFile& file : tree.files)
      names.push_back(fs::path(file.path).lexically_relative(folder_.path()).string());
    return names;
  }

  TestFolder folder_;
  const Blobs blobs_{folder_.path() / "contents"};
  TreeReader reader_{blobs_};
};

TEST_F(TreeTest, IsTheSameWhereverItLies) {
  const Tree one = Read();
  EXPECT_THAT(Names(one), ElementsAre("one/lib/helper.py", "one/script.py"));
  EXPECT_EQ(blobs_.Get(one.files[0].content).value(), "h\n");
  fs::copy(Here("one"), Here("two"), fs::copy_options::recursive);
  EXPECT_EQ(Read("two").hash, one.hash);
  EXPECT_EQ(TreeFromJson(ToJson(one)).value(), one);
}

TEST_F(TreeTest, EveryChangeIsAnother) {
  const std::string hash = Read().hash;
  std::set<std::string> hashes = {hash};
  Write(Here("one/script.py"), "a\nb\nd\n");
  EXPECT_TRUE(hashes.insert(Read().hash).second);
  Write(Here("one/new.txt"), "");
  EXPECT_TRUE(hashes.insert(Read().hash).second);
  fs::permissions(Here("one/new.txt"), fs::perms::owner_all);
  EXPECT_TRUE(hashes.insert(Read().hash).second);
  fs::rename(Here("one/new.txt"), Here("one/old.txt"));
  EXPECT_TRUE(hashes.insert(Read().hash).second);
  fs::remove(Here("one/old.txt"));
  Write(Here("one/script.py"), "a\nb\nc\n");
  EXPECT_EQ(Read().hash, hash);
}

TEST_F(TreeTest, AChangeOfTheSameSizeAndTimeIsSeen) {
  const std::string hash = Read().hash;
  struct stat info{};
  ASSERT_EQ(stat(Here("one/script.py").c_str(), &info), 0);
  Write(Here("one/script.py"), "a\nb\nX\n");
  const timespec times[2] = {info.st_atim, info.st_mtim};
  ASSERT_EQ(utimensat(AT_FDCWD, Here("one/script.py").c_str(), times, 0), 0);
  EXPECT_NE(Read().hash, hash);
}

TEST_F(TreeTest, LinksAreFollowedAndCachesPassedOver) {
  Write(Here("outside/shared.py"), "s\n");
  fs::create_symlink(Here("outside/shared.py"), Here("one/shared.py"));
  fs::create_directory_symlink(Here("outside"), Here("one/more"));
  Write(Here("one/__pycache__/script.pyc"), "x");
  EXPECT_THAT(Names(Read()), ElementsAre("one/lib/helper.py", "one/more/shared.py", "one/script.py", "one/shared.py"));
}

TEST_F(TreeTest, WhatIsNoFileIsRefused) {
  ASSERT_EQ(mkfifo(Here("one/pipe").c_str(), 0600), 0);
  EXPECT_THAT(reader_.Read({Here("one")}).error().message, HasSubstr("is no regular file"));
  fs::remove(Here("one/pipe"));
  fs::create_symlink("nowhere", Here("one/dangling"));
  EXPECT_EQ(reader_.Read({Here("one")}).error().code, Errc::kNotFound);
  fs::remove(Here("one/dangling"));
  fs::create_directory_symlink(Here("one"), Here("one/round"));
  EXPECT_THAT(reader_.Read({Here("one")}).error().message, HasSubstr("leads round"));
  EXPECT_EQ(reader_.Read({Here("none")}).error().code, Errc::kNotFound);
}

TEST_F(TreeTest, TextsThatAreNoTreesAreRefused) {
  for (const char* text : {"[]", "{}", R"({"root":1,"hash":"","files":[]})", R"({"root":"","hash":"","files":[[1]]})"})
    EXPECT_FALSE(TreeFromJson(Json::parse(text))) << text;
}

TEST_F(TreeTest, ContentsThatNobodyNeedsGo) {
  const Tree tree = Read();
  blobs_.Sweep({tree.files[0].content});
  EXPECT_TRUE(blobs_.Get(tree.files[0].content));
  EXPECT_EQ(blobs_.Get(tree.files[1].content).error().code, Errc::kNotFound);
}

TEST_F(TreeTest, ADiffShowsWhatCameWentAndChanged) {
  const Tree before = Read();
  Write(Here("one/script.py"), "a\nB\nc\n");
  fs::remove(Here("one/lib/helper.py"));
  Write(Here("one/new.py"), "n\n");
  Write(Here("one/blob"), std::string("\0\1", 2));
  EXPECT_EQ(DiffTrees(before, Read(), blobs_).value(),
            "--- /dev/null\n+++ blob\ndiffers: 0 bytes before, 2 bytes now\n"
            "--- lib/helper.py\n+++ /dev/null\n@@ -1,1 +1,0 @@\n-h\n"
            "--- /dev/null\n+++ new.py\n@@ -1,0 +1,1 @@\n+n\n"
            "--- script.py\n+++ script.py\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n");
}

TEST(Diff, OfTextsIsUnified) {
  EXPECT_EQ(DiffTexts("a\n", "a\n"), "");
  EXPECT_EQ(DiffTexts("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nV\n6\n7\n8\n9\n"),
            "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+V\n 6\n 7\n 8\n");
  EXPECT_EQ(DiffTexts("", "x\ny\n"), "@@ -1,0 +1,2 @@\n+x\n+y\n");
  std::string many;
  for (int i = 0; i < 30'000; ++i) many += "line\n";
  EXPECT_THAT(DiffTexts(many, ""), HasSubstr("differs: 150000 bytes"));
}

// Applying the signs gives both texts back, whatever they are.
TEST(Diff, LosesNothing) {
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::srand(seed);
    std::string before;
    std::string after;
    const int lines = 1 + std::rand() % 12;
    for (int i = 0; i < lines; ++i) {
      const std::string line(1, static_cast<char>('a' + std::rand() % 3));
      if (std::rand() % 4 != 0) before += line + "\n";
      if (std::rand() % 4 != 0) after += line + "\n";
    }
    const std::string diff = DiffTexts(before, after);
    if (before == after) {
      EXPECT_THAT(diff, IsEmpty());
      continue;
    }
    std::string removed;
    std::string added;
    for (const std::string_view line : Split(diff, '\n')) {
      if (line.starts_with('-')) removed += line.substr(1);
      if (line.starts_with('+')) added += line.substr(1);
    }
    // What was taken away and put in accounts for the difference of length.
    EXPECT_EQ(static_cast<long>(before.size() / 2) - static_cast<long>(removed.size()),
              static_cast<long>(after.size() / 2) - static_cast<long>(added.size()))
        << "seed " << seed << "\n"
        << diff;
  }
}

}  // namespace
}  // namespace backplane::package
