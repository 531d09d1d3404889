// A store whose journal a test writes and folds by hand.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/rng.h"
#include "ingest/batch_body.h"
#include "ingest/core_fold.h"
#include "ingest/device_edit.h"
#include "store/events.h"
#include "store/inventory.h"
#include "store/journal.h"
#include "store/objects.h"
#include "store/resources.h"
#include "store/state.h"
#include "store/test_store.h"

namespace backplane::ingest {

inline const TimePoint kNoon = FromMillis(1'787'400'000'000);

inline Observation Seen(const std::string& mac, std::vector<Claim> claims = {}, int at = 0,
                        const std::string& source = "scan") {
  return {.source = source, .identifiers = {{"mac", mac}}, .claims = std::move(claims), .at = kNoon + Millis(at)};
}

inline ObjectRecord Thing(const std::string& key, const std::string& watch_key = "w", int at = 0) {
  return {.key = key,
          .primary = "p" + key,
          .secondary = "s",
          .at = kNoon + Millis(at),
          .watched = {},
          .extra = "",
          .foreign_key = "",
          .help = {},
          .watch_key = watch_key};
}

inline ResourceRecord Known(const std::string& id, int at = 0, const std::string& site = "dc1", int ttl = 0) {
  return {.resource = {site, "network", "switch", "acme", id, id + ".example", "inventory", {}},
          .at = kNoon + Millis(at),
          .ttl = std::chrono::seconds(ttl)};
}

inline store::Entry Entry(const std::vector<Record>& records, int at = 0, const std::string& plugin = "d:scan") {
  return {.at = kNoon + Millis(at), .plugin = plugin, .run = 1, .body = EncodeRecords(records)};
}

/// Everything that the folds have made, as text.
inline std::vector<std::string> State(store::Database& database) {
  std::vector<std::string> rows;
  const Status status = database.Read([&](store::Connection& c) -> Status {
    for (const std::string& table : store::FoldedTables())
      for (const std::string& row : store::StateRows(c, table)) rows.push_back(table + ": " + row);
    return {};
  });
  EXPECT_TRUE(status);
  return rows;
}

class TestJournal {
 public:
  store::TestStore& store() { return store_; }

  EntryId Append(const store::Entry& entry) {
    return store_.Write([&](store::Connection& c) { return store::AppendEntry(c, entry); });
  }
  /// Folds what is not folded yet, in slices of `steps()` steps.
  void Fold(const std::function<std::int64_t()>& steps = [] { return std::int64_t{1'000'000}; }) {
    store_.Write([&](store::Connection& c) {
      while (Slice(c, steps())) continue;
    });
  }
  void AppendAndFold(const store::Entry& entry) {
    Append(entry);
    Fold();
  }
  /// A person's edit, here and now.
  Result<store::Entity> Edit(const DeviceEdit& edit, int at = 0) {
    Result<store::Entity> entity;
    store_.Write([&](store::Connection& c) {
      const store::Entry entry{.kind = store::EntryKind::kEdit, .at = kNoon + Millis(at)};
      FoldContext context{c, entry, 0};
      entity = ApplyEdit(context, edit);
    });
    return entity;
  }

  /// "topic body" of the events after the last call.
  std::vector<std::string> NewEvents(OrgId org = kDefaultOrg) {
    std::vector<std::string> texts;
    for (const store::Event& event :
         store_.Read([&](store::Connection& c) { return store::Events(c, org).After(seen_, 1000, ""); })) {
      texts.push_back(event.topic + " " + event.body);
      seen_ = event.seq;
    }
    return texts;
  }
  store::Entity Device(EntityId id, OrgId org = kDefaultOrg) {
    return store_.Read(
        [&](store::Connection& c) { return store::Inventory(c, org).Get(id).value_or(store::Entity{}); });
  }
  std::string Field(EntityId id, const std::string& field) { return Device(id).fields[*store::FieldIndex(field)]; }
  /// "field source=value*", with a star at the winner.
  std::vector<std::string> Claims(EntityId id) {
    std::vector<std::string> texts;
    for (const store::ClaimRow& claim :
         store_.Read([&](store::Connection& c) { return store::Inventory(c, kDefaultOrg).Claims(id); }))
      texts.push_back(claim.field + " " + claim.source + "=" + claim.value + (claim.wins ? "*" : ""));
    return texts;
  }
  /// "key status" of each object.
  std::vector<std::string> Objects() {
    std::vector<std::string> texts;
    for (const store::Object& object :
         store_.Read([](store::Connection& c) { return store::Objects(c, kDefaultOrg).List({.limit = 10'000}).items; }))
      texts.push_back(object.record.key + " " + ObjectStatusName(object.status));
    return texts;
  }

 private:
  bool Slice(store::Connection& c, std::int64_t steps) {
    store::Watermark mark = store::GetWatermark(c, "core");
    if (!open_ && !Open(c, mark.entry)) return false;
    const OpenEntry& open = *open_;
    const auto progress = fold_.Apply(c, open, mark.position, {.steps = steps, .spent = {}});
    EXPECT_TRUE(progress.done || progress.position > mark.position);  // a slice never stands still
    store::SetWatermark(
        c, "core",
        progress.done ? store::Watermark{open.entry.id, 0} : store::Watermark{mark.entry, progress.position});
    if (progress.done) open_.reset();
    return true;
  }
  bool Open(store::Connection& c, EntryId after) {
    auto entries = store::ReadEntries(c, after, 1, 1);
    if (entries.empty()) return false;
    open_ = OpenEntry{std::move(entries.front()), {}, {}};
    open_->lines = SplitBody(open_->entry.body);
    for (const std::string_view line : open_->lines) {
      auto record = DecodeRecord(line);
      open_->records.push_back(record ? *record : Record(Observation{}));
    }
    return true;
  }

  store::TestStore store_;
  CoreFold fold_;
  std::optional<OpenEntry> open_;
  EventSeq seen_ = 0;
};

/// A journal's worth of batches that meet every rule: the same seed gives the same.
inline std::vector<store::Entry> RandomEntries(std::uint64_t seed, int count) {
  Rng rng(seed);
  const auto pick = [&](std::initializer_list<const char*> of) {
    return std::string(*(of.begin() + rng.Below(of.size())));
  };
  const auto flag = [&] { return std::string(rng.Chance(0.5) ? "1" : "0"); };
  std::vector<store::Entry> entries;
  for (int i = 0; i < count; ++i) {
    std::vector<Record> records;
    const auto how_many = rng.Below(12);
    for (std::uint64_t n = 0; n < how_many; ++n) {
      const int at = i * 1000 + static_cast<int>(n);
      if (rng.Chance(0.3)) {
        ResourceRecord known =
            Known("r" + std::to_string(rng.Below(5)), at, pick({"dc1", "dc2"}), static_cast<int>(rng.Below(3)) * 2);
        if (rng.Chance(0.5)) known.resource.metadata["model"] = pick({"a", "b"});
        if (rng.Chance(0.2)) records.push_back(ResourceGone{ResourceKey(known.resource)});
        records.push_back(std::move(known));
        continue;
      }
      if (rng.Chance(0.2)) {
        records.push_back(EnrichmentRecord{.resource_id = "r" + std::to_string(rng.Below(5)),
                                           .name_space = pick({"n1", "n2"}),
                                           .body = pick({"{}", "[]"}),
                                           .watch_key = pick({"{}", "[]"}),
                                           .at = kNoon + Millis(at),
                                           .ttl = Millis(2'000)});
        continue;
      }
      if (rng.Chance(0.2)) {
        const auto entity = static_cast<EntityId>(1 + rng.Below(6));
        records.push_back(ClaimsRecord{.entity = entity,
                                       .source = "names",
                                       .claims = {{"name", pick({"a", "b"}), static_cast<ClaimPolicy>(rng.Below(3))}},
                                       .at = kNoon + Millis(at)});
        const auto since = static_cast<int>(rng.Below(static_cast<std::uint64_t>(i) + 1));
        records.push_back(DeviceDownRecord{entity, kNoon + Millis(since * 1000)});
        records.push_back(NotificationRecord{.source = "d:scan", .title = "t", .at = kNoon + Millis(at)});
        records.push_back(SettledRecord{.events = {static_cast<std::int64_t>(1 + rng.Below(20)), entity},
                                        .reports_upto = static_cast<std::int64_t>(rng.Below(5)),
                                        .told = rng.Chance(0.5)});
        continue;
      }
      if (rng.Chance(0.5)) {
        records.push_back(Thing("k" + std::to_string(rng.Below(6)), pick({"w1", "w2"}), at));
        continue;
      }
      Observation seen = Seen("m" + std::to_string(rng.Below(4)), {}, at, pick({"scan", "dns", "import"}));
      if (rng.Chance(0.3)) seen.identifiers.push_back({"ip", "10.0.0." + std::to_string(rng.Below(3))});
      for (const char* field : {"name", "vendor", "ip"})
        if (rng.Chance(0.6))
          seen.claims.push_back({field, pick({"", "a", "b", "c"}), static_cast<ClaimPolicy>(rng.Below(3))});
      for (const char* field : {"alert_down", "can_sleep", "require_nics"})
        if (rng.Chance(0.2)) seen.claims.push_back({field, flag(), ClaimPolicy::kAlways});
      if (rng.Chance(0.3)) {
        seen.claims.push_back({"parent", "m" + std::to_string(rng.Below(4)), ClaimPolicy::kAlways});
        seen.claims.push_back({"parent_relation", pick({"nic", "nic", "other"}), ClaimPolicy::kAlways});
      }
      if (rng.Chance(0.1)) seen.claims.push_back({"force_status", pick({"online", "offline"}), ClaimPolicy::kAlways});
      records.push_back(std::move(seen));
    }
    store::Entry entry = Entry(records, i * 1000, pick({"d:scan", "d:other"}));
    entry.complete = rng.Chance(0.4);
    for (const ObjectStatus status : kObjectStatuses)
      if (rng.Chance(0.3)) entry.reported.push_back(status);
    entry.run = i + 1;
    if (rng.Chance(0.6)) {
      entry.complete = true;
      entry.began = entry.at - Millis(rng.Below(3) * 700);
      entry.every = Millis(static_cast<int>(rng.Below(3)) * 1000);
    }
    if (rng.Chance(0.3)) entry.target = ResourceKey(Known("r" + std::to_string(rng.Below(5)), 0, "dc1").resource);
    if (rng.Chance(0.3)) entry.defaults = {{"alert_down", "1"}, {"owner", "me"}};
    if (rng.Chance(0.2)) entry = {.kind = store::EntryKind::kTime, .at = kNoon + Millis(i * 1000)};
    if (rng.Chance(0.1))
      entry = {.kind = store::EntryKind::kCycle,
               .at = kNoon + Millis(i * 1000),
               .body = R"({"cycle":1,"seen_after":)" + std::to_string(std::max(0, i - 2)) + "}"};
    if (rng.Chance(0.2)) entry.status = RunStatus::kFailed, entry.message = "exit code 1";
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace backplane::ingest
