// backplane devices ...
#include <fmt/format.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"
#include "model/record.h"

namespace backplane::cli {
namespace {

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query = {{"limit", "1000"}};
  if (args.Has("--search")) query["search"] = args.Get("--search");
  for (const std::string& filter : args.All("--where")) {
    const auto pair = Assignment(filter);
    if (!pair) return Report({Errc::kInvalid, fmt::format("--where {}: write FIELD=VALUE", filter), {}});
    query[pair->first] = pair->second;
  }
  Json devices = Json::array();
  while (true) {
    auto page = client->Get("/devices", query);
    if (!page) return Report(page.error());
    for (Json& device : (*page)["devices"]) devices.push_back(std::move(device));
    if ((*page)["next"].is_null()) break;
    query["after"] = DumpJson((*page)["next"]);
  }
  if (args.Has("--json")) return PrintJson(devices), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& device : devices)
    rows.push_back({Text(device, "id"), Text(device, "name"), Text(device, "ip"), Text(device, "mac"),
                    Text(device, "vendor"), Text(device, "type"), ShortTime(Text(device, "last_seen"))});
  PrintTable({"ID", "NAME", "IP", "MAC", "VENDOR", "TYPE", "LAST SEEN (UTC)"}, rows);
  return kOk;
}

int Show(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto device = client->Get("/devices/" + args.Get("ID"));
  if (!device) return Report(device.error());
  if (args.Has("--json")) return PrintJson(*device), kOk;
  std::vector<std::pair<std::string, std::string>> fields = {{"id", Text(*device, "id")}};
  for (const char* field : kDeviceFields) fields.emplace_back(field, Text(*device, field));
  fields.emplace_back("first seen", ShortTime(Text(*device, "first_seen")));
  fields.emplace_back("last seen", ShortTime(Text(*device, "last_seen")));
  for (const Json& identifier : (*device)["identifiers"])
    fields.emplace_back("known as", Text(identifier, "scheme") + " " + Text(identifier, "value"));
  for (const Json& field : (*device)["locked"]) fields.emplace_back("locked", field.get<std::string>());
  for (const Json& seen : (*device)["seen_by"])
    fields.emplace_back("seen by", fmt::format("{}, last {}", Text(seen, "source"), ShortTime(Text(seen, "last"))));
  PrintFields(fields);
  std::vector<std::vector<std::string>> rows;
  for (const Json& claim : (*device)["claims"])
    rows.push_back({Text(claim, "field"), Text(claim, "source"), claim["wins"] == true ? "yes" : "",
                    ShortTime(Text(claim, "at")), Text(claim, "value")});
  if (!rows.empty()) {
    std::puts("");
    PrintTable({"FIELD", "SOURCE", "IN FORCE", "SAID AT (UTC)", "VALUE"}, rows);
  }
  return kOk;
}

int Edit(const Args& args) {
  Json body = Json::object();
  for (const std::string& text : args.All("--set")) {
    const auto pair = Assignment(text);
    if (!pair) return Report({Errc::kInvalid, fmt::format("--set {}: write FIELD=VALUE", text), {}});
    body["set"][pair->first] = pair->second;
  }
  for (const std::string& field : args.All("--unset")) body["set"][field] = nullptr;
  for (const std::string& field : args.All("--lock")) body["lock"].push_back(field);
  for (const std::string& field : args.All("--unlock")) body["unlock"].push_back(field);
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto device = client->Call("PATCH", "/devices/" + args.Get("ID"), body);
  if (!device) return Report(device.error());
  if (args.Has("--json")) return PrintJson(*device), kOk;
  std::puts(fmt::format("device {} is at revision {}", Text(*device, "id"), Text(*device, "revision")).c_str());
  return kOk;
}

}  // namespace

std::vector<Command> DeviceCommands() {
  const std::string fields = fmt::format("Fields: {}", fmt::join(kDeviceFields, ", "));
  return {
      {"devices list",
       "List devices",
       {},
       ClientOptions({{"--search", "TEXT", "Only devices with this in name, MAC, IP, vendor or FQDN"},
                      {"--where", "FIELD=VALUE", "Only devices whose field has this value", true}}),
       List,
       fields},
      {"devices show",
       "Show a device: its fields, who says so, and who saw it",
       {{"ID", "Its id"}},
       ClientOptions({}),
       Show},
      {"devices edit",
       "Change a device: what you set stays until you take it back",
       {{"ID", "Its id"}},
       ClientOptions({{"--set", "FIELD=VALUE", "Set a field", true},
                      {"--unset", "FIELD", "Take your value back", true},
                      {"--lock", "FIELD", "Let nobody change a field", true},
                      {"--unlock", "FIELD", "End that", true}}),
       Edit,
       fields},
  };
}

}  // namespace backplane::cli
