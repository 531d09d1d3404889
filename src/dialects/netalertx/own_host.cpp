#include "dialects/netalertx/own_host.h"

#include <memory>
#include <sstream>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include "base/files.h"
#include "dialects/netalertx/addresses.h"

namespace backplane::netalertx {
namespace {

// Files of the kernel have no size: ReadFile() reads until the end.
constexpr std::size_t kKernelFile = 1 << 20;

std::string Ipv4Of(const std::string& card) {
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0) return {};
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
    if (card != one->ifa_name || one->ifa_addr == nullptr || one->ifa_addr->sa_family != AF_INET) continue;
    std::array<char, INET_ADDRSTRLEN> text{};
    const auto* address = reinterpret_cast<const sockaddr_in*>(one->ifa_addr);
    if (inet_ntop(AF_INET, &address->sin_addr, text.data(), text.size()) != nullptr)
      return NormalIp(text.data()).value_or("");
  }
  return {};
}

}  // namespace

std::string DefaultCard(std::string_view routes) {
  std::istringstream lines{std::string(routes)};
  std::string line;
  std::getline(lines, line);  // the names of the columns
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string card, destination, gateway;
    words >> card >> destination >> gateway;
    if (destination == "00000000" && gateway != "00000000") return card;
  }
  return {};
}

std::optional<OwnHost> FindOwnHost() {
  const auto routes = ReadFile("/proc/net/route", kKernelFile);
  const std::string card = routes ? DefaultCard(*routes) : std::string();
  if (card.empty() || card.find('/') != std::string::npos) return std::nullopt;
  const auto address = ReadFile("/sys/class/net/" + card + "/address", kKernelFile);
  const auto mac = address ? NormalMac(*address) : std::nullopt;
  if (!mac) return std::nullopt;
  return OwnHost{*mac, Ipv4Of(card)};
}

}  // namespace backplane::netalertx
