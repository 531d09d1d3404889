// backplane resources ...
#include <array>

#include <fmt/format.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"

namespace backplane::cli {
namespace {

// Options that are query parameters of the same name.
constexpr std::array kFilters = {"search", "site", "class", "subclass", "type", "source"};

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query = {{"limit", "1000"}};
  for (const std::string name : kFilters)
    if (args.Has("--" + name)) query[name] = args.Get("--" + name);
  Json resources = Json::array();
  while (true) {
    auto page = client->Get("/resources", query);
    if (!page) return Report(page.error());
    for (Json& resource : (*page)["resources"]) resources.push_back(std::move(resource));
    if ((*page)["next"].is_null()) break;
    query["after"] = DumpJson((*page)["next"]);
  }
  if (args.Has("--json")) return PrintJson(resources), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& resource : resources)
    rows.push_back(
        {Text(resource, "id"), Text(resource, "resource_id"), Text(resource, "endpoint"), Text(resource, "site"),
         fmt::format("{}/{}/{}", Text(resource, "class"), Text(resource, "subclass"), Text(resource, "type")),
         Text(resource, "source"), ShortTime(Text(resource, "expires"))});
  PrintTable({"ID", "RESOURCE", "ENDPOINT", "SITE", "CLASS/SUBCLASS/TYPE", "SOURCE", "EXPIRES (UTC)"}, rows);
  return kOk;
}

int Show(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto resource = client->Get("/resources/" + args.Get("ID"));
  if (!resource) return Report(resource.error());
  if (args.Has("--json")) return PrintJson(*resource), kOk;
  std::vector<std::pair<std::string, std::string>> fields;
  for (const char* name :
       {"id", "resource_id", "endpoint", "site", "class", "subclass", "type", "plugin", "source", "device"})
    fields.emplace_back(name, Text(*resource, name));
  for (const char* name : {"created", "reported", "expires"})
    fields.emplace_back(name, ShortTime(Text(*resource, name)));
  for (const auto& [key, value] : (*resource)["metadata"].items())
    fields.emplace_back("metadata", fmt::format("{} = {}", key, value.get<std::string>()));
  for (const Json& plugin : (*resource)["plugins"]) fields.emplace_back("plugin runs", plugin.get<std::string>());
  PrintFields(fields);
  std::vector<std::vector<std::string>> rows;
  for (const Json& enrichment : (*resource)["enrichments"])
    rows.push_back({Text(enrichment, "namespace"), Text(enrichment, "source"), ShortTime(Text(enrichment, "at")),
                    ShortTime(Text(enrichment, "expires")), DumpJson(enrichment["body"])});
  if (rows.empty()) return kOk;
  std::puts("");
  PrintTable({"ENRICHMENT", "SOURCE", "AT (UTC)", "EXPIRES (UTC)", "BODY"}, rows);
  return kOk;
}

}  // namespace

std::vector<Command> ResourceCommands() {
  return {
      {"resources list",
       "List what plugins run about",
       {},
       ClientOptions({{"--search", "TEXT", "Only resources with this in id or endpoint"},
                      {"--site", "SITE", "Only resources of this site"},
                      {"--class", "CLASS", "Only resources of this class"},
                      {"--subclass", "SUBCLASS", "Only resources of this subclass"},
                      {"--type", "TYPE", "Only resources of this type"},
                      {"--source", "SOURCE", "Only resources as reported by this plugin or mapping rule"}}),
       List},
      {"resources show",
       "Show a resource: its metadata, its enrichments and the plugins that run about it",
       {{"ID", "Its id, as `resources list` prints it"}},
       ClientOptions({}),
       Show},
  };
}

}  // namespace backplane::cli
