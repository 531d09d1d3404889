#include "package/archive.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <set>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "base/text.h"

namespace backplane::package {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunk = 256 << 10;

class Hash {
 public:
  Hash() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }
  ~Hash() { EVP_MD_CTX_free(context_); }
  Hash(const Hash&) = delete;
  Hash& operator=(const Hash&) = delete;
  void Add(std::string_view bytes) { EVP_DigestUpdate(context_, bytes.data(), bytes.size()); }
  std::string Hex() {
    std::array<char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_DigestFinal_ex(context_, reinterpret_cast<unsigned char*>(digest.data()), &size);
    return ToHex(std::string_view(digest.data(), size));
  }

 private:
  EVP_MD_CTX* context_;
};

struct FreeEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
struct FreeReader {
  void operator()(archive* handle) const { archive_read_free(handle); }
};

std::string ErrorOf(archive* handle) {
  const char* text = archive_error_string(handle);
  return text != nullptr ? text : "unknown error";
}

// A name that stays below where it is unpacked: "a/b", "a/b/" for a folder.
bool StaysBelow(std::string_view name) {
  if (name.empty() || name.front() == '/' || name.find('\0') != std::string_view::npos) return false;
  if (name.ends_with('/')) name.remove_suffix(1);
  for (const std::string_view part : Split(name, '/'))
    if (part.empty() || part == "." || part == "..") return false;
  return true;
}

// `to` and what leads to it from `folder`, each for its owner only.
Status MakeFolders(const fs::path& folder, const fs::path& to) {
  fs::path at = folder;
  for (const fs::path& part : to.lexically_relative(folder)) BACKPLANE_TRY(MakePrivateFolder(at /= part));
  return {};
}

Status WriteContent(archive* from, const fs::path& to, unsigned mode, std::int64_t& left) {
  // Nothing of that name was there: no link of ours or of somebody else's is followed.
  const Fd file(open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode & 0700));
  if (!file) return Fail(Errc::kUnavailable, fmt::format("{}: {}", to.string(), std::strerror(errno)));
  std::string chunk(kChunk, '\0');
  while (true) {
    const la_ssize_t got = archive_read_data(from, chunk.data(), chunk.size());
    if (got < 0) return Fail(Errc::kInvalid, ErrorOf(from));
    if (got == 0) break;
    if ((left -= got) < 0) return Fail(Errc::kInvalid, "there is more in it than may be unpacked");
    for (la_ssize_t at = 0; at < got;) {
      const ssize_t put = write(file.get(), chunk.data() + at, static_cast<std::size_t>(got - at));
      if (put < 0) return Fail(Errc::kUnavailable, fmt::format("{}: {}", to.string(), std::strerror(errno)));
      at += put;
    }
  }
  return {};
}

}  // namespace

void ArchiveWriter::Close::operator()(archive* handle) const { archive_write_free(handle); }

Error ArchiveWriter::Failure() const {
  return {Errc::kUnavailable, fmt::format("{}: {}", file_.string(), ErrorOf(handle_.get())), {}};
}

Result<ArchiveWriter> ArchiveWriter::Create(const fs::path& file) {
  const Fd made(open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made) {
    const Errc code = errno == EEXIST ? Errc::kConflict : Errc::kUnavailable;
    return Fail(code, fmt::format("{}: {}", file.string(), std::strerror(errno)));
  }
  ArchiveWriter writer(std::unique_ptr<archive, Close>(archive_write_new()), file);
  archive* const handle = writer.handle_.get();
  if (archive_write_set_format_pax_restricted(handle) != ARCHIVE_OK ||
      archive_write_add_filter_zstd(handle) != ARCHIVE_OK ||
      archive_write_open_filename(handle, file.c_str()) != ARCHIVE_OK)
    return Fail(writer.Failure());
  return writer;
}

template <typename Fill>
Result<ArchiveWriter::Added> ArchiveWriter::Add(const std::string& name, std::int64_t bytes, unsigned mode,
                                                const Fill& fill) {
  const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
  archive_entry_set_pathname(entry.get(), name.c_str());
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), mode);
  archive_entry_set_size(entry.get(), bytes);
  if (archive_write_header(handle_.get(), entry.get()) != ARCHIVE_OK) return Fail(Failure());
  Added added{bytes, {}};
  Hash hash;
  // An entry is as long as its header says: what has become shorter meanwhile is filled up, what grew is cut.
  for (std::int64_t left = bytes; left > 0;) {
    std::string_view chunk = fill(static_cast<std::size_t>(std::min<std::int64_t>(left, kChunk)));
    const std::string zeros = chunk.empty()
                                  ? std::string(static_cast<std::size_t>(std::min<std::int64_t>(left, kChunk)), '\0')
                                  : std::string();
    if (chunk.empty()) chunk = zeros;
    if (archive_write_data(handle_.get(), chunk.data(), chunk.size()) != static_cast<la_ssize_t>(chunk.size()))
      return Fail(Failure());
    hash.Add(chunk);
    left -= static_cast<std::int64_t>(chunk.size());
  }
  added.sha256 = hash.Hex();
  return added;
}

Result<ArchiveWriter::Added> ArchiveWriter::AddFile(const std::string& name, const fs::path& file) {
  const Fd source(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info{};
  if (!source || fstat(source.get(), &info) != 0)
    return Fail(errno == ENOENT ? Errc::kNotFound : Errc::kUnavailable,
                fmt::format("{}: {}", file.string(), std::strerror(errno)));
  if (!S_ISREG(info.st_mode)) return Fail(Errc::kInvalid, fmt::format("{}: no regular file", file.string()));
  std::string buffer(kChunk, '\0');
  return Add(name, info.st_size, info.st_mode & 0777, [&](std::size_t most) -> std::string_view {
    const ssize_t got = read(source.get(), buffer.data(), most);
    return std::string_view(buffer).substr(0, static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
  });
}

Result<ArchiveWriter::Added> ArchiveWriter::AddText(const std::string& name, std::string_view content) {
  return Add(name, static_cast<std::int64_t>(content.size()), 0600, [&](std::size_t most) {
    const std::string_view chunk = content.substr(0, most);
    content.remove_prefix(chunk.size());
    return chunk;
  });
}

Status ArchiveWriter::Finish() {
  if (archive_write_close(handle_.get()) != ARCHIVE_OK) return Fail(Failure());
  const Fd written(open(file_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!written || fsync(written.get()) != 0)
    return Fail(Errc::kUnavailable, fmt::format("{}: {}", file_.string(), std::strerror(errno)));
  return {};
}

Result<std::string> Sha256OfFile(const fs::path& file) {
  const Fd source(open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!source)
    return Fail(errno == ENOENT ? Errc::kNotFound : Errc::kUnavailable,
                fmt::format("{}: {}", file.string(), std::strerror(errno)));
  Hash hash;
  std::string chunk(kChunk, '\0');
  while (true) {
    const ssize_t got = read(source.get(), chunk.data(), chunk.size());
    if (got < 0) return Fail(Errc::kUnavailable, fmt::format("{}: {}", file.string(), std::strerror(errno)));
    if (got == 0) return hash.Hex();
    hash.Add(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
  }
}

Status Unpack(const fs::path& file, const fs::path& folder, const ArchiveLimits& limits) {
  const std::unique_ptr<archive, FreeReader> handle(archive_read_new());
  archive_read_support_format_tar(handle.get());
  archive_read_support_filter_zstd(handle.get());
  const auto refuse = [&](std::string_view why) {
    return Fail(Errc::kInvalid, fmt::format("{}: {}", file.string(), why));
  };
  if (archive_read_open_filename(handle.get(), file.c_str(), kChunk) != ARCHIVE_OK)
    return refuse(ErrorOf(handle.get()));
  std::int64_t bytes = limits.bytes, entries = 0;
  archive_entry* entry = nullptr;
  int code = ARCHIVE_OK;
  while ((code = archive_read_next_header(handle.get(), &entry)) == ARCHIVE_OK) {
    const char* const text = archive_entry_pathname(entry);
    const std::string name = text != nullptr ? text : "";
    if (++entries > limits.entries) return refuse(fmt::format("there are more than {} entries", limits.entries));
    if (!StaysBelow(name)) return refuse(fmt::format("\"{}\" is no name below a folder", Shorten(name, 100)));
    const auto type = archive_entry_filetype(entry);
    const bool plain = archive_entry_hardlink(entry) == nullptr;
    if (!plain || (type != AE_IFREG && type != AE_IFDIR))
      return refuse(fmt::format("\"{}\" is neither a file nor a folder", Shorten(name, 100)));
    const fs::path to = folder / name;
    BACKPLANE_TRY(MakeFolders(folder, type == AE_IFDIR ? to : to.parent_path()));
    if (type == AE_IFDIR) continue;
    if (const Status written = WriteContent(handle.get(), to, archive_entry_perm(entry), bytes); !written)
      return written.error().code == Errc::kInvalid ? refuse(written.error().message) : written;
  }
  if (code != ARCHIVE_EOF) return refuse(ErrorOf(handle.get()));
  return {};
}

}  // namespace backplane::package
