#include "dispatch/setting_store.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "plugin/secret_ref.h"
#include "store/audit.h"
#include "store/settings.h"

namespace backplane::dispatch {
namespace {

constexpr const char* kSystem = "system";

// What is neither a text nor made of texts would be stored in clear.
Status CanHide(const std::string& key, const Json& value) {
  if (value.is_array()) {
    for (const Json& item : value) BACKPLANE_TRY(CanHide(key, item));
    return {};
  }
  if (value.is_string() || IsSecretRef(value)) return {};
  return Fail(Errc::kInvalid,
              fmt::format("{}: is a secret: give a text, a list of texts, or {{\"secret\": NAME}}, not {}", key,
                          value.type_name()),
              key);
}

std::string SecretName(const std::string& dialect, const std::string& key) {
  return fmt::format("settings/{}/{}", dialect, key);
}

}  // namespace

Result<StoredSettings> SettingStore::Load() {
  std::vector<store::StoredSetting> rows;
  BACKPLANE_TRY(database_.Read([&](store::Connection& connection) -> Status {
    rows = store::SettingValues(connection, kDefaultOrg).All();
    return {};
  }));
  StoredSettings out;
  for (const store::StoredSetting& row : rows) {
    BACKPLANE_ASSIGN(Json value, ParseJson(row.value));
    const bool kept = row.set_by.empty();
    out[row.dialect][row.key] = {std::move(value), kept ? SettingLayer::kKept : SettingLayer::kSet,
                                 kept ? "made up once" : "set by " + row.set_by, ""};
  }
  return out;
}

Status SettingStore::Set(const std::string& dialect, const Setting& setting, const Json& value, const std::string& by) {
  return Put(dialect, setting, value, by, false);
}

Status SettingStore::Put(const std::string& dialect, const Setting& setting, const Json& value, const std::string& by,
                         bool kept) {
  Json stored = value;
  if (setting.secret) {
    BACKPLANE_TRY(CanHide(setting.key, value));
    BACKPLANE_ASSIGN(stored, Hide(SecretName(dialect, setting.key), value, by));
  }
  Json before;
  BACKPLANE_TRY(database_.Write([&](store::Connection& connection) -> Status {
    store::SettingValues values(connection, kDefaultOrg);
    if (const auto row = values.Find(dialect, setting.key)) {
      BACKPLANE_ASSIGN(before, ParseJson(row->value));
    }
    const TimePoint now = clock_.Now();
    values.Put({dialect, setting.key, DumpJson(stored), kept ? "" : by, now});
    store::Audit(connection, kDefaultOrg)
        .Append({.at = now,
                 .actor = by,
                 .action = "setting.set",
                 .subject = dialect + "/" + setting.key,
                 .detail = DumpJson(setting.secret ? Json::object() : Json{{"value", stored}})});
    return {};
  }));
  return Forget(dialect, setting.key, before, stored, by);
}

Status SettingStore::Unset(const std::string& dialect, const std::string& key, const std::string& by) {
  Json before;
  BACKPLANE_TRY(database_.Write([&](store::Connection& connection) -> Status {
    store::SettingValues values(connection, kDefaultOrg);
    const auto row = values.Find(dialect, key);
    if (!row) return Fail(Errc::kNotFound, fmt::format("{}: nothing was set over the API", key), key);
    BACKPLANE_ASSIGN(before, ParseJson(row->value));
    values.Remove(dialect, key);
    store::Audit(connection, kDefaultOrg)
        .Append({.at = clock_.Now(), .actor = by, .action = "setting.unset", .subject = dialect + "/" + key});
    return {};
  }));
  return Forget(dialect, key, before, nullptr, by);
}

// The value with each of its texts replaced by a reference; what refers to a secret already stays.
Result<Json> SettingStore::Hide(const std::string& name, const Json& value, const std::string& by) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) {
      BACKPLANE_ASSIGN(Json hidden, Hide(fmt::format("{}/{}", name, list.size()), item, by));
      list.push_back(std::move(hidden));
    }
    return list;
  }
  if (!value.is_string() || value == "") return value;
  BACKPLANE_TRY(vault_.Set({.org = kDefaultOrg, .actor = by}, name, Secret(value.get_ref<const std::string&>())));
  return Json{{"secret", name}};
}

// Of the secrets that are its own, those that it refers to no more.
Status SettingStore::Forget(const std::string& dialect, const std::string& key, const Json& before, const Json& now,
                            const std::string& by) {
  const std::string own = SecretName(dialect, key);
  const std::vector<std::string> needed = SecretNames({{key, now}});
  for (const std::string& name : SecretNames({{key, before}})) {
    if ((name != own && !name.starts_with(own + "/")) || std::binary_search(needed.begin(), needed.end(), name))
      continue;
    const Status removed = vault_.Remove({.org = kDefaultOrg, .actor = by}, name);
    if (!removed && removed.error().code != Errc::kNotFound) return removed;
  }
  return {};
}

Result<bool> SettingStore::KeepFresh(const Catalog& catalog) {
  bool made = false;
  for (const Codec* codec : catalog.codecs()) {
    std::map<std::string, Setting> fresh;
    for (Setting& setting : codec->CommonSettings())
      if (setting.fresh != nullptr && !catalog.Given(codec->name()).contains(setting.key)) {
        const std::string key = setting.key;
        fresh[key] = std::move(setting);
      }
    for (const Manifest* manifest : catalog.ManifestsOf(codec->name())) {
      std::vector<std::string> keys = manifest->reads;
      for (const Setting& setting : manifest->settings) keys.push_back(setting.key);
      for (const std::string& key : keys) {
        const auto needed = fresh.extract(key);
        if (needed.empty()) continue;
        BACKPLANE_TRY(Put(std::string(codec->name()), needed.mapped(), needed.mapped().fresh(), kSystem, true));
        made = true;
      }
    }
  }
  return made;
}

}  // namespace backplane::dispatch
