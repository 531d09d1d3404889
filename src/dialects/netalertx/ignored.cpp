#include "dialects/netalertx/ignored.h"

#include <algorithm>

#include "dialects/netalertx/addresses.h"
#include "dialects/netalertx/like.h"
#include "dialects/netalertx/setting_values.h"

namespace backplane::netalertx {
namespace {

bool IsLikeOne(std::string_view text, const std::vector<std::string>& patterns) {
  return !text.empty() && std::any_of(patterns.begin(), patterns.end(),
                                      [&](const std::string& pattern) { return IsLike(text, pattern); });
}

}  // namespace

Ignored::Ignored(const Settings& settings)
    : macs_(ListOf(settings, "NEWDEV_ignored_MACs")), ips_(ListOf(settings, "NEWDEV_ignored_IPs")) {}

bool Ignored::Covers(std::string_view mac, std::string_view ip) const {
  return IsLikeOne(mac, macs_) || IsLikeOne(NormalMac(mac).value_or(""), macs_) || IsLikeOne(ip, ips_) ||
         IsLikeOne(NormalIp(ip).value_or(""), ips_);
}

}  // namespace backplane::netalertx
