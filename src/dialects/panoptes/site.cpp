#include "dialects/panoptes/site.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "dialects/panoptes/configobj.h"
#include "dialects/panoptes/python_text.h"

namespace backplane::panoptes {
namespace {

using Severity = Finding::Severity;

// A key of a panoptes.ini with a default: a text of at least one character, or a whole number.
struct Key {
  std::string_view section;
  std::string_view name;
  std::string_view text;    // default of a text; empty: the key is a number
  std::int64_t number = 0;  // default of a number
  std::int64_t least = 0;
  std::int64_t most = 0;
};

constexpr std::int64_t kPorts = 65'535, kDay = 86'400;
constexpr Key kKeys[] = {
    {"main", "plugins_extension", "panoptes-plugin"},
    {"main", "plugins_skew", "", 1, 0, 60},
    {"discovery", "plugin_scan_interval", "", 60, 60, kDay},
    {"discovery", "celerybeat_max_loop_interval", "", 5, 1, kDay},
    {"enrichment", "plugin_scan_interval", "", 60, 60, kDay},
    {"enrichment", "celerybeat_max_loop_interval", "", 5, 1, kDay},
    {"polling", "plugin_scan_interval", "", 60, 60, kDay},
    {"polling", "celerybeat_max_loop_interval", "", 5, 1, kDay},
    {"snmp", "connection_factory_module", "yahoo_panoptes.plugins.helpers.snmp_connections"},
    {"snmp", "connection_factory_class", "PanoptesSNMPConnectionFactory"},
    {"snmp", "community", "public"},
    {"snmp", "timeout", "", 5, 1, 120},
    {"snmp", "retries", "", 1, 1, 10},
    {"snmp", "non_repeaters", "", 0, 0, kPorts},
    {"snmp", "max_repetitions", "", 25, 1, kPorts},
    {"snmp", "port", "", 161, 1, kPorts},
    {"snmp", "proxy_port", "", 10161, 1, kPorts},
    {"snmp", "community_string_key", "snmp_community_string"},
    {"x509", "x509_cert_location", "/home/panoptes/x509/certs"},
    {"x509", "x509_cert_filename", "panoptes.pem"},
    {"x509", "x509_key_location", "/home/panoptes/x509/keys"},
    {"x509", "x509_key_filename", "panoptes.key"},
    {"x509", "x509_secured_requests", "", 0, 0, 2},
};

Json Default(const Key& key) { return key.text.empty() ? Json(key.number) : Json(key.text); }

Json Defaults(std::string_view section) {
  Json values = Json::object();
  for (const Key& key : kKeys)
    if (key.section == section) values[std::string(key.name)] = Default(key);
  return values;
}

std::string NeedsNumber(const Key& key) {
  return fmt::format("needs a whole number from {} to {}", key.least, key.most);
}

class SiteReader {
 public:
  SiteReader(const ConfigSection& root, const std::string& file, std::vector<Finding>& findings)
      : root_(root), file_(file), findings_(findings) {}

  bool Read(Site& site) {
    const auto main = Values("main");
    const auto sites = List("main", "sites", "local");
    auto snmp = Values("snmp", true), x509 = Values("x509", true);
    for (const std::string_view type : kTypes) ReadPaths(std::string(type), site);
    if (!main || !sites || !snmp || !x509) return false;
    site.sites = *sites;
    // What the file does not say stays as the site configuration has it.
    if (const ConfigSection* given = root_.Find("main")) {
      if (given->FindValue("plugins_extension")) site.extension = main->at("plugins_extension").get<std::string>();
      if (given->FindValue("plugins_skew")) site.skew = main->at("plugins_skew").get<std::int64_t>();
    }
    site.snmp = *std::move(snmp);
    site.x509 = *std::move(x509);
    return true;
  }

 private:
  std::string Where(std::string_view section, std::string_view key) const {
    const ConfigSection* given = root_.Find(section);
    const ConfigValue* value = given == nullptr ? nullptr : given->FindValue(key);
    return value == nullptr ? fmt::format("[{}] {}", section, key)
                            : fmt::format("[{}] {}, line {}", section, key, value->line);
  }

  void Complain(std::string_view section, std::string_view key, std::string_view why) {
    findings_.push_back({Severity::kError, file_, Where(section, key),
                         fmt::format("Error parsing the configuration file: The \"{}\" key in section \"{}\" failed "
                                     "validation: {}",
                                     key, section, why)});
  }

  void ReadPaths(const std::string& type, Site& site) {
    const auto values = Values(type);
    const auto paths = List(type, "plugins_paths", "/path/of/plugins");
    if (!values || !paths) return;
    for (const std::string& path : *paths) site.paths.push_back({type, path, Where(type, "plugins_paths")});
  }

  // The keys of a section with their types, defaults for those that are missing, and unknown ones
  // as they are or not at all.
  std::optional<Json> Values(std::string_view section, bool with_unknown = false) {
    Json values = Defaults(section);
    const ConfigSection* given = root_.Find(section);
    if (given == nullptr) return values;
    bool fits = true;
    for (const auto& [name, raw] : given->values) {
      const auto key = std::find_if(std::begin(kKeys), std::end(kKeys),
                                    [&](const Key& one) { return one.section == section && one.name == name; });
      if (key == std::end(kKeys) && !with_unknown) continue;
      const auto value = Interpolated(root_, *given, name);
      std::string why;
      if (!value)
        why = value.error().message;
      else if (key == std::end(kKeys))
        values[name] = value->list ? Json(value->items) : Json(value->items[0]);
      else
        why = Take(*key, *value, values[name]);
      if (why.empty()) continue;
      Complain(section, name, why);
      fits = false;
    }
    if (!fits) return std::nullopt;
    return values;
  }

  // Why the value does not fit; empty if it does.
  static std::string Take(const Key& key, const ConfigValue& value, Json& out) {
    if (key.text.empty()) {
      const auto number = value.list ? std::nullopt : ParseInt(value.items[0]);
      if (!number || *number < key.least || *number > key.most) return NeedsNumber(key);
      out = *number;
      return "";
    }
    if (value.list) return "needs a text: a value with a comma stands in quotes";
    if (value.items[0].empty()) return "needs a text that is not empty";
    out = value.items[0];
    return "";
  }

  // A list of at least one.
  std::optional<std::vector<std::string>> List(std::string_view section, std::string_view key,
                                               std::string_view example) {
    const ConfigSection* given = root_.Find(section);
    if (given == nullptr || given->FindValue(key) == nullptr)
      return Complain(section, key, "it is missing"), std::nullopt;
    const auto value = Interpolated(root_, *given, key);
    if (!value) return Complain(section, key, value.error().message), std::nullopt;
    if (!value->list)
      return Complain(section, key, fmt::format("needs a list; a list of one ends with a comma, `{},`", example)),
             std::nullopt;
    if (value->items.empty()) return Complain(section, key, "needs a list of at least one"), std::nullopt;
    return value->items;
  }

  const ConfigSection& root_;
  const std::string& file_;
  std::vector<Finding>& findings_;
};

bool IsListOfTexts(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_string() && item != ""; });
}

}  // namespace

std::vector<std::string> SiteSettings() {
  return {"sites", "plugins_extension", "plugins_skew", "filter_or", "memory_mib", std::string(kCommunity)};
}

Settings SettingsOf(const Site& site, const std::string& type) {
  return {{"sites", site.sites},
          {"plugins_extension", site.extension},
          {"plugins_skew", site.skew},
          {"filter_or", site.or_rule == OrRule::kLogical ? "logical" : "original"},
          {"memory_mib", site.memory_mib},
          {"snmp", site.snmp},
          {"x509", site.x509},
          {"type", type}};
}

Site SiteFromSettings(const Settings& settings, std::vector<Finding>& findings) {
  Site site;
  site.snmp = Defaults("snmp");
  site.x509 = Defaults("x509");
  // Takes the value if `fits`.
  const auto take = [&](const char* key, auto fits, std::string_view needs, auto take_value) {
    const auto given = settings.find(key);
    if (given == settings.end()) return;
    if (fits(given->second)) return take_value(given->second);
    findings.push_back(
        {Severity::kError, "site configuration", fmt::format("settings.panoptes.{}", key), std::string(needs)});
  };
  take("sites", IsListOfTexts, "needs a list of texts, at least one",
       [&](const Json& value) { site.sites = value.get<std::vector<std::string>>(); });
  take(
      "plugins_extension", [](const Json& value) { return value.is_string() && value != ""; },
      "needs a text that is not empty", [&](const Json& value) { site.extension = value.get<std::string>(); });
  take(
      "plugins_skew", [](const Json& value) { return value.is_number_integer() && value >= 0 && value <= 60; },
      "needs a whole number of seconds from 0 to 60",
      [&](const Json& value) { site.skew = value.get<std::int64_t>(); });
  take(
      "filter_or", [](const Json& value) { return value == "original" || value == "logical"; },
      "needs \"original\" or \"logical\"",
      [&](const Json& value) { site.or_rule = value == "logical" ? OrRule::kLogical : OrRule::kOriginal; });
  take(
      "memory_mib", [](const Json& value) { return value.is_number_integer() && value >= 64 && value <= 1'048'576; },
      "needs a whole number of MiB from 64 to 1048576",
      [&](const Json& value) { site.memory_mib = value.get<std::int64_t>(); });
  // Of SettingsOf() only: a site configuration has a panoptes.ini for these.
  take(
      "snmp", [](const Json& value) { return value.is_object(); }, "needs a table",
      [&](const Json& value) { site.snmp = value; });
  take(
      "x509", [](const Json& value) { return value.is_object(); }, "needs a table",
      [&](const Json& value) { site.x509 = value; });
  take(
      "type", [](const Json& value) { return value.is_string(); }, "needs a text",
      [&](const Json& value) { site.type = value.get<std::string>(); });
  return site;
}

bool ReadSite(std::string_view text, const std::string& file, Site& site, std::vector<Finding>& findings) {
  ConfigFile config = ParseConfigFile(text, file);
  const bool parsed = config.findings.empty();
  std::move(config.findings.begin(), config.findings.end(), std::back_inserter(findings));
  return parsed && SiteReader(config.root, file, findings).Read(site);
}

}  // namespace backplane::panoptes
