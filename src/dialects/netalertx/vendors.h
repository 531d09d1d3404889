// Who made a network card: the lists of prefixes that arp-scan comes with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace backplane::netalertx {

/// By the first three bytes of an address.
using VendorTable = std::unordered_map<std::uint32_t, std::string>;

/// Empty: nobody knows. `mac` is in its one form (addresses.h).
std::string_view VendorOf(const VendorTable& table, std::string_view mac);

/// Thread-safe.
class Vendors {
 public:
  /// Of `files` the first that is there counts. Lines are six hex digits, a tab and the vendor; others are passed over.
  explicit Vendors(std::vector<std::filesystem::path> files) : files_(std::move(files)) {}

  /// As the file is now: it is read again when it has changed. Empty without a file.
  std::shared_ptr<const VendorTable> Table() const;

 private:
  const std::vector<std::filesystem::path> files_;
  mutable std::mutex mutex_;  // guards what follows
  mutable std::filesystem::path read_;
  mutable std::filesystem::file_time_type modified_;
  mutable std::shared_ptr<const VendorTable> table_ = std::make_shared<VendorTable>();
};

}  // namespace backplane::netalertx
