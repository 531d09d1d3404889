// A site with one plugin and a store that a test fills, for what follows from them.
#pragma once

#include <fstream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/netalertx/follow_up.h"
#include "dialects/netalertx/netalertx.h"
#include "dialects/netalertx/test_plugin.h"
#include "plugin/catalog.h"
#include "store/device_events.h"
#include "store/inventory.h"
#include "store/journal.h"
#include "store/objects.h"
#include "store/test_store.h"

namespace backplane::netalertx {

inline const TimePoint kNow = *ParseTime("2026-08-22T10:00:00Z");
inline TimePoint Minutes(int after) { return kNow + std::chrono::minutes(after); }

class FollowUpTest : public testing::Test {
 protected:
  FollowUpTest() {
    std::filesystem::create_directories(folder_.path() / "site" / "case");
    std::ofstream(folder_.path() / "site" / "case" / "config.json") << TestManifest("CASE").dump();
    vendors_ = folder_.path() / "oui.txt";
    Open();
  }

  void Open() {
    follow_up_ = MakeFollowUp({.share = BACKPLANE_SOURCE_DIR,
                               .own_host = [this] { return own_host_; },
                               .vendor_files = {folder_.path() / "absent.txt", vendors_}});
  }
  void WriteVendors(const std::string& text) { std::ofstream(vendors_) << text; }
  void Set(const std::string& key, const Json& value) { site_.settings["netalertx"][key] = value; }
  Catalog Load() {
    if (dialects_.empty()) dialects_.push_back(std::make_unique<NetAlertX>());
    site_.folders = {{.path = folder_.path() / "site", .dialect = "netalertx"}};
    return Catalog::Load(site_, dialects_);
  }

  using Fields = std::map<std::string, std::string>;
  EntityId Device(const Fields& fields, const std::function<void(store::Entity&)>& change = {}, EntryId entry = 5) {
    return store_.Write([&](store::Connection& c) {
      store::Inventory inventory(c, kDefaultOrg);
      store::Entity device = *inventory.Get(inventory.Create("device", kNow));
      device.present = true;
      for (const auto& [field, value] : fields) device.fields[*store::FieldIndex(field)] = value;
      if (const auto mac = fields.find("mac"); mac != fields.end())
        inventory.AddIdentifier(device.id, {"mac", mac->second});
      if (change) change(device);
      inventory.Save(device, entry);
      return device.id;
    });
  }
  void Change(EntityId id, const std::function<void(store::Entity&)>& change) {
    store_.Write([&](store::Connection& c) {
      store::Inventory inventory(c, kDefaultOrg);
      store::Entity device = *inventory.Get(id);
      change(device);
      inventory.Save(device, 6);
    });
  }
  /// As the fold does it: the value, and whose it is.
  void Say(EntityId id, const std::string& source, const std::string& field, const std::string& value) {
    Change(id, [&](store::Entity& device) { device.fields[*store::FieldIndex(field)] = value; });
    store_.Write([&](store::Connection& c) {
      store::Inventory(c, kDefaultOrg).SaveClaim(id, {field, source, value, kNow, true});
    });
  }
  std::int64_t Event(EntityId device, store::DeviceEventKind kind, TimePoint at = kNow) {
    return store_.Write([&](store::Connection& c) {
      const store::Entity entity = store::Inventory(c, kDefaultOrg).Get(device).value_or(store::Entity{});
      return store::DeviceEvents(c, kDefaultOrg)
          .Append({.entity = device,
                   .kind = kind,
                   .at = at,
                   .mac = entity.fields[*store::FieldIndex("mac")],
                   .ip = "10.9.9.9",
                   .info = "",
                   .pending = true},
                  5);
    });
  }
  std::int64_t Object(const std::string& plugin, const std::string& primary, const std::string& secondary,
                      const std::string& second_value, EntryId entry = 5) {
    return store_.Write([&](store::Connection& c) {
      const ObjectRecord record{.key = primary + "|" + secondary,
                                .primary = primary,
                                .secondary = secondary,
                                .at = kNow,
                                .watched = {"w1", second_value, "", ""},
                                .extra = "",
                                .foreign_key = "",
                                .help = {},
                                .watch_key = ""};
      return store::Objects(c, kDefaultOrg).Insert("netalertx:" + plugin, record, entry);
    });
  }

  template <typename Ask>
  std::vector<Record> Asked(const Ask& ask) {
    const Catalog catalog = Load();
    return store_.Read([&](store::Connection& c) { return ask(catalog, c); });
  }
  std::vector<Record> AfterScan(EntryId since = 0) {
    return Asked(
        [&](const Catalog& catalog, store::Connection& c) { return follow_up_->AfterScan(catalog, c, since, kNow); });
  }
  std::vector<Record> Names() {
    return Asked([&](const Catalog& catalog, store::Connection& c) { return follow_up_->Names(catalog, c, kNow); });
  }
  std::vector<Record> Report(TimePoint now = kNow) {
    return Asked([&](const Catalog& catalog, store::Connection& c) { return follow_up_->Report(catalog, c, now); });
  }
  /// "3 VNDRPDT vendor=Acme (always)" for each claim.
  static std::vector<std::string> Claims(const std::vector<Record>& records) {
    std::vector<std::string> texts;
    for (const Record& record : records)
      if (const auto* claims = std::get_if<ClaimsRecord>(&record))
        for (const Claim& claim : claims->claims)
          texts.push_back(fmt::format("{} {} {}={}{}", claims->entity, claims->source, claim.field, claim.value,
                                      claim.policy == ClaimPolicy::kAlways ? " (always)" : ""));
    return texts;
  }

  TemporaryFolder folder_;
  std::filesystem::path vendors_;
  config::Site site_;
  DialectList dialects_;
  store::TestStore store_;
  std::optional<OwnHost> own_host_;
  std::unique_ptr<dispatch::FollowUp> follow_up_;
};

}  // namespace backplane::netalertx
