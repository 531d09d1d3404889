#include "dialects/netalertx/guess.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "dialects/netalertx/texts.h"

namespace backplane::netalertx {
namespace {

constexpr std::size_t kFileBytes = 1 << 20;

bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (static_cast<unsigned char>(c) & 0x80) != 0; }

bool HasWord(std::string_view text, std::string_view word) {
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !IsLetter(text[at - 1])) && (end == text.size() || !IsLetter(text[end]))) return true;
  }
  return false;
}

// Nothing: a text or an empty one is among them.
std::vector<std::string> TextsAt(const Json& rule, const char* key) {
  std::vector<std::string> texts;
  if (const auto list = rule.find(key); list != rule.end() && list->is_array())
    for (const Json& item : *list)
      if (item.is_string() && item != "") texts.push_back(ToLower(item.get_ref<const std::string&>()));
  return texts;
}

template <typename Fits>
const DeviceRule* FirstBy(const std::vector<DeviceRule>& rules, std::vector<std::string> DeviceRule::* texts,
                          const Fits& fits) {
  const auto rule = std::find_if(rules.begin(), rules.end(), [&](const DeviceRule& one) {
    return std::any_of((one.*texts).begin(), (one.*texts).end(), fits);
  });
  return rule == rules.end() ? nullptr : &*rule;
}

}  // namespace

Result<std::vector<DeviceRule>> ReadDeviceRules(const std::filesystem::path& file) {
  BACKPLANE_ASSIGN(const std::string content, ReadFile(file, kFileBytes));
  const auto list = ParseJson(content);
  if (!list) return Fail(list.error().code, fmt::format("{}: {}", file.string(), list.error().message));
  std::vector<DeviceRule> rules;
  for (const Json& rule : *list) {
    if (!rule.is_object() || TextAt(rule, "type").empty())
      return Fail(Errc::kInvalid, fmt::format("{}: rule {} is no object with a type", file.string(), rules.size() + 1));
    rules.push_back({TextAt(rule, "type"), TextAt(rule, "icon"), TextsAt(rule, "mac"), TextsAt(rule, "name"),
                     TextsAt(rule, "vendor"), TextsAt(rule, "ip")});
  }
  return rules;
}

bool IsRandomMac(std::string_view mac, const std::vector<std::string>& not_random) {
  if (mac.size() < 2 || std::string_view("26ae").find(mac[1]) == std::string_view::npos) return false;
  return std::none_of(not_random.begin(), not_random.end(),
                      [&](const std::string& prefix) { return mac.starts_with(ToLower(prefix)); });
}

const DeviceRule* GuessDevice(const std::vector<DeviceRule>& rules, const DeviceLooks& device, bool random_mac) {
  const std::string name = ToLower(device.name), vendor = ToLower(device.vendor);
  const DeviceRule* rule =
      FirstBy(rules, &DeviceRule::macs, [&](const auto& mac) { return device.mac.starts_with(mac); });
  if (rule == nullptr) rule = FirstBy(rules, &DeviceRule::names, [&](const auto& word) { return HasWord(name, word); });
  if (rule != nullptr || random_mac) return rule;
  rule = FirstBy(rules, &DeviceRule::vendors, [&](const auto& part) { return vendor.find(part) != std::string::npos; });
  if (rule == nullptr) rule = FirstBy(rules, &DeviceRule::ips, [&](const auto& ip) { return device.ip == ip; });
  return rule;
}

}  // namespace backplane::netalertx
