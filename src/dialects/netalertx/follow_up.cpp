#include "dialects/netalertx/follow_up.h"

#include <algorithm>
#include <set>
#include <string>

#include <unistd.h>

#include "base/files.h"
#include "base/guarded.h"
#include "base/log.h"
#include "base/text.h"
#include "dialects/netalertx/claim_list.h"
#include "dialects/netalertx/encoding.h"
#include "dialects/netalertx/guess.h"
#include "dialects/netalertx/ignored.h"
#include "dialects/netalertx/local_time.h"
#include "dialects/netalertx/names.h"
#include "dialects/netalertx/report_text.h"
#include "dialects/netalertx/setting_values.h"
#include "dialects/netalertx/vendors.h"
#include "store/inventory.h"
#include "store/journal.h"
#include "store/objects.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using store::Entity;

constexpr std::string_view kDialect = "netalertx";
constexpr const char* kSource = "NetAlertX";
constexpr const char* kOwnTag = "local_MAC";
constexpr const char* kVendorTag = "VNDRPDT";
// Nobody else may ever see this machine: it says so itself, but need not do so in each cycle.
constexpr auto kOwnHostEvery = std::chrono::hours(1);
constexpr EntryId kEverything = -1;
constexpr int kPage = 1'000;
constexpr std::size_t kSettledAtOnce = 200;
constexpr std::size_t kTemplateBytes = 1 << 20;
constexpr const char* kNoDashboard = "update_REPORT_DASHBOARD_URL_setting";

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

// Vendors, types and icons of one cycle's devices.
class Looking {
 public:
  Looking(store::Connection& core, const Settings& settings, const VendorTable& vendors,
          const std::vector<DeviceRule>& rules, TimePoint now)
      : vendors_(vendors),
        rules_(rules),
        internet_(store::Inventory(core, kDefaultOrg).Find({"netalertx", "internet"}).value_or(0)),
        vendor_policy_(IsListed(settings, "VNDRPDT_SET_ALWAYS", "devVendor") ? ClaimPolicy::kAlways
                                                                             : ClaimPolicy::kIfEmpty),
        type_(TextOf(settings, "NEWDEV_devType")),
        icon_(TextOf(settings, "NEWDEV_devIcon")),
        replace_icon_(FlagOf(settings, "NEWDEV_replace_preset_icon", false)),
        not_random_(ListOf(settings, "UI_NOT_RANDOM_MAC")),
        claims_(core, now) {}

  void Look(const Entity& device) {
    const std::string_view mac = device.id == internet_ ? "internet" : std::string_view(device.Field("mac"));
    std::string_view vendor = device.Field("vendor");
    if (const std::string_view maker = VendorOf(vendors_, mac); !maker.empty()) {
      claims_.Add(device, kVendorTag, {"vendor", std::string(maker), vendor_policy_});
      if (vendor.empty() || vendor_policy_ == ClaimPolicy::kAlways) vendor = maker;
    }
    // Of what has no address another dialect knows better what it is.
    if (!mac.empty() || !device.Field("ip").empty()) Guess(device, mac, vendor);
  }

  std::vector<Record> Take() { return claims_.Take(); }

 private:
  void Guess(const Entity& device, std::string_view mac, std::string_view vendor) {
    const bool preset = replace_icon_ && !icon_.empty() && device.Field("icon") == icon_;
    if (!device.Field("type").empty() && !device.Field("icon").empty() && !preset) return;
    const DeviceRule* rule =
        GuessDevice(rules_, {mac, device.Field("name"), vendor, device.Field("ip")}, IsRandomMac(mac, not_random_));
    claims_.Add(device, kSource, {"type", rule != nullptr ? rule->type : type_, ClaimPolicy::kIfEmpty});
    claims_.Add(device, kSource,
                {"icon", rule != nullptr ? Base64Encode(rule->icon) : icon_,
                 preset ? ClaimPolicy::kAlways : ClaimPolicy::kIfEmpty});
  }

  const VendorTable& vendors_;
  const std::vector<DeviceRule>& rules_;
  const EntityId internet_;
  const ClaimPolicy vendor_policy_;
  const std::string type_, icon_;
  const bool replace_icon_;
  const std::vector<std::string> not_random_;
  ClaimList claims_;
};

class NetAlertXFollowUp final : public dispatch::FollowUp {
 public:
  explicit NetAlertXFollowUp(FollowUpParts parts)
      : own_host_(std::move(parts.own_host)), vendors_(std::move(parts.vendor_files)) {
    auto rules = ReadDeviceRules(parts.share / "python" / kDialect / "device_rules.json");
    if (!rules) LogWarning("types of devices are not guessed: {}", rules.error().message);
    rules_ = std::move(rules).value_or(std::vector<DeviceRule>());
  }

  std::string_view dialect() const override { return kDialect; }

  std::vector<Record> AfterScan(const Catalog& catalog, store::Connection& core, EntryId since,
                                TimePoint now) const override {
    if (catalog.ManifestsOf(kDialect).empty()) return {};
    const Settings& settings = catalog.DialectSettings(kDialect);
    const auto vendors = vendors_.Table();
    // What other vendors or settings mean for devices, they mean for all of them.
    if (LookedWith with{vendors, settings}; with != *looked_with_.Lock()) {
      *looked_with_.Lock() = std::move(with);
      since = kEverything;
    }
    Looking looking(core, settings, *vendors, rules_, now);
    store::Inventory inventory(core, kDefaultOrg);
    for (EntityId after = 0;;) {
      const std::vector<Entity> page = inventory.Walk(since, after, kPage);
      for (const Entity& device : page) looking.Look(device);
      if (page.size() < kPage) break;
      after = page.back().id;
    }
    std::vector<Record> records = looking.Take();
    if (auto own = OwnHostSeen(inventory, settings, now)) records.emplace_back(*std::move(own));
    return records;
  }

  std::vector<Record> Names(const Catalog& catalog, store::Connection& core, TimePoint now) const override {
    if (catalog.ManifestsOf(kDialect).empty()) return {};
    const std::vector<std::string> resolvers = Resolvers(catalog.ManifestsOf(kDialect));
    std::vector<std::string> ids;
    for (const std::string& prefix : resolvers) ids.push_back(fmt::format("{}:{}", kDialect, prefix));
    if (!store::Objects(core, kDefaultOrg).WereTouchedSince(*names_known_.Lock(), ids)) return {};
    const Settings& settings = catalog.DialectSettings(kDialect);
    const NameCleanup cleanup(
        ListOf(settings, "NEWDEV_NAME_CLEANUP_REGEX"), [this](const std::string& expression, const std::string& why) {
          TellOnce(fmt::format("NEWDEV_NAME_CLEANUP_REGEX: \"{}\" is passed over: {}", expression, why));
        });
    std::vector<Record> records = ResolveNames(core, resolvers, settings, cleanup, now);
    // Records can be lost on their way: what they say is looked at once more.
    if (records.empty()) *names_known_.Lock() = store::GetWatermark(core, "core").entry;
    return records;
  }

  std::vector<Record> Report(const Catalog& catalog, store::Connection& core, TimePoint now) const override {
    const Settings& settings = catalog.DialectSettings(kDialect);
    for (const std::string& problem : UnreadableConditions(settings)) TellOnce(problem);
    std::vector<Record> records = OversleptDevices(core, settings, now);
    ReportDecision decision = DecideReport(core, settings, now);
    std::int64_t upto = decision.reports_upto;
    if (!decision.empty) {
      const ReportFrame frame = FrameOf(catalog, settings, now);
      records.emplace_back(NotificationRecord{.source = kSource,
                                              .level = NotificationLevel::kAlert,
                                              .title = ReportTitle(decision.report),
                                              .text = ReportText(decision.report, settings, frame),
                                              .html = ReportHtml(decision.report, frame),
                                              .data = ReportJson(decision.report),
                                              .at = now});
      AppendSettled(decision.told, std::exchange(upto, 0), true, records);
    }
    if (!decision.dropped.empty() || upto > 0) AppendSettled(decision.dropped, upto, false, records);
    return records;
  }

 private:
  // One record is one step of a fold, and people's edits go between steps.
  static void AppendSettled(const std::vector<std::int64_t>& events, std::int64_t upto, bool told,
                            std::vector<Record>& records) {
    for (std::size_t at = 0; at == 0 || at < events.size(); at += kSettledAtOnce) {
      const auto first = events.begin() + static_cast<std::ptrdiff_t>(at);
      const auto last = events.begin() + static_cast<std::ptrdiff_t>(std::min(at + kSettledAtOnce, events.size()));
      records.emplace_back(SettledRecord{{first, last}, std::exchange(upto, 0), told});
    }
  }

  std::optional<Observation> OwnHostSeen(store::Inventory& inventory, const Settings& settings, TimePoint now) const {
    const std::optional<OwnHost> host = own_host_();
    if (!host || Ignored(settings).Covers(host->mac, host->ip)) return std::nullopt;
    if (const auto id = inventory.Find({"mac", host->mac})) {
      const auto device = inventory.Get(*id);
      if (device && device->present && device->last_seen + kOwnHostEvery > now &&
          (host->ip.empty() || device->Field("ip") == host->ip))
        return std::nullopt;
    }
    Observation seen{.source = kOwnTag, .identifiers = {{"mac", host->mac}}, .claims = {}, .at = now};
    seen.claims.push_back({"mac", host->mac, ClaimPolicy::kIfEmpty});
    if (!host->ip.empty()) seen.claims.push_back({"ip", host->ip, ClaimPolicy::kAlways});
    return seen;
  }

  static ReportFrame FrameOf(const Catalog& catalog, const Settings& settings, TimePoint now) {
    ReportFrame frame{.time = LocalIso(now, TextOf(settings, "TIMEZONE")),
                      .server = HostName(),
                      .dashboard = TextOf(settings, "REPORT_DASHBOARD_URL"),
                      .text_template = {},
                      .html_template = {}};
    if (frame.dashboard == kNoDashboard) frame.dashboard.clear();
    while (frame.dashboard.ends_with('/')) frame.dashboard.pop_back();
    // Of an installation of the original that the site names.
    for (const Plugin& plugin : catalog.plugins()) {
      if (plugin.manifest.dialect != kDialect) continue;
      const fs::path folder = plugin.site_folder / "front" / "report_templates";
      auto text = ReadFile(folder / "report_template.txt", kTemplateBytes);
      auto html = ReadFile(folder / "report_template.html", kTemplateBytes);
      if (text) frame.text_template = ToUtf8(*text);
      if (html) frame.html_template = ToUtf8(*html);
      if (text || html) break;
    }
    return frame;
  }

  void TellOnce(const std::string& problem) const {
    const bool fresh = told_.Lock()->insert(problem).second;
    if (fresh) LogWarning("{}", problem);
  }

  using LookedWith = std::pair<std::shared_ptr<const VendorTable>, Settings>;

  const std::function<std::optional<OwnHost>()> own_host_;
  const Vendors vendors_;
  std::vector<DeviceRule> rules_;
  mutable Guarded<LookedWith> looked_with_;            // by the last pass
  mutable Guarded<EntryId> names_known_{kEverything};  // what resolvers said up to this entry has been looked at
  mutable Guarded<std::set<std::string>> told_;        // problems
};

}  // namespace

std::unique_ptr<dispatch::FollowUp> MakeFollowUp(FollowUpParts parts) {
  return std::make_unique<NetAlertXFollowUp>(std::move(parts));
}

}  // namespace backplane::netalertx
