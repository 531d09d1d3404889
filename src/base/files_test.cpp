#include "base/files.h"

#include <cstdlib>
#include <fstream>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/test_folder.h"

namespace backplane {
namespace {

using ::testing::HasSubstr;

class FilesTest : public ::testing::Test {
 protected:
  std::filesystem::path Path(const std::string& name) const { return folder_.path() / name; }
  std::filesystem::path Write(const std::string& name, std::string_view content) const {
    std::ofstream(Path(name), std::ios::binary) << content;
    return Path(name);
  }
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    return names;
  }
  static unsigned Mode(const std::filesystem::path& path) {
    struct stat info{};
    return lstat(path.c_str(), &info) == 0 ? info.st_mode & 07777U : 0;
  }
  static Errc CodeOf(const Result<std::string>& result) { return result ? Errc::kInternal : result.error().code; }

  TestFolder folder_;
};

TEST_F(FilesTest, ReadsUpToTheLimitAndNotBeyond) {
  const auto file = Write("a", std::string("x\0y", 3));
  EXPECT_EQ(ReadFile(file, 3), std::string("x\0y", 3));
  const auto large = ReadFile(file, 2);
  EXPECT_EQ(CodeOf(large), Errc::kInvalid);
  EXPECT_THAT(large.error().message, HasSubstr("2 bytes"));
  const std::string megabyte(1 << 20, 'z');
  EXPECT_EQ(ReadFile(Write("b", megabyte), 1 << 20), megabyte);
}

TEST_F(FilesTest, ReadFileTellsAbsentFromNoFile) {
  EXPECT_EQ(CodeOf(ReadFile(Path("none"), 10)), Errc::kNotFound);
  EXPECT_EQ(CodeOf(ReadFile(Write("file", "") / "below", 10)), Errc::kNotFound);
  EXPECT_EQ(CodeOf(ReadFile(folder_.path(), 10)), Errc::kInvalid);
}

TEST_F(FilesTest, ANamedPipeDoesNotHoldTheReader) {
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(CodeOf(ReadFile(Path("pipe"), 10)), Errc::kInvalid);
  EXPECT_EQ(CodeOf(TakeFile(Path("pipe"), Path("taken"), geteuid(), 10)), Errc::kDenied);
}

TEST_F(FilesTest, ReadFileFollowsLinks) {
  Write("real", "content");
  std::filesystem::create_symlink("real", Path("link"));
  EXPECT_EQ(ReadFile(Path("link"), 100), "content");
}

TEST_F(FilesTest, TakesAFileAway) {
  const auto file = Write("result", "rows");
  EXPECT_EQ(TakeFile(file, Path("taken"), geteuid(), 100), "rows");
  EXPECT_EQ(ReadFile(Path("taken"), 100), "rows");
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_EQ(CodeOf(TakeFile(file, Path("taken"), geteuid(), 100)), Errc::kNotFound);
}

TEST_F(FilesTest, DoesNotTakeWhatPointsElsewhere) {
  Write("secret", "root's");
  std::filesystem::create_symlink(Path("secret"), Path("link"));
  EXPECT_EQ(CodeOf(TakeFile(Path("link"), Path("taken"), geteuid(), 100)), Errc::kDenied);
  std::filesystem::create_symlink(Path("nowhere"), Path("dangling"));
  EXPECT_EQ(CodeOf(TakeFile(Path("dangling"), Path("taken"), geteuid(), 100)), Errc::kDenied);
  std::filesystem::create_hard_link(Path("secret"), Path("hard"));
  const auto hard = TakeFile(Path("hard"), Path("taken"), geteuid(), 100);
  EXPECT_EQ(CodeOf(hard), Errc::kDenied);
  EXPECT_THAT(hard.error().message, HasSubstr("2 hard links"));
  EXPECT_EQ(ReadFile(Path("secret"), 100), "root's");
}

TEST_F(FilesTest, DoesNotTakeFoldersOrLargeFiles) {
  std::filesystem::create_directory(Path("folder"));
  EXPECT_EQ(CodeOf(TakeFile(Path("folder"), Path("taken"), geteuid(), 100)), Errc::kDenied);
  EXPECT_EQ(CodeOf(TakeFile(Write("large", "12345"), Path("taken"), geteuid(), 4)), Errc::kInvalid);
  EXPECT_FALSE(std::filesystem::exists(Path("taken")));  // nothing is left of what was refused
}

TEST_F(FilesTest, SeesWhoWrites) {
  const auto file = Write("result", "rows");
  EXPECT_FALSE(OpenForWriting(file));
  {
    const Fd reader(open(file.c_str(), O_RDONLY | O_CLOEXEC));
    EXPECT_FALSE(OpenForWriting(file));
    const Fd writer(open(file.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    EXPECT_TRUE(OpenForWriting(file));
  }
  EXPECT_FALSE(OpenForWriting(file));
  EXPECT_FALSE(OpenForWriting(Path("absent")));
}

TEST_F(FilesTest, DoesNotTakeAStrangersFile) {
  const auto file = Write("result", "rows");
  if (geteuid() == 0) {
    ASSERT_EQ(chown(file.c_str(), 12345, 12345), 0);
    const auto taken = TakeFile(file, Path("taken"), 4711, 100);
    EXPECT_EQ(CodeOf(taken), Errc::kDenied);
    EXPECT_THAT(taken.error().message, HasSubstr("owned by user 12345"));
    EXPECT_EQ(TakeFile(Write("root's", "rows"), Path("taken"), 4711, 100), "rows");
  } else {
    EXPECT_EQ(CodeOf(TakeFile(file, Path("taken"), geteuid() + 1, 100)), Errc::kDenied);
  }
}

TEST_F(FilesTest, ReplacesAFileInOneStep) {
  const auto file = Write("a", "old");
  const int old = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_TRUE(WriteFileAtomic(file, "new", 0600));
  EXPECT_EQ(ReadFile(file, 100), "new");
  EXPECT_EQ(Mode(file), 0600U);
  char content[8] = {};
  EXPECT_EQ(read(old, content, sizeof content), 3);
  EXPECT_STREQ(content, "old");  // who had it open still sees the whole old file
  close(old);
  EXPECT_EQ(Names().size(), 1U);
}

TEST_F(FilesTest, AFailedWriteLeavesNothingBehind) {
  std::filesystem::create_directories(Path("target/inside"));
  EXPECT_FALSE(WriteFileAtomic(Path("target"), "x"));
  EXPECT_THAT(Names(), ::testing::ElementsAre("target"));
  EXPECT_FALSE(WriteFileAtomic(Path("none/file"), "x"));
}

TEST_F(FilesTest, PrivateFoldersAreTheOwnersOnly) {
  ASSERT_TRUE(MakePrivateFolder(Path("a/b")));
  EXPECT_EQ(Mode(Path("a/b")), 0700U);
  std::filesystem::permissions(Path("a/b"), std::filesystem::perms::all);
  ASSERT_TRUE(MakePrivateFolder(Path("a/b")));
  EXPECT_EQ(Mode(Path("a/b")), 0777U) << "somebody else's folder is left alone";
  Write("file", "");
  EXPECT_FALSE(MakePrivateFolder(Path("file/below")));
}

TEST_F(FilesTest, TheShareFolderIsTheOneThatHoldsPython) {
  setenv("BACKPLANE_SHARE", folder_.path().c_str(), 1);
  const auto without = ShareFolder();
  if (without) {
    EXPECT_NE(*without, folder_.path());
  }
  std::filesystem::create_directory(Path("python"));
  EXPECT_EQ(ShareFolder(), folder_.path());
  unsetenv("BACKPLANE_SHARE");
}

TEST(Fd, ClosesOnceAndMoves) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Fd read_end(ends[0]);
  {
    Fd write_end(ends[1]);
    const Fd moved = std::move(write_end);
    EXPECT_FALSE(write_end);  // NOLINT(bugprone-use-after-move): what is left is part of the contract
    EXPECT_EQ(moved.get(), ends[1]);
  }
  char byte = 0;
  EXPECT_EQ(read(read_end.get(), &byte, 1), 0);  // the other end is closed
  read_end = Fd();
  EXPECT_EQ(fcntl(ends[0], F_GETFD), -1);
}

TEST_F(FilesTest, APrivateFileIsItsOwnersAlone) {
  const auto file = Write("key", "x");
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  EXPECT_EQ(ReadPrivateFile(file, 10), "x");
  std::filesystem::permissions(file, std::filesystem::perms(0400));
  EXPECT_EQ(CodeOf(ReadPrivateFile(file, 0)), Errc::kInvalid);
  for (const unsigned mode : {0640U, 0604U, 0602U, 0610U}) {
    std::filesystem::permissions(file, std::filesystem::perms(mode));
    const auto open = ReadPrivateFile(file, 10);
    EXPECT_EQ(CodeOf(open), Errc::kDenied) << mode;
    EXPECT_THAT(open.error().message, HasSubstr("chmod 600"));
  }
  EXPECT_EQ(CodeOf(ReadPrivateFile(Path("none"), 10)), Errc::kNotFound);
  EXPECT_EQ(CodeOf(ReadPrivateFile(folder_.path(), 10)), Errc::kInvalid);
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(CodeOf(ReadPrivateFile(Path("pipe"), 10)), Errc::kInvalid);
}

TEST_F(FilesTest, APrivateFileOfAnotherIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  const auto file = Write("key", "x");
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  ASSERT_EQ(chown(file.c_str(), 12345, 12345), 0);
  EXPECT_EQ(CodeOf(ReadPrivateFile(file, 10)), Errc::kDenied);
}

TEST_F(FilesTest, WritesDurablyAndReplacesOnlyIfTold) {
  EXPECT_TRUE(WriteFileDurable(Path("key"), "one", 0600, false));
  EXPECT_EQ(Mode(Path("key")), 0600U);
  const Status taken = WriteFileDurable(Path("key"), "two", 0600, false);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::kConflict);
  EXPECT_EQ(ReadFile(Path("key"), 10), "one");
  EXPECT_TRUE(WriteFileDurable(Path("key"), "three", 0400, true));
  EXPECT_EQ(ReadFile(Path("key"), 10), "three");
  EXPECT_EQ(WriteFileDurable(Path("none") / "key", "x", 0600, false).error().code, Errc::kUnavailable);
  EXPECT_THAT(Names(), ::testing::ElementsAre("key"));
}

}  // namespace
}  // namespace backplane
