#include "dialects/netalertx/names.h"

#include <algorithm>
#include <array>
#include <regex>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/netalertx/addresses.h"
#include "dialects/netalertx/claim_list.h"
#include "dialects/netalertx/setting_values.h"
#include "dialects/netalertx/words.h"
#include "store/objects.h"

namespace backplane::netalertx {
namespace {

using store::Entity;

constexpr std::array<const char*, 4> kResolvers = {"DIGSCAN", "AVAHISCAN", "NSLOOKUP", "NBTSCAN"};
constexpr EntryId kEverything = -1;
constexpr int kPage = 1'000;
constexpr std::size_t kLongestExpression = 1'000;
// No name of a host is longer.
constexpr std::size_t kLongestName = 255;

// What resolvers write when they found nothing.
bool IsNoName(std::string_view found) {
  return SaysNothing(found) || found == "localhost." || found.find(" communications error to ") != std::string::npos ||
         found.size() > kLongestName;
}

struct Found {
  const std::string* name = nullptr;
  bool by_ip = false;
};

class Resolver {
 public:
  Resolver(store::Connection& core, const std::string& prefix, const Settings& settings)
      : prefix_(prefix),
        name_always_(IsListed(settings, fmt::format("{}_SET_ALWAYS", prefix), "devName")),
        fqdn_policy_(IsListed(settings, fmt::format("{}_SET_ALWAYS", prefix), "devFQDN") ? ClaimPolicy::kAlways
                                                                                         : ClaimPolicy::kIfEmpty) {
    store::Objects objects(core, kDefaultOrg);
    store::ObjectFilter filter{.plugin = fmt::format("netalertx:{}", prefix), .limit = kPage};
    for (std::optional<std::int64_t> next = 0; next;) {
      filter.after = *next;
      const auto page = objects.List(filter);
      for (const store::Object& object : page.items) {
        const std::string name(Trim(object.record.watched[1]));
        if (IsNoName(name)) continue;
        // The first that was found counts.
        if (const auto mac = NormalMac(object.record.primary)) by_mac_.try_emplace(*mac, name);
        if (const auto ip = NormalIp(object.record.secondary)) by_ip_.try_emplace(*ip, name);
      }
      next = page.next;
    }
  }

  const std::string& prefix() const { return prefix_; }
  bool name_always() const { return name_always_; }
  ClaimPolicy fqdn_policy() const { return fqdn_policy_; }
  bool empty() const { return by_mac_.empty() && by_ip_.empty(); }

  Found Find(const Entity& device, bool by_ip) const {
    if (const auto at = by_mac_.find(device.Field("mac")); at != by_mac_.end()) return {&at->second, false};
    if (const auto at = by_ip_.find(device.Field("ip")); by_ip && at != by_ip_.end()) return {&at->second, true};
    return {};
  }

 private:
  std::string prefix_;
  bool name_always_;
  ClaimPolicy fqdn_policy_;
  std::unordered_map<std::string, std::string> by_mac_, by_ip_;
};

class Resolving {
 public:
  Resolving(store::Connection& core, const std::vector<std::string>& resolvers, const Settings& settings,
            const NameCleanup& cleanup, TimePoint now)
      : inventory_(core, kDefaultOrg),
        cleanup_(cleanup),
        by_ip_(FlagOf(settings, "NEWDEV_IP_MATCH_NAME", true)),
        refresh_(FlagOf(settings, "REFRESH_FQDN", false)),
        claims_(core, now) {
    for (const std::string& prefix : resolvers) resolvers_.emplace_back(core, prefix, settings);
    std::erase_if(resolvers_, [](const Resolver& resolver) { return resolver.empty(); });
  }

  std::vector<Record> Run() {
    for (EntityId after = 0; !resolvers_.empty();) {
      const std::vector<Entity> page = inventory_.Walk(kEverything, after, kPage);
      for (const Entity& device : page) Resolve(device);
      if (page.size() < kPage) break;
      after = page.back().id;
    }
    return claims_.Take();
  }

 private:
  void Resolve(const Entity& device) {
    const bool named = !SaysNothing(device.Field("name"));
    bool done = false;  // its FQDN is known by whoever named it
    for (const Resolver& resolver : resolvers_) {
      if (named && !resolver.name_always()) continue;
      const Found found = resolver.Find(device, by_ip_);
      if (found.name == nullptr) continue;
      const std::string name = cleanup_.Of(*found.name) + (found.by_ip ? " (IP match)" : "");
      claims_.Add(device, resolver.prefix(), {"name", name, named ? ClaimPolicy::kAlways : ClaimPolicy::kIfEmpty});
      AddFqdn(device, resolver, *found.name);
      done = true;
      break;
    }
    if (done || !refresh_) return;
    for (const Resolver& resolver : resolvers_)
      if (const Found found = resolver.Find(device, by_ip_); found.name != nullptr)
        return AddFqdn(device, resolver, *found.name);
  }

  void AddFqdn(const Entity& device, const Resolver& resolver, const std::string& name) {
    claims_.Add(device, resolver.prefix(), {"fqdn", name, resolver.fqdn_policy()});
  }

  store::Inventory inventory_;
  const NameCleanup& cleanup_;
  const bool by_ip_, refresh_;
  std::vector<Resolver> resolvers_;
  ClaimList claims_;
};

}  // namespace

struct NameCleanup::Expressions {
  std::vector<std::regex> list;
};

NameCleanup::NameCleanup(const std::vector<std::string>& expressions,
                         const std::function<void(const std::string&, const std::string&)>& refuse)
    : expressions_(std::make_unique<Expressions>()) {
  for (const std::string& expression : expressions) {
    if (expression.empty()) continue;
    try {
      if (expression.size() > kLongestExpression) throw std::regex_error(std::regex_constants::error_complexity);
      // The usual way to match takes exponential time for some, and a stack as deep as the text is long.
      expressions_->list.emplace_back(expression, std::regex::ECMAScript | std::regex_constants::__polynomial);
    } catch (const std::exception& error) {
      refuse(expression, error.what());
    }
  }
}

NameCleanup::~NameCleanup() = default;

std::string NameCleanup::Of(std::string_view found) const {
  std::string name(found);
  for (const std::regex& expression : expressions_->list) name = std::regex_replace(name, expression, "");
  if (name.ends_with('.')) name.pop_back();
  return Trim(name).empty() ? std::string(found) : name;
}

std::vector<std::string> Resolvers(const std::vector<const Manifest*>& manifests) {
  std::vector<std::string> prefixes(kResolvers.begin(), kResolvers.end());
  const auto before_names = [](const Trigger& trigger) {
    return trigger.kind == TriggerKind::kPhase && trigger.name == kBeforeNamesPhase;
  };
  for (const Manifest* manifest : manifests)
    if (!manifest->scans && std::any_of(manifest->triggers.begin(), manifest->triggers.end(), before_names) &&
        std::find(prefixes.begin(), prefixes.end(), manifest->name) == prefixes.end())
      prefixes.push_back(manifest->name);
  return prefixes;
}

std::vector<Record> ResolveNames(store::Connection& core, const std::vector<std::string>& resolvers,
                                 const Settings& settings, const NameCleanup& cleanup, TimePoint now) {
  return Resolving(core, resolvers, settings, cleanup, now).Run();
}

}  // namespace backplane::netalertx
