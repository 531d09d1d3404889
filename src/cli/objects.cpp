// backplane objects ...
#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

// Values may be of any length: a table shows their beginning, --json all of them.
constexpr std::size_t kCell = 60;
constexpr std::size_t kField = 2'000;

std::string Cell(const std::string& value) { return Shorten(value, kCell); }

std::string Watched(const Json& object) {
  std::string all;
  for (const Json& value : object.at("watched")) (all += all.empty() ? "" : ", ") += Cell(value.get<std::string>());
  return all;
}

// Whatever is found, page by page, up to `most`; `more` says whether there is more than that.
Result<Json> Collect(const Client& client, Client::Query query, std::size_t most, bool& more) {
  Json objects = Json::array();
  while (objects.size() < most) {
    query["limit"] = std::to_string(std::min<std::size_t>(most - objects.size(), 1000));
    BACKPLANE_ASSIGN(Json page, client.Get("/objects", query));
    for (Json& object : page["objects"]) objects.push_back(std::move(object));
    more = !page["next"].is_null();
    if (!more) break;
    query["after"] = DumpJson(page["next"]);
  }
  return objects;
}

int List(const Args& args) {
  const std::string limit = args.Get("--limit", "100");
  std::size_t most = 0;
  const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), most);
  if (error != std::errc() || end != limit.data() + limit.size() || most == 0)
    return Report({Errc::kInvalid, fmt::format("--limit {}: not a number from 1 on", limit), {}});
  Client::Query query;
  constexpr std::array<std::pair<const char*, const char*>, 7> kFilters = {{{"--plugin", "plugin"},
                                                                            {"--status", "status"},
                                                                            {"--primary", "primary"},
                                                                            {"--secondary", "secondary"},
                                                                            {"--foreign-key", "foreign_key"},
                                                                            {"--find", "search"},
                                                                            {"--since", "since"}}};
  for (const auto& [option, parameter] : kFilters)
    if (args.Has(option)) query[parameter] = args.Get(option);
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  bool more = false;
  const auto objects = Collect(*client, query, most, more);
  if (!objects) return Report(objects.error());
  if (args.Has("--json")) return PrintJson(*objects), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& object : *objects)
    rows.push_back({Text(object, "id"), Text(object, "plugin"), Cell(Text(object, "primary")),
                    Cell(Text(object, "secondary")), Text(object, "status"), ShortTime(Text(object, "changed")),
                    Watched(object)});
  PrintTable({"ID", "PLUGIN", "PRIMARY ID", "SECONDARY ID", "STATUS", "CHANGED (UTC)", "WATCHED"}, rows);
  if (more) std::puts(fmt::format("... and more than these {}: see --limit, or narrow it down", most).c_str());
  return kOk;
}

void PrintLines(const Json& lines, const char* heading) {
  if (lines.empty()) return;
  std::vector<std::vector<std::string>> rows;
  for (const Json& line : lines)
    rows.push_back({ShortTime(Text(line, "at")), Text(line, "run"), Text(line, "status"), Watched(line)});
  std::puts("");
  PrintTable({heading, "RUN", "STATUS", "WATCHED"}, rows);
}

// What the plugin calls the values of its objects, by field.
std::map<std::string, std::string> Titles(const Client& client, const std::string& plugin) {
  std::map<std::string, std::string> titles;
  const auto described = client.Get("/plugins/" + plugin);
  if (!described || !described->contains("columns")) return titles;  // it may be gone
  for (const Json& column : described->at("columns"))
    if (const std::string title = Text(column, "title"); !title.empty()) titles[Text(column, "field")] = title;
  return titles;
}

int Show(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query;
  if (args.Has("--limit")) query["limit"] = args.Get("--limit");
  const auto object = client->Get("/objects/" + args.Get("ID"), query);
  if (!object) return Report(object.error());
  if (args.Has("--json")) return PrintJson(*object), kOk;
  std::vector<std::pair<std::string, std::string>> fields = {
      {"object", Text(*object, "id")},
      {"plugin", Text(*object, "plugin")},
      {"status", Text(*object, "status")},
      {"created", ShortTime(Text(*object, "created"))},
      {"changed", ShortTime(Text(*object, "changed"))},
  };
  const auto titles = Titles(*client, Text(*object, "plugin"));
  const auto add = [&](const std::string& field, const std::string& otherwise, const std::string& value) {
    const auto title = titles.find(field);
    fields.emplace_back(title == titles.end() ? otherwise : Cell(title->second), Shorten(value, kField));
  };
  add("primary", "primary id", Text(*object, "primary"));
  add("secondary", "secondary id", Text(*object, "secondary"));
  for (const std::string name : {"watched", "help"})
    for (std::size_t i = 0; i < (*object)[name].size(); ++i)
      add(fmt::format("{}{}", name, i + 1), fmt::format("{} {}", name, i + 1), (*object)[name][i].get<std::string>());
  add("extra", "extra", Text(*object, "extra"));
  add("foreign_key", "foreign key", Text(*object, "foreign_key"));
  PrintFields(fields);
  PrintLines((*object)["history"], "HISTORY (UTC)");
  PrintLines((*object)["reports"], "REPORTED (UTC)");
  return kOk;
}

}  // namespace

std::vector<Command> ObjectCommands() {
  return {
      {"objects list",
       "List what plugins report: ports, addresses, names, whatever they look at",
       {},
       ClientOptions({{"--plugin", "NAME", "Only of this plugin"},
                      {"--status", "STATUS", "Only new, changed, unchanged or missing ones"},
                      {"--find", "TEXT", "Only with this in one of their values"},
                      {"--since", "TIME", "Only those that changed then or later (2026-08-22T10:00:00Z, or -1h)"},
                      {"--primary", "ID", "Only with this primary id"},
                      {"--secondary", "ID", "Only with this secondary id"},
                      {"--foreign-key", "ID", "Only with this foreign key"},
                      {"--limit", "N", "So many; 100 unless given"}}),
       List},
      {"objects show",
       "Show an object: its values, what became of it, and what was reported of it",
       {{"ID", "Its id"}},
       ClientOptions({{"--limit", "N", "So many lines of its history, 1 to 1000; 100 unless given"}}),
       Show},
  };
}

}  // namespace backplane::cli
