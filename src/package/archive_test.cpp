#include "package/archive.h"

#include <fstream>

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/files.h"
#include "base/test_folder.h"
#include "base/text.h"

namespace backplane::package {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ArchiveTest : public testing::Test {
 protected:
  fs::path Path(const std::string& name) const { return folder_.path() / name; }
  fs::path Into() const {
    const fs::path into = Path("into");
    EXPECT_TRUE(MakePrivateFolder(into));
    return into;
  }

  struct Entry {
    std::string name;
    unsigned type = AE_IFREG;
    std::string content;
    std::string link;
    bool hard = false;
  };
  // An archive as somebody else might make it.
  fs::path Made(const std::vector<Entry>& entries) const {
    const fs::path file = Path("made.tar");
    archive* const handle = archive_write_new();
    archive_write_set_format_pax(handle);
    archive_write_open_filename(handle, file.c_str());
    for (const Entry& one : entries) {
      archive_entry* const entry = archive_entry_new();
      archive_entry_set_pathname(entry, one.name.c_str());
      archive_entry_set_filetype(entry, one.type);
      archive_entry_set_perm(entry, 0644);
      archive_entry_set_size(entry, static_cast<la_int64_t>(one.content.size()));
      if (one.hard)
        archive_entry_set_hardlink(entry, one.link.c_str());
      else if (!one.link.empty())
        archive_entry_set_symlink(entry, one.link.c_str());
      archive_write_header(handle, entry);
      archive_write_data(handle, one.content.data(), one.content.size());
      archive_entry_free(entry);
    }
    archive_write_close(handle);
    archive_write_free(handle);
    return file;
  }

  TestFolder folder_;
};

TEST_F(ArchiveTest, WhatIsPackedIsUnpacked) {
  std::ofstream(Path("script")) << std::string(1'000'000, 'x') << "end";
  chmod(Path("script").c_str(), 0755);
  auto writer = ArchiveWriter::Create(Path("a.tar.zst"));
  ASSERT_TRUE(writer);
  const auto file = writer->AddFile("deep/down/script", Path("script"));
  const auto text = writer->AddText("list.json", "{}");
  ASSERT_TRUE(file && text);
  EXPECT_EQ(file->bytes, 1'000'003);
  EXPECT_EQ(text->sha256, Sha256Hex("{}"));
  EXPECT_EQ(file->sha256, *Sha256OfFile(Path("script")));
  ASSERT_TRUE(writer->Finish());

  const fs::path into = Into();
  ASSERT_TRUE(Unpack(Path("a.tar.zst"), into));
  EXPECT_EQ(*Sha256OfFile(into / "deep/down/script"), file->sha256);
  EXPECT_EQ(*ReadFile(into / "list.json", 10), "{}");
  struct stat info{};
  ASSERT_EQ(stat((into / "deep/down/script").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);  // nobody else's, whatever the archive says
  for (const char* folder : {"deep", "deep/down"}) {
    ASSERT_EQ(stat((into / folder).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0700u) << folder;
  }
  ASSERT_EQ(stat(Path("a.tar.zst").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_LT(info.st_size, 100'000);
}

TEST_F(ArchiveTest, WhatIsThereIsNotReplaced) {
  std::ofstream(Path("a")) << "mine";
  EXPECT_EQ(ArchiveWriter::Create(Path("a")).error().code, Errc::kConflict);
  EXPECT_EQ(*ReadFile(Path("a"), 10), "mine");
}

TEST_F(ArchiveTest, AFileThatIsGoneIsSaid) {
  auto writer = ArchiveWriter::Create(Path("a"));
  ASSERT_TRUE(writer);
  EXPECT_EQ(writer->AddFile("x", Path("none")).error().code, Errc::kNotFound);
  EXPECT_EQ(writer->AddFile("x", folder_.path()).error().code, Errc::kInvalid);
}

TEST_F(ArchiveTest, NothingLeavesTheFolder) {
  const std::vector<std::vector<Entry>> bad = {
      {{.name = "../out"}},
      {{.name = "a/../../out"}},
      {{.name = "/etc/out"}},
      {{.name = "a//b"}},
      {{.name = "link", .type = AE_IFLNK, .content = "", .link = "/etc/passwd"}},
      {{.name = "one"}, {.name = "two", .type = AE_IFREG, .content = "", .link = "one", .hard = true}},
      {{.name = "pipe", .type = AE_IFIFO}},
      {{.name = "device", .type = AE_IFCHR}},
      {{.name = "twice", .type = AE_IFREG, .content = "1"}, {.name = "twice", .type = AE_IFREG, .content = "2"}},
      {{.name = "file"}, {.name = "file/below"}},
  };
  for (const auto& entries : bad) {
    const fs::path into = Into();
    const Status status = Unpack(Made(entries), into);
    EXPECT_FALSE(status) << entries.back().name;
    EXPECT_FALSE(fs::exists(Path("out")));
    fs::remove_all(into);
  }
}

TEST_F(ArchiveTest, LimitsHold) {
  const fs::path file = Made({{.name = "a", .type = AE_IFREG, .content = std::string(1000, 'a')}, {.name = "b"}});
  EXPECT_THAT(Unpack(file, Into(), {.entries = 1}).error().message, HasSubstr("more than 1 entries"));
  fs::remove_all(Path("into"));
  EXPECT_THAT(Unpack(file, Into(), {.bytes = 999}).error().message, HasSubstr("more in it than may be unpacked"));
  fs::remove_all(Path("into"));
  EXPECT_TRUE(Unpack(file, Into(), {.entries = 2, .bytes = 1000}));
}

TEST_F(ArchiveTest, WhatIsNoArchiveIsSaid) {
  std::ofstream(Path("text")) << "not an archive at all, but long enough to be looked at";
  EXPECT_EQ(Unpack(Path("text"), Into()).error().code, Errc::kInvalid);
  auto writer = ArchiveWriter::Create(Path("whole"));
  ASSERT_TRUE(writer && writer->AddText("a", std::string(100'000, 'x')) && writer->Finish());
  const std::string whole = *ReadFile(Path("whole"), 1 << 20);
  std::ofstream(Path("cut"), std::ios::binary) << whole.substr(0, whole.size() / 2);
  EXPECT_FALSE(Unpack(Path("cut"), Into()));
}

}  // namespace
}  // namespace backplane::package
