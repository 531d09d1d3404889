#include "store/samples.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/log.h"
#include "store/like.h"

namespace backplane::store {
namespace {

constexpr const char* kSelect =
    "SELECT id, resource, group_name, dimensions, name, kind, endpoint, period, last_hour FROM series WHERE org = ?";
constexpr int kSeriesBits = 32;

Series ReadSeries(const Rows& rows) {
  return {.id = rows.Int(0),
          .resource = rows.Text(1),
          .group = rows.Text(2),
          .dimensions = rows.Text(3),
          .name = rows.Text(4),
          .kind = rows.View(5) == MetricKindName(MetricKind::kCounter) ? MetricKind::kCounter : MetricKind::kGauge,
          .endpoint = rows.Text(6),
          .interval = Millis(rows.Int(7)),
          .last_hour = rows.Int(8)};
}

// Each stands in the text as {"name":"value"} does without its braces, and nothing else does.
bool HasDimensions(std::string_view text, const std::vector<std::pair<std::string, std::string>>& wanted) {
  return std::all_of(wanted.begin(), wanted.end(), [&](const auto& dimension) {
    const std::string member = DumpJson(Json{{dimension.first, dimension.second}});
    return text.find(std::string_view(member).substr(1, member.size() - 2)) != std::string_view::npos;
  });
}

Result<std::vector<Sample>> Decode(std::int64_t block, std::string_view bytes) {
  auto samples = DecodeBlock(bytes);
  if (samples) return samples;
  const Hour hour = block >> kSeriesBits;
  return Fail(Errc::kInternal, fmt::format("samples of series {} from {} on: {}", block - (hour << kSeriesBits),
                                           FormatSeconds(FromMillis(hour * 3'600'000)), samples.error().message));
}

}  // namespace

Hour HourOf(TimePoint at) { return std::chrono::floor<std::chrono::hours>(at).time_since_epoch().count(); }

std::int64_t BlockId(SeriesId series, Hour hour) { return (hour << kSeriesBits) + series; }

SeriesId SeriesTable::Put(const Series& series) {
  const char* kind = MetricKindName(series.kind);
  Rows rows = db_.Query(
      "SELECT id, endpoint, period FROM series WHERE org = ? AND resource = ? AND group_name = ? AND dimensions = ? "
      "AND name = ? AND kind = ?",
      org_, series.resource, series.group, series.dimensions, series.name, kind);
  if (!rows.Next()) {
    // No upsert: that would use up an id each time, and BlockId() has room for 2^32.
    return db_.ExecuteReturning(
        "INSERT INTO series (org, resource, group_name, dimensions, name, kind, endpoint, period, last_hour) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        org_, series.resource, series.group, series.dimensions, series.name, kind, series.endpoint,
        series.interval.count(), series.last_hour);
  }
  const SeriesId id = rows.Int(0);
  if (rows.View(1) != series.endpoint || rows.Int(2) != series.interval.count())
    db_.Execute("UPDATE series SET endpoint = ?, period = ? WHERE id = ?", series.endpoint, series.interval.count(),
                id);
  return id;
}

std::optional<Series> SeriesTable::Get(SeriesId id) {
  Rows rows = db_.Query(fmt::format("{} AND id = ?", kSelect), org_, id);
  if (!rows.Next()) return std::nullopt;
  return ReadSeries(rows);
}

std::vector<Series> SeriesTable::List(const SeriesFilter& filter) {
  std::string sql = fmt::format("{} AND id > ?", kSelect);
  std::vector<Value> values{org_, filter.after};
  const std::string pattern = ContainsPattern(filter.resource);
  const auto add = [&](const char* condition, std::string_view value) {
    sql += condition;
    values.emplace_back(value);
  };
  if (!filter.resource.empty()) add(" AND LOWER(resource) LIKE LOWER(?) ESCAPE '\\'", pattern);
  if (!filter.group.empty()) add(" AND group_name = ?", filter.group);
  if (!filter.name.empty()) add(" AND name = ?", filter.name);
  sql += " ORDER BY id";
  std::vector<Series> series;
  Rows rows = db_.QueryList(sql, values);
  while (series.size() < static_cast<std::size_t>(filter.limit) && rows.Next())
    if (HasDimensions(rows.View(3), filter.dimensions)) series.push_back(ReadSeries(rows));
  return series;
}

Result<std::vector<Sample>> ReadBlock(Connection& connection, std::int64_t block) {
  Rows rows = connection.Query("SELECT data FROM block WHERE id = ?", block);
  if (!rows.Next()) return std::vector<Sample>();
  return Decode(block, rows.Bytes(0));
}

void AddToBlock(Connection& connection, std::int64_t block, const std::vector<Sample>& samples) {
  auto stored = ReadBlock(connection, block);
  if (!stored) {
    LogError("{}; they are lost", stored.error().message);
    stored = std::vector<Sample>();
  }
  if (stored->empty()) {
    const Hour hour = block >> kSeriesBits;
    connection.Execute("UPDATE series SET last_hour = ? WHERE id = ? AND last_hour < ?", hour,
                       block - (hour << kSeriesBits), hour);
  }
  const std::string bytes = EncodeBlock(MergeSamples(*std::move(stored), samples));
  connection.Execute("INSERT INTO block (id, data) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data",
                     block, Blob{bytes});
}

int ForgetBlocks(Connection& connection, Hour before, int limit) {
  return static_cast<int>(
      connection.Execute("DELETE FROM block WHERE id IN (SELECT id FROM block WHERE id < ? ORDER BY id LIMIT ?)",
                         BlockId(0, before), limit));
}

int ForgetSeries(Connection& connection, Hour before, int limit) {
  return static_cast<int>(connection.Execute(
      "DELETE FROM series WHERE id IN (SELECT id FROM series WHERE last_hour < ? ORDER BY last_hour LIMIT ?)", before,
      limit));
}

Result<std::int64_t> CheckBlocks(Connection& connection) {
  std::int64_t blocks = 0;
  Rows rows = connection.Query("SELECT id, data FROM block ORDER BY id");
  for (; rows.Next(); ++blocks) BACKPLANE_TRY(Decode(rows.Int(0), rows.Bytes(1)));
  return blocks;
}

}  // namespace backplane::store
