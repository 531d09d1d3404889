#include "store/journal.h"

#include <algorithm>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace backplane::store {
namespace {

constexpr const char* kColumns =
    "entry, org, kind, at, plugin, run, status, message, complete, reported, base_entry, base_position, body, target, "
    "began, every, defaults";

const char* KindName(EntryKind kind) {
  switch (kind) {
    case EntryKind::kBatch: return "batch";
    case EntryKind::kEdit: return "edit";
    case EntryKind::kTime: return "time";
    case EntryKind::kCycle: return "cycle";
  }
  return "batch";
}

EntryKind ParseKind(std::string_view name) {
  for (const auto kind : {EntryKind::kEdit, EntryKind::kTime, EntryKind::kCycle})
    if (name == KindName(kind)) return kind;
  return EntryKind::kBatch;
}

// "new,missing".
std::string StatusList(const std::vector<ObjectStatus>& statuses) {
  std::string list;
  for (const ObjectStatus status : statuses) (list += list.empty() ? "" : ",") += ObjectStatusName(status);
  return list;
}

std::vector<ObjectStatus> ParseStatuses(std::string_view list) {
  std::vector<ObjectStatus> statuses;
  for (const std::string_view name : Split(list, ','))
    if (const auto status = ParseObjectStatus(name)) statuses.push_back(*status);
  return statuses;
}

Entry ReadEntry(const Rows& rows) {
  Entry entry;
  entry.id = rows.Int(0);
  entry.org = rows.Int(1);
  entry.kind = ParseKind(rows.View(2));
  entry.at = FromMillis(rows.Int(3));
  entry.plugin = rows.Text(4);
  entry.run = rows.Int(5);
  entry.status = ParseRunStatus(rows.Text(6)).value_or(RunStatus::kOk);
  entry.message = rows.Text(7);
  entry.complete = rows.Int(8) != 0;
  entry.reported = ParseStatuses(rows.View(9));
  entry.base = {rows.Int(10), rows.Int(11)};
  entry.body = rows.Text(12);
  entry.target = rows.Text(13);
  if (!rows.IsNull(14)) entry.began = FromMillis(rows.Int(14));
  if (!rows.IsNull(15)) entry.every = Millis(rows.Int(15));
  if (const std::string_view defaults = rows.View(16); !defaults.empty())
    if (const auto json = ParseJson(defaults); json && json->is_object())
      for (const auto& [field, value] : json->items())
        if (value.is_string()) entry.defaults[field] = value.get<std::string>();
  return entry;
}

}  // namespace

EntryId AppendEntry(Connection& connection, const Entry& entry) {
  return connection.ExecuteReturning(
      "INSERT INTO journal (org, kind, at, plugin, run, status, message, complete, reported, base_entry, "
      "base_position, body, target, began, every, defaults) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING entry",
      entry.org, KindName(entry.kind), ToMillis(entry.at), entry.plugin, entry.run, RunStatusName(entry.status),
      entry.message, entry.complete, StatusList(entry.reported), entry.base.entry, entry.base.position, entry.body,
      entry.target, entry.began ? std::optional(ToMillis(*entry.began)) : std::nullopt,
      entry.every ? std::optional(entry.every->count()) : std::nullopt,
      entry.defaults.empty() ? std::string() : DumpJson(Json(entry.defaults)));
}

std::vector<Entry> ReadEntries(Connection& connection, EntryId after, int limit, std::size_t bytes) {
  std::vector<Entry> entries;
  std::size_t read = 0;
  Rows rows = connection.Query(fmt::format("SELECT {} FROM journal WHERE entry > ? ORDER BY entry LIMIT ?", kColumns),
                               after, limit);
  while (read < bytes && rows.Next()) {
    entries.push_back(ReadEntry(rows));
    read += entries.back().body.size();
  }
  return entries;
}

EntryId LastEntry(Connection& connection) {
  Rows rows = connection.Query("SELECT COALESCE(MAX(entry), 0) FROM journal");
  return rows.Next() ? rows.Int(0) : 0;
}

EntryId LastEntryOf(Connection& connection, const std::vector<RunId>& runs, EntryId after) {
  EntryId last = 0;
  for (const RunId run : runs) {
    Rows rows = connection.Query("SELECT COALESCE(MAX(entry), 0) FROM journal WHERE entry > ? AND run = ?", after, run);
    if (rows.Next()) last = std::max<EntryId>(last, rows.Int(0));
  }
  return last;
}

std::vector<Entry> ReadEdits(Connection& connection) {
  std::vector<Entry> entries;
  Rows rows = connection.Query(fmt::format("SELECT {} FROM journal WHERE kind = 'edit' ORDER BY entry", kColumns));
  while (rows.Next()) entries.push_back(ReadEntry(rows));
  return entries;
}

int ForgetEntries(Connection& connection, EntryId upto, TimePoint before, int limit) {
  // Up to the first that must stay: the journal never has a gap.
  return static_cast<int>(
      connection.Execute("DELETE FROM journal WHERE entry IN (SELECT entry FROM journal ORDER BY entry LIMIT ?) AND "
                         "entry <= ? AND entry < "
                         "COALESCE((SELECT MIN(entry) FROM (SELECT entry, at FROM journal ORDER BY entry LIMIT ?) AS "
                         "oldest WHERE at >= ?), "
                         "entry + 1)",
                         limit, upto, limit, ToMillis(before)));
}

Watermark GetWatermark(Connection& connection, const std::string& fold) {
  Rows rows = connection.Query("SELECT entry, position FROM watermark WHERE fold = ?", fold);
  if (!rows.Next()) return {};
  return {rows.Int(0), rows.Int(1)};
}

void SetWatermark(Connection& connection, const std::string& fold, const Watermark& watermark) {
  connection.Execute(
      "INSERT INTO watermark (fold, entry, position) VALUES (?, ?, ?) "
      "ON CONFLICT (fold) DO UPDATE SET entry = excluded.entry, position = excluded.position",
      fold, watermark.entry, watermark.position);
}

}  // namespace backplane::store
