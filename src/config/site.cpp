#include "config/site.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>
#include <unistd.h>
#include <nlohmann/json.hpp>

#include "base/files.h"
#include "model/record.h"

namespace backplane::config {
namespace {

constexpr std::size_t kMaxFile = 4 << 20;
constexpr std::string_view kHostName = "{hostname}";

std::string Place(const std::filesystem::path& file, const toml::node& node) {
  return fmt::format("{}:{}", file.string(), node.source().begin.line);
}

// Sets each option from the file, then from the environment; keeps the first error.
class Reader final : public OptionVisitor {
 public:
  Reader(const toml::table& table, std::filesystem::path file) : table_(table), file_(std::move(file)) {}

  void Text(std::string_view name, std::string& value, std::string_view) override { ReadText(name, value); }
  void Choice(std::string_view name, std::string& value, const std::vector<std::string_view>& choices,
              std::string_view) override {
    const std::string place = ReadText(name, value);
    if (std::find(choices.begin(), choices.end(), value) == choices.end())
      Complain(place, name, fmt::format("\"{}\" is none of {}", value, fmt::join(choices, ", ")));
  }
  void Integer(std::string_view name, std::int64_t& value, std::int64_t least, std::int64_t most,
               std::string_view) override {
    std::string place;
    if (const toml::node* node = Find(name)) {
      place = Place(file_, *node);
      const auto number = node->value_exact<std::int64_t>();
      if (!number) return Complain(place, name, "is not a whole number");
      value = *number;
    }
    if (const char* text = std::getenv(EnvironmentName(name).c_str())) {
      place = EnvironmentName(name);
      const std::string_view view(text);
      const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
      if (error != std::errc() || end != view.data() + view.size())
        return Complain(place, name, fmt::format("\"{}\" is not a whole number", view));
    }
    if (value < least || value > most)
      Complain(place, name, fmt::format("{} is not between {} and {}", value, least, most));
  }
  void Duration(std::string_view name, Millis& value, Millis least, Millis most, std::string_view) override {
    std::string text = FormatDuration(value);
    const std::string place = ReadText(name, text);
    const auto duration = ParseDuration(text);
    if (!duration)
      return Complain(place, name, fmt::format("\"{}\" is not a duration such as 30s, 5m, 2h or 7d", text));
    if (*duration < least || *duration > most)
      return Complain(place, name,
                      fmt::format("{} is not between {} and {}", text, FormatDuration(least), FormatDuration(most)));
    value = *duration;
  }

  Status status() const { return status_; }
  const std::set<std::string>& known() const { return known_; }

 private:
  const toml::node* Find(std::string_view name) {
    known_.insert(std::string(name));
    return table_.at_path(name).node();
  }

  // Returns where the value was found; empty if nowhere.
  std::string ReadText(std::string_view name, std::string& value) {
    std::string place;
    if (const toml::node* node = Find(name)) {
      place = Place(file_, *node);
      const auto text = node->value_exact<std::string>();
      if (!text) {
        Complain(place, name, "is not a text");
        return place;
      }
      value = *text;
    }
    if (const char* text = std::getenv(EnvironmentName(name).c_str())) {
      place = EnvironmentName(name);
      value = text;
    }
    return place;
  }

  void Complain(const std::string& place, std::string_view name, const std::string& what) {
    if (status_) status_ = Fail(Errc::kInvalid, fmt::format("{}: {}: {}", place, name, what), std::string(name));
  }

  const toml::table& table_;
  const std::filesystem::path file_;
  Status status_;
  std::set<std::string> known_;
};

Result<Json> ToJson(const toml::node& node, const std::filesystem::path& file) {
  if (const auto text = node.value_exact<std::string>()) return Json(*text);
  if (const auto number = node.value_exact<std::int64_t>()) return Json(*number);
  if (const auto flag = node.value_exact<bool>()) return Json(*flag);
  if (const auto real = node.value_exact<double>()) return Json(*real);
  if (const toml::array* array = node.as_array()) {
    Json list = Json::array();
    for (const toml::node& item : *array) {
      BACKPLANE_ASSIGN(Json value, ToJson(item, file));
      list.push_back(std::move(value));
    }
    return list;
  }
  if (const toml::table* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, item] : *table) {
      BACKPLANE_ASSIGN(Json value, ToJson(item, file));
      object[std::string(key.str())] = std::move(value);
    }
    return object;
  }
  return Fail(Errc::kInvalid, fmt::format("{}: dates are not used here: write a text", Place(file, node)));
}

Status ReadFolders(const toml::table& table, const std::filesystem::path& file, Site& site) {
  const toml::node* node = table.get("plugins");
  if (node == nullptr) return {};
  const toml::array* list = node->as_array();
  if (list == nullptr)
    return Fail(Errc::kInvalid, fmt::format("{}: plugins: write [[plugins]]", Place(file, *node)), "plugins");
  for (const toml::node& item : *list) {
    const toml::table* entry = item.as_table();
    if (entry == nullptr)
      return Fail(Errc::kInvalid, fmt::format("{}: plugins: write [[plugins]]", Place(file, item)), "plugins");
    PluginFolder folder;
    for (const auto& [key, value] : *entry) {
      const auto text = value.value_exact<std::string>();
      const auto flag = value.value_exact<bool>();
      if (key == "path" && text) {
        folder.path = file.parent_path() / *text;  // an absolute text replaces the folder
      } else if (key == "dialect" && text) {
        folder.dialect = *text;
      } else if (key == "run_at_start" && flag) {
        folder.run_at_start = *flag;
      } else if (key == "config" && text) {
        folder.config = (file.parent_path() / *text).lexically_normal();
      } else {
        return Fail(Errc::kInvalid,
                    fmt::format("{}: plugins.{}: unknown key or wrong type; there are path, dialect and config (texts) "
                                "and run_at_start (true or false)",
                                Place(file, value), key.str()),
                    "plugins");
      }
    }
    if (folder.path.empty())
      return Fail(Errc::kInvalid, fmt::format("{}: plugins.path: is missing", Place(file, item)), "plugins.path");
    folder.path = folder.path.lexically_normal();
    site.folders.push_back(std::move(folder));
  }
  return {};
}

// A table of texts, each of whose keys is one of `known`; any, if there are none.
Result<std::map<std::string, std::string>> ReadTexts(const toml::node& node, const std::filesystem::path& file,
                                                     const std::string& name,
                                                     const std::vector<std::string_view>& known) {
  std::map<std::string, std::string> texts;
  const toml::table* table = node.as_table();
  if (table == nullptr)
    return Fail(Errc::kInvalid, fmt::format("{}: {}: is not a table of texts", Place(file, node), name), name);
  for (const auto& [key, value] : *table) {
    const auto text = value.value_exact<std::string>();
    if (!text)
      return Fail(Errc::kInvalid, fmt::format("{}: {}.{}: is not a text", Place(file, value), name, key.str()), name);
    if (!known.empty() && std::find(known.begin(), known.end(), key.str()) == known.end())
      return Fail(Errc::kInvalid,
                  fmt::format("{}: {}.{}: unknown key; there are {}", Place(file, value), name, key.str(),
                              fmt::join(known, ", ")),
                  name);
    texts[std::string(key.str())] = *text;
  }
  return texts;
}

// Every {name} in the texts is a field of a device.
Status CheckTemplates(const std::map<std::string, std::string>& texts, const std::string& place,
                      const std::string& name) {
  for (const auto& [key, text] : texts) {
    for (auto open = text.find('{'); open != std::string::npos; open = text.find('{', open + 1)) {
      const auto close = text.find('}', open);
      const std::string field = close == std::string::npos ? "" : text.substr(open + 1, close - open - 1);
      if (std::find(kDeviceFields.begin(), kDeviceFields.end(), field) == kDeviceFields.end())
        return Fail(Errc::kInvalid,
                    fmt::format("{}: {}.{}: \"{}\": in braces there can be {}", place, name, key, text,
                                fmt::join(kDeviceFields, ", ")),
                    name);
    }
  }
  return {};
}

Status CheckPatterns(const std::map<std::string, std::string>& where, const std::string& place) {
  for (const auto& [field, pattern] : where)
    for (auto open = pattern.find('{'); open != std::string::npos; open = pattern.find('{', open + 1))
      if (pattern.compare(open, kHostName.size(), kHostName) != 0)
        return Fail(
            Errc::kInvalid,
            fmt::format("{}: mapping.where.{}: \"{}\": in braces there can be hostname only", place, field, pattern),
            "mapping.where");
  return {};
}

// Filters name metadata in lower case.
Status CheckMetadata(const std::map<std::string, std::string>& metadata, const std::string& place) {
  for (const auto& [key, value] : metadata) {
    const bool word = !key.empty() && !(key[0] >= '0' && key[0] <= '9') &&
                      key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (!word)
      return Fail(
          Errc::kInvalid,
          fmt::format("{}: mapping.metadata.{}: a key is of a-z, 0-9 and _, and begins with no digit", place, key),
          "mapping.metadata");
  }
  return {};
}

Status ReadMapping(const toml::table& table, const std::filesystem::path& file, Mapping& mapping) {
  static const std::vector<std::string_view> kFields(kDeviceFields.begin(), kDeviceFields.end());
  static const std::vector<std::string_view> kParts = {"site", "class", "subclass", "type", "id", "endpoint"};
  mapping.resource = {{"site", "local"},   {"class", "network"}, {"subclass", "device"},
                      {"type", "generic"}, {"id", "{mac}"},      {"endpoint", "{ip}"}};
  for (const auto& [key, value] : table) {
    const auto text = value.value_exact<std::string>();
    if (key == "name" && text && !text->empty() && text->find('|') == std::string::npos) {
      mapping.name = *text;
    } else if (key == "where") {
      BACKPLANE_ASSIGN(mapping.where, ReadTexts(value, file, "mapping.where", kFields));
      BACKPLANE_TRY(CheckPatterns(mapping.where, Place(file, value)));
    } else if (key == "resource") {
      BACKPLANE_ASSIGN(auto given, ReadTexts(value, file, "mapping.resource", kParts));
      BACKPLANE_TRY(CheckTemplates(given, Place(file, value), "mapping.resource"));
      for (auto& [part, content] : given) {
        if (content.empty() || content.find('|') != std::string::npos)
          return Fail(Errc::kInvalid,
                      fmt::format("{}: mapping.resource.{}: is empty, or has a '|'", Place(file, value), part),
                      "mapping.resource");
        mapping.resource[part] = std::move(content);
      }
    } else if (key == "metadata") {
      BACKPLANE_ASSIGN(mapping.metadata, ReadTexts(value, file, "mapping.metadata", {}));
      BACKPLANE_TRY(CheckTemplates(mapping.metadata, Place(file, value), "mapping.metadata"));
      BACKPLANE_TRY(CheckMetadata(mapping.metadata, Place(file, value)));
    } else {
      return Fail(Errc::kInvalid,
                  fmt::format("{}: mapping.{}: unknown key or wrong type; there are name (a text without '|') and "
                              "where, resource and metadata (tables of texts)",
                              Place(file, value), key.str()),
                  "mapping");
    }
  }
  if (mapping.name.empty())
    return Fail(Errc::kInvalid, fmt::format("{}: mapping.name: is missing", Place(file, table)), "mapping.name");
  return {};
}

Status ReadMappings(const toml::table& table, const std::filesystem::path& file, Site& site) {
  const toml::node* node = table.get("mapping");
  if (node == nullptr) return {};
  const toml::array* list = node->as_array();
  if (list == nullptr)
    return Fail(Errc::kInvalid, fmt::format("{}: mapping: write [[mapping]]", Place(file, *node)), "mapping");
  for (const toml::node& item : *list) {
    const toml::table* entry = item.as_table();
    if (entry == nullptr)
      return Fail(Errc::kInvalid, fmt::format("{}: mapping: write [[mapping]]", Place(file, item)), "mapping");
    Mapping mapping;
    BACKPLANE_TRY(ReadMapping(*entry, file, mapping));
    const bool known = std::any_of(site.mappings.begin(), site.mappings.end(),
                                   [&](const Mapping& other) { return other.name == mapping.name; });
    if (known)
      return Fail(Errc::kInvalid,
                  fmt::format("{}: mapping.name: there is another called {}", Place(file, item), mapping.name),
                  "mapping.name");
    site.mappings.push_back(std::move(mapping));
  }
  return {};
}

Status ReadSettings(const toml::table& table, const std::filesystem::path& file, Site& site) {
  const toml::node* node = table.get("settings");
  if (node == nullptr) return {};
  const toml::table* dialects = node->as_table();
  if (dialects == nullptr)
    return Fail(Errc::kInvalid, fmt::format("{}: settings: write [settings.<dialect>]", Place(file, *node)),
                "settings");
  for (const auto& [dialect, values] : *dialects) {
    const toml::table* keys = values.as_table();
    if (keys == nullptr)
      return Fail(Errc::kInvalid,
                  fmt::format("{}: settings.{}: is not a table of settings", Place(file, values), dialect.str()),
                  "settings");
    for (const auto& [key, value] : *keys) {
      BACKPLANE_ASSIGN(site.settings[std::string(dialect.str())][std::string(key.str())], ToJson(value, file));
    }
  }
  return {};
}

// Every key that no option, [[plugins]], [[mapping]] or [settings] reads.
Status RefuseUnknown(const toml::table& table, const std::filesystem::path& file, const std::string& prefix,
                     const std::set<std::string>& known) {
  for (const auto& [key, value] : table) {
    const std::string name = prefix + std::string(key.str());
    if (prefix.empty() && (name == "plugins" || name == "settings" || name == "mapping")) continue;
    if (known.contains(name)) continue;
    const auto inside = known.lower_bound(name + ".");
    const bool is_group = inside != known.end() && inside->starts_with(name + ".");
    if (!is_group || !value.is_table())
      return Fail(Errc::kInvalid,
                  fmt::format("{}: {}: no such option; `backplane serve --help` lists them", Place(file, value), name),
                  name);
    BACKPLANE_TRY(RefuseUnknown(*value.as_table(), file, name + ".", known));
  }
  return {};
}

std::string DefaultData() {
  if (geteuid() == 0) return "/var/lib/backplane";
  if (const char* base = std::getenv("XDG_DATA_HOME"); base != nullptr && *base != '\0')
    return std::string(base) + "/backplane";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "." : home) + "/.local/share/backplane";
}

// Relative to the file's folder; from the environment, to where we are.
void MakeAbsolute(std::string_view option, std::string& path, const std::filesystem::path& file) {
  const bool given = std::getenv(EnvironmentName(option).c_str()) != nullptr;
  if (!given) path = file.parent_path() / path;  // an absolute one stays
  path = std::filesystem::absolute(path).lexically_normal();
}

Status PlaceKeyFiles(Options& options, const std::filesystem::path& file) {
  if (!options.passphrase_file.empty()) {
    if (!options.key_file.empty())
      return Fail(Errc::kInvalid, "secrets.key_file and secrets.passphrase_file: only one of them can be",
                  "secrets.passphrase_file");
    MakeAbsolute("secrets.passphrase_file", options.passphrase_file, file);
  } else if (options.key_file.empty()) {
    options.key_file = std::filesystem::path(options.data) / "secret.key";
  } else {
    MakeAbsolute("secrets.key_file", options.key_file, file);
  }
  return {};
}

}  // namespace

Result<Site> LoadSite(const std::filesystem::path& given) {
  Site site;
  toml::table table;
  std::filesystem::path file;
  if (!given.empty()) {
    file = std::filesystem::absolute(given);
    BACKPLANE_ASSIGN(const std::string text, ReadFile(file, kMaxFile));
    try {
      table = toml::parse(text);
    } catch (const toml::parse_error& error) {
      return Fail(Errc::kInvalid, fmt::format("{}:{}:{}: {}", file.string(), error.source().begin.line,
                                              error.source().begin.column, error.description()));
    }
  }
  Reader reader(table, file);
  Describe(site.options, reader);
  BACKPLANE_TRY(reader.status());
  BACKPLANE_TRY(RefuseUnknown(table, file, "", reader.known()));
  BACKPLANE_TRY(ReadFolders(table, file, site));
  BACKPLANE_TRY(ReadMappings(table, file, site));
  BACKPLANE_TRY(ReadSettings(table, file, site));
  if (site.options.data.empty()) site.options.data = std::filesystem::absolute(DefaultData());
  MakeAbsolute("data", site.options.data, file);
  BACKPLANE_TRY(PlaceKeyFiles(site.options, file));
  BACKPLANE_TRY(ParseAddress(site.options.listen));
  return site;
}

Result<Address> ParseAddress(std::string_view text) {
  const auto wrong = [&](std::string_view what) {
    return Fail(Errc::kInvalid, fmt::format("listen: \"{}\": {}", text, what), "listen");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("is not ADDRESS:PORT");
  std::string_view host = text.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const std::string_view digits = text.substr(colon + 1);
  Address address{std::string(host), 0};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
  if (error != std::errc() || end != digits.data() + digits.size()) return wrong("the port is not 0 to 65535");
  if (host == "localhost") address.host = "127.0.0.1";
  in_addr four{};
  in6_addr six{};
  const bool is_four = inet_pton(AF_INET, address.host.c_str(), &four) == 1;
  if (!is_four && inet_pton(AF_INET6, address.host.c_str(), &six) != 1)
    return wrong("is no IP address, in brackets if it is one of IPv6");
  address.loopback = is_four ? ntohl(four.s_addr) >> 24 == 127 : IN6_IS_ADDR_LOOPBACK(&six) != 0;
  return address;
}

}  // namespace backplane::config
