#include "dialects/netalertx/app_db_inbox.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/log.h"
#include "base/text.h"
#include "dialects/netalertx/addresses.h"
#include "dialects/netalertx/app_db_marks.h"
#include "dialects/netalertx/app_db_rows.h"
#include "dialects/netalertx/new_device.h"
#include "ingest/batch_body.h"
#include "ingest/device_change.h"
#include "store/inventory.h"
#include "store/journal.h"

namespace backplane::netalertx {
namespace {

constexpr const char* kMark = "app.db inbox";  // entry: the file, position: the last line
constexpr int kMostLines = 100'000;            // that become one entry
constexpr std::size_t kTitle = 200;

struct Line {
  std::int64_t id = 0;
  std::string kind, guid, row, field, before, value;
};

std::vector<Line> ReadLines(store::Connection& db, std::int64_t after) {
  std::vector<Line> lines;
  store::Rows rows =
      db.Query("SELECT id, kind, guid, row, field, old, new FROM Backplane_Inbox WHERE id > ? ORDER BY id LIMIT ?",
               after, kMostLines);
  while (rows.Next())
    lines.push_back({rows.Int(0), rows.Text(1), rows.Text(2), rows.Text(3), rows.Text(4), rows.Text(5), rows.Text(6)});
  return lines;
}

// What a field is to hold; empty: nobody knows.
std::string FieldValue(std::string_view field, std::string value) {
  const DeviceField& known = kDeviceFieldList[*store::FieldIndex(field)];
  switch (known.kind) {
    case FieldKind::kFlag: return value == "0" || value == "1" ? value : "";
    case FieldKind::kNumber: {
      const bool digits = !value.empty() && value.size() < 10 && value.find_first_not_of("0123456789") == value.npos;
      return digits ? value : "";
    }
    case FieldKind::kForced: value = ToLower(value); return value == "online" || value == "offline" ? value : "";
    case FieldKind::kText: break;
  }
  for (const char* nothing : {"null", "(unknown)", "(Unknown)", "(name not found)"})
    if (value == nothing) return "";
  return value;
}

const FieldColumn* ByColumn(std::string_view column) {
  for (const FieldColumn& one : kFieldColumns)
    if (column == one.column) return &one;
  return nullptr;
}
const FieldColumn* BySource(std::string_view column) {
  for (const FieldColumn& one : kFieldColumns)
    if (one.source != nullptr && column == one.source) return &one;
  return nullptr;
}

// How somebody protects a value, or does not.
enum class Ward { kNone, kPerson, kLocked };
Ward WardOf(std::string_view source) {
  if (source == "LOCKED") return Ward::kLocked;
  return source == "USER" ? Ward::kPerson : Ward::kNone;
}

struct Warding {
  Ward before = Ward::kNone, now = Ward::kNone;
};

using Row = std::map<std::string, std::string, std::less<>>;  // by column; empty: there is none

// What was written about one device, by field.
struct Written {
  std::map<std::string, std::string, std::less<>> values;
  std::map<std::string, Warding, std::less<>> wards;
  Row row;  // as it stands, if there are wards
};

// What the lines come to.
struct Intake {
  std::vector<Record> records;
  std::vector<ingest::DeviceChange> changes;  // edits, then deletions
  std::size_t deleted = 0;
};

// What stands in the file is collected first, and then compared with what the core knows, so that the errors of the one
// are not taken for the other's.
class Sorting {
 public:
  Sorting(store::Connection& db, const std::vector<Line>& lines, TimePoint now) : db_(db), now_(now) {
    std::set<std::string> added;  // MAC addresses of rows
    for (const Line& line : lines) {
      const EntityId id = EntityOf(line.guid);
      if (line.kind == "object") intake_.records.emplace_back(ObjectGone{ToInt(line.row)});
      if (line.kind == "notification") Raise(ToInt(line.row));
      // A row that the core has not taken yet is added as it is.
      if (line.kind == "insert" || (line.kind == "update" && id == 0)) added.insert(line.row);
      if (id == 0) continue;
      if (line.kind == "delete" && RowOf("devGUID", line.guid).empty()) gone_.insert(id);
      if (line.kind == "update") Update(devices_[id], line);
    }
    for (const std::string& mac : added)
      if (Row row = RowOf("devMac", mac); !row.empty()) rows_.push_back(std::move(row));
  }

  Intake Run(store::Connection& core) {
    store::Inventory inventory(core, kDefaultOrg);
    for (const Row& row : rows_) Add(inventory, row);
    for (auto& [id, written] : devices_)
      if (!gone_.contains(id) && inventory.Get(id)) Claims(id, written);
    for (const EntityId id : gone_) {
      if (!inventory.Get(id)) continue;
      intake_.changes.emplace_back(ingest::DeviceDelete{id});
      ++intake_.deleted;
    }
    return std::move(intake_);
  }

 private:
  static std::int64_t ToInt(const std::string& text) { return std::strtoll(text.c_str(), nullptr, 10); }

  void Update(Written& written, const Line& line) {
    if (const FieldColumn* column = ByColumn(line.field)) written.values[column->field] = line.value;
    if (const FieldColumn* column = BySource(line.field)) {
      const auto [ward, first] = written.wards.try_emplace(column->field);
      if (first) ward->second.before = WardOf(line.before);
      ward->second.now = WardOf(line.value);
      if (written.row.empty()) written.row = RowOf("devGUID", line.guid);
    }
  }

  Row RowOf(const char* key, const std::string& value) {
    static const std::string columns = fmt::format("\"{}\"", fmt::join(DevicesTable().columns, "\", \""));
    Row row;
    store::Rows rows = db_.Query(fmt::format("SELECT {} FROM Devices WHERE {} = ?", columns, key), value);
    if (!rows.Next()) return row;
    int column = 0;
    for (const std::string& name : DevicesTable().columns) row[name] = rows.Text(column++);
    return row;
  }

  void Raise(std::int64_t index) {
    store::Rows rows = db_.Query("SELECT \"text\", html, \"json\" FROM Notifications WHERE \"index\" = ?", index);
    if (!rows.Next()) return;
    NotificationRecord record{.source = kInboxSource,
                              .level = NotificationLevel::kAlert,
                              .title = {},
                              .text = rows.Text(0),
                              .html = rows.Text(1),
                              .data = {},
                              .at = now_};
    record.title = std::string(Trim(record.text.substr(0, record.text.find('\n')))).substr(0, kTitle);
    if (record.title.empty()) record.title = "a notification";
    if (ParseJson(rows.Text(2))) record.data = rows.Text(2);
    intake_.records.emplace_back(std::move(record));
  }

  // A row that somebody has put in, or over one of ours.
  void Add(store::Inventory& inventory, const Row& row) {
    const std::string& mac = row.at("devMac");
    std::vector<Identifier> named;
    if (ToLower(mac) == "internet")
      named.push_back({"netalertx", "internet"});
    else if (const auto normal = NormalMac(mac))
      named.push_back({"mac", *normal});
    if (named.empty()) {
      LogWarning("app.db: \"{}\" is no MAC address; that row of Devices stays what it is, and is no device", mac);
      return;
    }
    const auto known = inventory.Find(named[0]);
    const auto entity = known ? inventory.Get(*known) : std::nullopt;
    const store::Entity before = entity.value_or(store::Entity{});
    ClaimsRecord record{
        .entity = before.id, .source = kInboxSource, .claims = {}, .at = now_, .identifiers = {}, .anew = true};
    if (!entity) {
      record.claims.push_back({"mac", named[0].value, ClaimPolicy::kAlways});
      record.identifiers = std::move(named);
    }
    for (const FieldColumn& one : kFieldColumns) {
      std::string value = FieldValue(one.field, row.at(one.column));
      if (!value.empty() && value != store::ValueOf(before, one.field))
        record.claims.push_back({one.field, std::move(value), ClaimPolicy::kAlways});
    }
    intake_.records.emplace_back(std::move(record));
  }

  void Claims(EntityId id, Written& written) {
    ingest::DeviceEdit edit{.device = id, .set = {}, .lock = {}, .unlock = {}};
    for (const FieldColumn& one : kFieldColumns) {
      const auto ward = written.wards.find(one.field);
      if (ward == written.wards.end() || ward->second.before == ward->second.now) continue;
      const auto [before, now] = ward->second;
      const std::string field = one.field;
      if (now == Ward::kLocked) edit.lock.push_back(field);
      if (before == Ward::kLocked) edit.unlock.push_back(field);
      if (before == Ward::kPerson && now == Ward::kNone) edit.set[field] = std::nullopt;
      const bool persons = now == Ward::kPerson || before == Ward::kPerson;
      if (persons && !written.row.empty()) written.values.try_emplace(field, written.row.at(one.column));
      if (const auto value = written.values.find(field); now != Ward::kNone && value != written.values.end()) {
        edit.set[field] = FieldValue(field, value->second);
        written.values.erase(value);
      }
    }
    if (!edit.set.empty() || !edit.lock.empty() || !edit.unlock.empty()) intake_.changes.emplace_back(std::move(edit));
    // Without claims too: the device counts as changed, and its row is put right.
    ClaimsRecord record{
        .entity = id, .source = kInboxSource, .claims = {}, .at = now_, .identifiers = {}, .anew = true};
    for (const auto& [field, text] : written.values)
      if (std::string value = FieldValue(field, text); !value.empty())
        record.claims.push_back({field, std::move(value), ClaimPolicy::kAlways});
    intake_.records.emplace_back(std::move(record));
  }

  store::Connection& db_;
  const TimePoint now_;
  Intake intake_;
  std::map<EntityId, Written> devices_;
  std::vector<Row> rows_;  // that were put in
  std::set<EntityId> gone_;
};

// Lines that were taken, and what must not be there twice.
Status ForgetLines(AppDb& db, std::int64_t upto) {
  return db.Write([&]() -> Status {
    std::vector<std::string> renamed;  // rows whose device has one by an address of the usual form
    {
      store::Rows rows =
          db.connection().Query("SELECT row FROM Backplane_Inbox WHERE kind = 'insert' AND id <= ?", upto);
      while (rows.Next())
        if (const auto mac = NormalMac(rows.View(0)); mac && *mac != ToLower(rows.View(0)))
          renamed.push_back(rows.Text(0));
    }
    for (const std::string& mac : renamed) db.connection().Execute("DELETE FROM Devices WHERE devMac = ?", mac);
    db.connection().Execute(
        "DELETE FROM Notifications WHERE \"index\" IN "
        "(SELECT CAST(row AS INTEGER) FROM Backplane_Inbox WHERE kind = 'notification' AND id <= ?)",
        upto);
    db.connection().Execute("DELETE FROM Backplane_Inbox WHERE id <= ?", upto);
    return {};
  });
}

// Deletions and edits can be made twice, so they come first, each for itself if not together.
Status MakeChanges(ingest::Folder& folder, const std::vector<ingest::DeviceChange>& changes) {
  for (std::size_t at = 0; at < changes.size(); at += ingest::Folder::kMostChanges) {
    const auto end = std::min(at + ingest::Folder::kMostChanges, changes.size());
    const std::vector<ingest::DeviceChange> some(changes.begin() + static_cast<std::ptrdiff_t>(at),
                                                 changes.begin() + static_cast<std::ptrdiff_t>(end));
    const auto all = folder.ChangeAll(kDefaultOrg, some, kInboxSource);
    if (all) continue;
    for (const ingest::DeviceChange& one : some) {
      const auto done = folder.ChangeAll(kDefaultOrg, {one}, kInboxSource);
      if (!done && done.error().code == Errc::kUnavailable) return Fail(done.error());
      if (!done) LogWarning("app.db: {}", done.error().message);
    }
  }
  return {};
}

std::string UpdateTrigger() {
  std::string changes;
  for (const std::string& column : DevicesTable().columns)
    changes +=
        fmt::format("{0}SELECT 'update', OLD.devGUID, NEW.devMac, '{1}', OLD.{1}, NEW.{1} WHERE OLD.{1} IS NOT NEW.{1}",
                    changes.empty() ? "" : "\n  UNION ALL ", column);
  return fmt::format(R"(
DROP TRIGGER IF EXISTS Backplane_Devices_update;
CREATE TRIGGER Backplane_Devices_update AFTER UPDATE ON Devices BEGIN
  INSERT INTO Backplane_Inbox (kind, guid, row, field, old, new)
  {};
END;)",
                     changes);
}

}  // namespace

const std::string& InboxTriggers() {
  static const std::string triggers = UpdateTrigger() + R"(
DROP TRIGGER IF EXISTS Backplane_Devices_insert;
CREATE TRIGGER Backplane_Devices_insert AFTER INSERT ON Devices BEGIN
  INSERT INTO Backplane_Inbox (kind, row) VALUES ('insert', NEW.devMac);
END;
DROP TRIGGER IF EXISTS Backplane_Devices_delete;
CREATE TRIGGER Backplane_Devices_delete AFTER DELETE ON Devices BEGIN
  INSERT INTO Backplane_Inbox (kind, guid, row) VALUES ('delete', OLD.devGUID, OLD.devMac);
END;
DROP TRIGGER IF EXISTS Backplane_Objects_delete;
CREATE TRIGGER Backplane_Objects_delete AFTER DELETE ON Plugins_Objects BEGIN
  INSERT INTO Backplane_Inbox (kind, row) VALUES ('object', OLD."index");
END;
DROP TRIGGER IF EXISTS Backplane_Notifications_insert;
CREATE TRIGGER Backplane_Notifications_insert AFTER INSERT ON Notifications WHEN NEW."status" = 'new' BEGIN
  INSERT INTO Backplane_Inbox (kind, row) VALUES ('notification', NEW."index");
END;
)";
  return triggers;
}

Result<bool> TakeInbox(AppDb& db, store::Database& core, ingest::Folder& folder, const Clock& clock,
                       const CatalogRows& catalog) {
  store::Connection& file = db.connection();
  {
    store::Rows rows = file.Query("SELECT 1 FROM Backplane_Inbox LIMIT 1");
    if (!rows.Next()) return false;
  }
  const std::int64_t number = ReadMarks(file).file;
  store::Watermark mark;
  BACKPLANE_TRY(core.Read([&](store::Connection& c) -> Status {
    mark = store::GetWatermark(c, kMark);
    return {};
  }));
  if (mark.entry != number) mark = {number, 0};  // of an earlier file
  bool taken = false;
  for (auto lines = ReadLines(file, mark.position); !lines.empty(); lines = ReadLines(file, mark.position)) {
    taken = true;
    mark.position = lines.back().id;
    const TimePoint now = clock.Now();
    Sorting sorting(file, lines, now);
    Intake intake;
    BACKPLANE_TRY(core.Read([&](store::Connection& c) -> Status {
      intake = sorting.Run(c);
      return {};
    }));
    if (intake.deleted > 0)
      LogWarning("app.db: devices that a script has deleted, and that are deleted here too: {}", intake.deleted);
    BACKPLANE_TRY(MakeChanges(folder, intake.changes));
    BACKPLANE_TRY(core.Write([&](store::Connection& c) -> Status {
      if (!intake.records.empty()) {
        store::Entry entry{.at = now, .plugin = kInboxPlugin, .body = ingest::EncodeRecords(intake.records)};
        entry.defaults = NewDeviceFields(catalog.values);
        store::AppendEntry(c, entry);
      }
      store::SetWatermark(c, kMark, mark);
      return {};
    }));
    folder.Wake();
  }
  BACKPLANE_TRY(ForgetLines(db, mark.position));
  return taken;
}

}  // namespace backplane::netalertx
