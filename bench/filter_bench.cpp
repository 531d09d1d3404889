// Resource filters over 100,000 resources in memory, beside the original's way: the resources in
// tables of SQLite in memory, the filter as SQL text.
//
//   filter_bench [REPETITIONS]
//
// Both have to find the same resources. The SQL has the form of the original's, with its values as
// literals and the conditions on fields in parentheses, so that it means the same. Building its
// tables, which the original does before each scan, is not counted.
#include <sqlite3.h>

#include <array>
#include <cstdio>

#include <fmt/format.h>

#include "bench.h"
#include "dialects/panoptes/filter.h"

namespace backplane::bench {
namespace {

constexpr int kResources = 100'000;
constexpr double kTargetMillis = 20;

[[noreturn]] void Die(const std::string& why) {
  fmt::print(stderr, "filter_bench: {}\n", why);
  std::exit(1);
}

struct Case {
  const char* filter;
  const char* fields;     // SQL of the conditions on fields
  const char* metadata;   // of the first on metadata; empty: none
  const char* more = "";  // of the later ones, as UNION or INTERSECT
};

#define BACKPLANE_ALONE(condition) \
  "SELECT m.id FROM resources r, resource_metadata m WHERE (" condition ") AND m.id = r.id "
constexpr std::array kCases = {
    Case{R"(resource_class = "network" AND resource_subclass = "switch")",
         "r.resource_class = 'network' AND r.resource_subclass = 'switch'", ""},
    Case{R"(resource_site IN ("dc1", "dc7", "dc9") OR resource_type NOT LIKE "c%")",
         "r.resource_site IN ('dc1', 'dc7', 'dc9') OR r.resource_type NOT LIKE 'c%'", ""},
    Case{R"(resource_endpoint LIKE "%1_.example%")", "r.resource_endpoint LIKE '%1_.example%'", ""},
    Case{R"(resource_class = "network" AND resource_type = "cisco" AND resource_metadata.model LIKE "ASA%")",
         "r.resource_class = 'network' AND r.resource_type = 'cisco'", "m.key = 'model' AND m.value LIKE 'ASA%'"},
    Case{R"(resource_class = "network" AND resource_metadata.os NOT IN ("os1", "os2"))", "r.resource_class = 'network'",
         "m.key = 'os' AND m.value NOT IN ('os1', 'os2')"},
    Case{R"(resource_class = "network" AND resource_metadata.model LIKE "%waveserver%")"
         R"( OR resource_metadata.os = "os3" AND resource_metadata.rack != "r5" AND resource_metadata.floor LIKE "f_")",
         "r.resource_class = 'network'", "m.key = 'model' AND m.value LIKE '%waveserver%'",
         "UNION " BACKPLANE_ALONE("m.key = 'os' AND m.value = 'os3'") "INTERSECT " BACKPLANE_ALONE(
             "m.key = 'rack' AND m.value != 'r5'") "INTERSECT " BACKPLANE_ALONE("m.key = 'floor' AND m.value LIKE "
                                                                                "'f_'")},
};
#undef BACKPLANE_ALONE

std::vector<Resource> MakeResources() {
  constexpr std::array kTypes = {"cisco", "juniper", "arista", "ciena", "aruba"};
  constexpr std::array kModels = {"ASA5505", "EX4300-48P", "DCS-7050", "Ciena Waveserver 5", "AP-305"};
  std::vector<Resource> resources;
  resources.reserve(kResources);
  for (int i = 0; i < kResources; ++i)
    resources.push_back({.site = fmt::format("dc{}", i % 11),
                         .class_name = i % 3 == 0 ? "system" : "network",
                         .subclass = i % 2 == 0 ? "switch" : "router",
                         .type = kTypes[i % kTypes.size()],
                         .id = fmt::format("device-{}", i),
                         .endpoint = fmt::format("device-{}.example.net", i),
                         .plugin = "bench",
                         .metadata = {{"_resource_ttl", "900"},
                                      {"floor", fmt::format("f{}", i % 20)},
                                      {"model", kModels[i % kModels.size()]},
                                      {"os", fmt::format("os{}", i % 13)},
                                      {"rack", fmt::format("r{}", i % 40)}}});
  return resources;
}

class Peer {
 public:
  explicit Peer(const std::vector<Resource>& resources) {
    if (sqlite3_open(":memory:", &database_) != SQLITE_OK) Die("cannot open SQLite in memory");
    std::string tables = "CREATE TABLE resources (id INTEGER PRIMARY KEY AUTOINCREMENT";
    for (const char* field : kFields) tables += fmt::format(", {} VARCHAR(255) NOT NULL", field);
    tables += "); CREATE TABLE resource_metadata (id INTEGER, key VARCHAR(255) NOT NULL, value VARCHAR(255) NOT NULL);";
    for (const char* field : kFields) tables += fmt::format("CREATE INDEX index_{0} ON resources ({0});", field);
    for (const char* column : {"id", "key", "value"})
      tables += fmt::format("CREATE INDEX index_metadata_{0} ON resource_metadata ({0});", column);
    Execute(tables + "BEGIN");
    sqlite3_stmt* resource = Prepare(
        "INSERT INTO resources (resource_site, resource_class, resource_subclass, resource_type, resource_id, "
        "resource_endpoint, resource_plugin) VALUES (?, ?, ?, ?, ?, ?, ?)");
    sqlite3_stmt* metadata = Prepare("INSERT INTO resource_metadata VALUES (?, ?, ?)");
    for (const Resource& one : resources) {
      int place = 0;
      for (const std::string* field :
           {&one.site, &one.class_name, &one.subclass, &one.type, &one.id, &one.endpoint, &one.plugin})
        Bind(resource, ++place, *field);
      Step(resource);
      const auto id = sqlite3_last_insert_rowid(database_);
      for (const auto& [key, value] : one.metadata) {
        sqlite3_bind_int64(metadata, 1, id);
        Bind(metadata, 2, key);
        Bind(metadata, 3, value);
        Step(metadata);
      }
    }
    sqlite3_finalize(resource);
    sqlite3_finalize(metadata);
    Execute("COMMIT");
  }
  ~Peer() { sqlite3_close(database_); }
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // The places of the resources that are found, in order.
  std::vector<std::size_t> Find(const Case& one) const {
    constexpr const char* kRow = "SELECT r.*, group_concat(m.key, '|'), group_concat(m.value, '|') FROM ";
    std::string sql;
    if (*one.metadata == '\0')
      sql = fmt::format(
          "{}resources r LEFT JOIN resource_metadata m ON r.id = m.id WHERE ({}) GROUP BY m.id ORDER BY m.id", kRow,
          one.fields);
    else
      sql = fmt::format(
          "{}(SELECT m.id FROM resources r, resource_metadata m WHERE (({}) AND ({}) AND m.id = r.id) {}"
          "GROUP BY m.id ORDER BY m.id) AS filtered, resources r, resource_metadata m "
          "WHERE r.id = filtered.id AND m.id = filtered.id GROUP BY m.id",
          kRow, one.fields, one.metadata, one.more);
    sqlite3_stmt* statement = Prepare(sql);
    std::vector<std::size_t> found;
    while (sqlite3_step(statement) == SQLITE_ROW)
      found.push_back(static_cast<std::size_t>(sqlite3_column_int64(statement, 0)) - 1);
    sqlite3_finalize(statement);
    std::sort(found.begin(), found.end());
    return found;
  }

 private:
  static constexpr std::array kFields = {"resource_site", "resource_class",    "resource_subclass", "resource_type",
                                         "resource_id",   "resource_endpoint", "resource_plugin"};

  void Execute(const std::string& sql) {
    if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) Die(sqlite3_errmsg(database_));
  }
  sqlite3_stmt* Prepare(const std::string& sql) const {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
      Die(fmt::format("{}: {}", sqlite3_errmsg(database_), sql));
    return statement;
  }
  static void Bind(sqlite3_stmt* statement, int place, const std::string& text) {
    sqlite3_bind_text(statement, place, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
  }
  void Step(sqlite3_stmt* statement) {
    if (sqlite3_step(statement) != SQLITE_DONE) Die(sqlite3_errmsg(database_));
    sqlite3_reset(statement);
  }

  sqlite3* database_ = nullptr;
};

std::vector<std::size_t> FindOurs(const Case& one, const std::vector<Resource>& resources) {
  const auto filter = panoptes::ParseFilter(one.filter, panoptes::OrRule::kOriginal);
  if (!filter) Die(fmt::format("{}: {}", one.filter, filter.error().message));
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < resources.size(); ++i)
    if (filter->targets->matches(resources[i])) found.push_back(i);
  return found;
}

int Main(int repetitions) {
  const std::vector<Resource> resources = MakeResources();
  const Peer peer(resources);
  fmt::print(
      "milliseconds of processor time for {} resources with {} keys of metadata, median of {}; ours reads the filter "
      "each time\n",
      kResources, resources[0].metadata.size(), repetitions);
  fmt::print("{:>8} {:>8} {:>10} {:>7}  filter\n", "found", "ours", "SQLite", "ratio");
  bool reached = true;
  for (const Case& one : kCases) {
    std::vector<double> ours, peers;
    std::size_t count = 0;
    for (int repetition = 0; repetition < repetitions; ++repetition) {
      const double start = CpuSeconds();
      const auto found = FindOurs(one, resources);
      const double between = CpuSeconds();
      const auto wanted = peer.Find(one);
      ours.push_back(1000 * (between - start));
      peers.push_back(1000 * (CpuSeconds() - between));
      if (found != wanted) Die(fmt::format("{}: {} found, SQLite finds {}", one.filter, found.size(), wanted.size()));
      count = found.size();
    }
    const double us = Median(ours), them = Median(peers);
    reached = reached && us < kTargetMillis;
    fmt::print("{:>8} {:>8.2f} {:>10.1f} {:>7.3f}  {}\n", count, us, them, us / them, one.filter);
  }
  fmt::print("target, each under {} ms: {}\n", kTargetMillis, reached ? "reached" : "missed");
  return reached ? 0 : 1;
}

}  // namespace
}  // namespace backplane::bench

int main(int argc, char** argv) { return backplane::bench::Main(argc > 1 ? std::atoi(argv[1]) : 5); }
