#include "store/device_list.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "store/like.h"

namespace backplane::store {
namespace {

struct Order {
  const char* column;
  bool is_text;
};

// In the order of DeviceSort.
constexpr std::array<Order, kDeviceSorts.size()> kOrders = {{{"id", false},
                                                             {"LOWER(name)", true},
                                                             {"mac", true},
                                                             {"ip_key", true},
                                                             {"vendor", true},
                                                             {"type", true},
                                                             {"first_seen", false},
                                                             {"last_seen", false},
                                                             {"since", false}}};

// The operation keeps the planner from indexes that begin with the organisation: most rows are read anyway, and by an
// index one at a time.
constexpr const char* kOfOrg = "+org = ?";

// What follows kOfOrg, with its values: they borrow from the query, and from here.
class Condition {
 public:
  explicit Condition(const DeviceQuery& query) : pattern_(ContainsPattern(ToLower(query.search))) {
    Group(query.group);
    selects = query.present || !query.equals.empty() || !query.search.empty() ||
              (query.group != DeviceGroup::kShown && query.group != DeviceGroup::kAll);
    if (query.present) Add("present = ?", static_cast<std::int64_t>(*query.present));
    for (const auto& [field, value] : query.equals) Field(field, value);
    if (!query.search.empty()) Add("search LIKE ? ESCAPE '\\'", std::string_view(pattern_));
  }
  Condition(const Condition&) = delete;  // values refers to pattern_
  Condition& operator=(const Condition&) = delete;

  void After(const DeviceQuery& query, const Order& order) {
    const char* beyond = query.descending ? "<" : ">";
    if (query.sort == DeviceSort::kId) return Add(fmt::format("id {} ?", beyond), query.after->id);
    const auto key = order.is_text ? Value(std::string_view(query.after->text)) : Value(query.after->number);
    // The first part is what an index can begin at.
    Add(fmt::format("{0} {1}= ? AND ({0} {1} ? OR id {1} ?)", order.column, beyond), key);
    values.push_back(key);
    values.emplace_back(query.after->id);
  }

  std::string sql;
  std::vector<Value> values;
  bool selects = false;  ///< it may leave out most devices

 private:
  void Add(std::string_view condition, const Value& value) {
    sql += fmt::format(" AND {}", condition);
    values.push_back(value);
  }
  void Group(DeviceGroup group) {
    if (group == DeviceGroup::kAll) return;
    Field("archived", group == DeviceGroup::kArchived ? "1" : "0");
    if (group == DeviceGroup::kNew) Field("is_new", "1");
    if (group == DeviceGroup::kOnline) sql += " AND present = 1";
    if (group == DeviceGroup::kOffline) sql += " AND present = 0 AND down = 0";
    if (group == DeviceGroup::kDown) sql += " AND present = 0 AND down = 1";
  }
  void Field(const std::string& name, std::string_view value) {
    const auto index = FieldIndex(name);
    if (!index) return;
    const DeviceField& field = kDeviceFieldList[*index];
    const std::string otherwise = field.otherwise;
    if (field.kind == FieldKind::kFlag)  // as IsOn() has it
      sql += fmt::format(" AND {} {} {}", field.name, value == "1" ? "IN" : "NOT IN",
                         otherwise == "1" ? "('1', '')" : "('1')");
    else
      Add(fmt::format("{} {}", field.name, value == otherwise ? "IN (?, '')" : "= ?"), value);
  }

  const std::string pattern_;
};

}  // namespace

const char* DeviceStatusName(DeviceStatus status) {
  switch (status) {
    case DeviceStatus::kOnline: return "online";
    case DeviceStatus::kOffline: return "offline";
    case DeviceStatus::kDown: return "down";
    case DeviceStatus::kArchived: return "archived";
  }
  return "offline";
}

DeviceStatus StatusOf(const Entity& entity) {
  if (IsOn(entity, "archived")) return DeviceStatus::kArchived;
  if (entity.present) return DeviceStatus::kOnline;
  return entity.down ? DeviceStatus::kDown : DeviceStatus::kOffline;
}

std::optional<DeviceGroup> ParseDeviceGroup(std::string_view name) {
  const auto* const found = std::find(kDeviceGroups.begin(), kDeviceGroups.end(), name);
  if (found == kDeviceGroups.end()) return std::nullopt;
  return static_cast<DeviceGroup>(found - kDeviceGroups.begin());
}

std::optional<DeviceSort> ParseDeviceSort(std::string_view name) {
  const auto* const found = std::find(kDeviceSorts.begin(), kDeviceSorts.end(), name);
  if (found == kDeviceSorts.end()) return std::nullopt;
  return static_cast<DeviceSort>(found - kDeviceSorts.begin());
}

DevicePage DeviceList::Page(const DeviceQuery& query) {
  const Order& order = kOrders[static_cast<std::size_t>(query.sort)];
  Condition condition(query);
  if (query.after) condition.After(query, order);
  const char* direction = query.descending ? " DESC" : "";
  // Names are sorted by an index, unless that were to pass over many devices. What else is sorted is narrow: whole rows
  // would be copied as often as one is better than those that are kept so far.
  const bool by_index = query.sort == DeviceSort::kName && !condition.selects;
  const std::string sql = fmt::format(
      "SELECT {0}, {1} FROM entity WHERE id IN (SELECT id FROM entity WHERE {2}{3} ORDER BY {1}{4}, id{4} LIMIT ?) "
      "ORDER BY {1}{4}, id{4}",
      EntityColumns(), order.column, by_index ? "org = ?" : kOfOrg, condition.sql, direction);
  std::vector<Value> values = condition.values;
  values.insert(values.begin(), org_);
  values.emplace_back(static_cast<std::int64_t>(query.limit) + 1);  // one more tells whether there is a next page
  DevicePage page;
  DevicePlace place;
  Rows rows = db_.QueryList(sql, values);
  while (rows.Next()) {
    if (static_cast<int>(page.devices.size()) == query.limit) {
      page.next = place;
      break;
    }
    page.devices.push_back(ReadEntity(rows));
    place = {.id = page.devices.back().id};
    if (order.is_text)
      place.text = rows.Text(kEntityColumns);
    else
      place.number = rows.Int(kEntityColumns);
  }
  return page;
}

std::int64_t DeviceList::Count(const DeviceQuery& query) {
  const Condition condition(query);
  std::vector<Value> values = condition.values;
  values.insert(values.begin(), org_);
  Rows rows = db_.QueryList(fmt::format("SELECT COUNT(*) FROM entity WHERE {}{}", kOfOrg, condition.sql), values);
  return rows.Next() ? rows.Int(0) : 0;
}

}  // namespace backplane::store
