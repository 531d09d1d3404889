#include "dialects/netalertx/vendors.h"

#include <charconv>
#include <optional>

#include "base/files.h"
#include "base/log.h"
#include "base/text.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kFileBytes = 64 << 20;
constexpr std::size_t kPrefixDigits = 6;

std::optional<std::uint32_t> ParsePrefix(std::string_view digits) {
  std::uint32_t prefix = 0;
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, prefix, 16);
  if (digits.size() != kPrefixDigits || error != std::errc() || stop != end) return std::nullopt;
  return prefix;
}

VendorTable Parse(std::string_view content) {
  VendorTable table;
  for (const std::string_view line : Split(content, '\n')) {
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) continue;
    const std::string_view vendor = Trim(line.substr(tab + 1));
    if (const auto prefix = ParsePrefix(line.substr(0, tab)); prefix && !vendor.empty())
      table.insert_or_assign(*prefix, IsUtf8(vendor) ? std::string(vendor) : ToUtf8(vendor));
  }
  return table;
}

}  // namespace

std::string_view VendorOf(const VendorTable& table, std::string_view mac) {
  constexpr std::size_t kPrefix = 8;  // aa:bb:cc
  const auto prefix = ParsePrefix(ReplaceAll(mac.substr(0, kPrefix), ":", ""));
  const auto at = prefix ? table.find(*prefix) : table.end();
  return at == table.end() ? std::string_view() : at->second;
}

std::shared_ptr<const VendorTable> Vendors::Table() const {
  const std::lock_guard lock(mutex_);
  for (const fs::path& file : files_) {
    std::error_code error;
    const fs::file_time_type modified = fs::last_write_time(file, error);
    if (error) continue;
    if (file == read_ && modified == modified_) break;
    read_ = file;
    modified_ = modified;
    if (const auto content = ReadFile(file, kFileBytes))
      table_ = std::make_shared<VendorTable>(Parse(*content));
    else
      LogWarning("vendors stay as they are known: {}", content.error().message);
    break;
  }
  return table_;
}

}  // namespace backplane::netalertx
