#include "ingest/mapper.h"

#include <map>
#include <set>

#include "base/text.h"
#include "ingest/batch_body.h"
#include "store/journal.h"
#include "store/resources.h"

namespace backplane::ingest {
namespace {

constexpr int kPage = 1'000;
constexpr std::string_view kSource = "mapping:";

std::string SourceOf(const config::Mapping& rule) { return std::string(kSource) + rule.name; }

// '*' stands for any text.
bool Matches(std::string_view pattern, std::string_view text) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  const std::string_view rest = pattern.substr(star + 1);
  for (std::size_t at = star; at <= text.size(); ++at)
    if (Matches(rest, text.substr(at))) return true;
  return false;
}

const std::string& FieldOf(const store::Entity& device, std::string_view name) {
  return device.fields[*store::FieldIndex(name)];
}

std::string Filled(std::string_view text, const store::Entity& device) {
  std::string out;
  while (true) {
    const auto open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) break;
    const auto close = text.find('}', open);
    out += FieldOf(device, text.substr(open + 1, close - open - 1));
    text.remove_prefix(close + 1);
  }
  return ReplaceAll(out, "|", "_");
}

using Changes = std::vector<std::pair<std::string, std::vector<Record>>>;  // source, and what it reports

// What the store has of a rule, and what the rule says: what differs goes into the journal.
class Differences {
 public:
  explicit Differences(const MapperParts& parts) : parts_(parts) {}

  void Compare(const std::string& source, const std::vector<store::StoredResource>& present,
               const std::map<std::string, ResourceRecord>& wanted) {
    std::vector<Record> records;
    std::set<std::string> same;
    for (const store::StoredResource& stored : present) {
      const std::string key = ResourceKey(stored.resource);
      const auto want = wanted.find(key);
      if (want == wanted.end())
        records.push_back(ResourceGone{key});
      else if (want->second.resource == stored.resource && want->second.entity == stored.entity)
        same.insert(key);
    }
    for (const auto& [key, record] : wanted)
      if (!same.contains(key)) records.push_back(record);
    if (!records.empty()) changes_.emplace_back(source, std::move(records));
  }

  Changes Take() { return std::move(changes_); }

  using Wanted = std::map<std::string, std::map<std::string, ResourceRecord>>;  // by source and key
  /// Adds what every rule makes of a device.
  void Map(const store::Entity& device, Wanted& wanted) const {
    for (const config::Mapping& rule : parts_.rules) {
      auto resource = MapDevice(rule, device, parts_.hostname);
      if (!resource) continue;
      std::string key = ResourceKey(*resource);
      wanted[SourceOf(rule)].try_emplace(
          std::move(key), ResourceRecord{*std::move(resource), parts_.clock.Now(), Millis(0), device.id});
    }
  }

 private:
  const MapperParts& parts_;
  Changes changes_;
};

Status Append(const MapperParts& parts, const Changes& changes) {
  if (changes.empty()) return {};
  BACKPLANE_TRY(parts.database.Write([&](store::Connection& connection) -> Status {
    for (const auto& [source, records] : changes)
      store::AppendEntry(connection, {.at = parts.clock.Now(), .plugin = source, .body = EncodeRecords(records)});
    return {};
  }));
  // What is compared next must be what follows from this.
  if (!parts.appended()) return Fail(Errc::kTimeout, "what was mapped is not folded yet");
  return {};
}

bool GivesUp(const Changes& changes) {
  for (const auto& [source, records] : changes)
    for (const Record& record : records)
      if (std::holds_alternative<ResourceGone>(record)) return true;
  return false;
}

std::vector<store::StoredResource> AllOf(store::Connection& connection, const std::string& source) {
  std::vector<store::StoredResource> all;
  store::Resources resources(connection, kDefaultOrg);
  while (true) {
    auto page = resources.Walk(source, all.empty() ? 0 : all.back().id, kPage);
    const bool more = static_cast<int>(page.size()) == kPage;
    std::move(page.begin(), page.end(), std::back_inserter(all));
    if (!more) return all;
  }
}

Status MapAll(const MapperParts& parts) {
  Changes changes;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    Differences differences(parts);
    Differences::Wanted wanted;
    store::Inventory inventory(connection, kDefaultOrg);
    store::DeviceFilter page{.limit = kPage};
    for (bool more = !parts.rules.empty(); more;) {
      const auto devices = inventory.List(page);
      for (const store::Entity& device : devices) {
        differences.Map(device, wanted);
        page.after = device.id;
      }
      more = static_cast<int>(devices.size()) == kPage;
    }
    // Also those of rules that are no more.
    for (const std::string& source : store::Resources(connection, kDefaultOrg).Sources(std::string(kSource)))
      wanted.try_emplace(source);
    for (const auto& [source, resources] : wanted) differences.Compare(source, AllOf(connection, source), resources);
    changes = differences.Take();
    return {};
  }));
  return Append(parts, changes);
}

Status MapChanged(const MapperParts& parts, const std::vector<store::Event>& news) {
  std::set<EntityId> devices;
  for (const store::Event& event : news) devices.insert(event.entity);
  std::set<std::string> claimed;
  Changes changes;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    Differences differences(parts);
    for (const EntityId id : devices) {
      Differences::Wanted wanted;
      if (const auto device = store::Inventory(connection, kDefaultOrg).Get(id)) differences.Map(*device, wanted);
      store::Resources resources(connection, kDefaultOrg);
      for (const config::Mapping& rule : parts.rules) {
        const std::string source = SourceOf(rule);
        // If a rule makes the same of two devices, it stays the first one's: else they would take turns.
        std::erase_if(wanted[source], [&](const auto& want) {
          const auto present = resources.Find(want.first);
          return (present && present->entity != id) || !claimed.insert(want.first).second;
        });
        differences.Compare(source, resources.List({.source = source, .entity = id, .limit = kPage}), wanted[source]);
      }
    }
    changes = differences.Take();
    return {};
  }));
  BACKPLANE_TRY(Append(parts, changes));
  // Another device may make the same resource, and has waited for its turn.
  return GivesUp(changes) ? MapAll(parts) : Status();
}

}  // namespace

std::optional<Resource> MapDevice(const config::Mapping& rule, const store::Entity& device,
                                  const std::string& hostname) {
  for (const auto& [field, pattern] : rule.where)
    if (!Matches(ReplaceAll(pattern, "{hostname}", hostname), FieldOf(device, field))) return std::nullopt;
  const auto part = [&](const char* name) { return Filled(rule.resource.at(name), device); };
  Resource resource{part("site"), part("class"),    part("subclass"), part("type"),
                    part("id"),   part("endpoint"), rule.name,        {}};
  for (const std::string* text :
       {&resource.site, &resource.class_name, &resource.subclass, &resource.type, &resource.id, &resource.endpoint})
    if (text->empty()) return std::nullopt;
  for (const auto& [key, text] : rule.metadata)
    if (std::string value = Filled(text, device); !value.empty()) resource.metadata[key] = std::move(value);
  return resource;
}

Result<std::unique_ptr<events::Follower>> StartMapper(MapperParts parts) {
  store::Database& database = parts.database;
  events::Bus& bus = parts.bus;
  const auto shared = std::make_shared<const MapperParts>(std::move(parts));
  return events::Follower::Start(
      database, bus,
      {.topic = "device.",
       .reset = [shared] { return MapAll(*shared); },
       .take = [shared](const std::vector<store::Event>& news) { return MapChanged(*shared, news); }});
}

}  // namespace backplane::ingest
