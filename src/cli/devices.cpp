// backplane devices ...
#include <charconv>
#include <cstdio>
#include <iostream>
#include <limits>

#include <fmt/format.h>

#include "cli/client.h"
#include "cli/command.h"
#include "cli/table.h"
#include "model/record.h"

namespace backplane::cli {
namespace {

constexpr const char* kStatuses = "shown, new, online, offline, down, archived or all";

// --where FIELD=VALUE and the other filters, as the API has them.
Result<Client::Query> Filters(const Args& args) {
  Client::Query filters;
  for (const char* name : {"search", "status"})
    if (args.Has(std::string("--") + name)) filters[name] = args.Get(std::string("--") + name);
  for (const std::string& filter : args.All("--where")) {
    const auto pair = Assignment(filter);
    if (!pair) return Fail(Errc::kInvalid, fmt::format("--where {}: write FIELD=VALUE", filter));
    filters[pair->first] = pair->second;
  }
  return filters;
}

Result<std::size_t> Limit(const Args& args) {
  std::size_t limit = std::numeric_limits<std::size_t>::max();
  if (!args.Has("--limit")) return limit;
  const std::string text = args.Get("--limit");
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error != std::errc() || end != text.data() + text.size() || limit == 0)
    return Fail(Errc::kInvalid, fmt::format("--limit {}: not a number from 1 on", text));
  return limit;
}

// Page by page, up to `most`; `more` says whether there is more than that.
Result<Json> Collect(const Client& client, Client::Query query, std::size_t most, bool& more) {
  Json devices = Json::array();
  do {
    query["limit"] = std::to_string(std::min<std::size_t>(most - devices.size(), 1000));
    BACKPLANE_ASSIGN(Json page, client.Get("/devices", query));
    for (Json& device : page["devices"]) devices.push_back(std::move(device));
    more = !page["next"].is_null();
    query["after"] = Text(page, "next");
  } while (more && devices.size() < most);
  return devices;
}

int List(const Args& args) {
  auto query = Filters(args);
  if (!query) return Report(query.error());
  const auto most = Limit(args);
  if (!most) return Report(most.error());
  if (args.Has("--sort")) (*query)["sort"] = args.Get("--sort");
  if (args.Has("--desc")) (*query)["desc"] = "true";
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  bool more = false;
  const auto devices = Collect(*client, *query, *most, more);
  if (!devices) return Report(devices.error());
  if (args.Has("--json")) return PrintJson(*devices), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& device : *devices)
    rows.push_back({Text(device, "id"), Text(device, "name"), Text(device, "ip"), Text(device, "mac"),
                    Text(device, "vendor"), Text(device, "type"), Text(device, "status"),
                    ShortTime(Text(device, "last_seen"))});
  PrintTable({"ID", "NAME", "IP", "MAC", "VENDOR", "TYPE", "STATUS", "LAST SEEN (UTC)"}, rows);
  if (more) std::puts(fmt::format("... and more than these {}: see --limit, or narrow it down", *most).c_str());
  return kOk;
}

void PrintSome(const char* heading, const std::vector<std::string>& columns,
               const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return;
  std::puts(fmt::format("\n{}", heading).c_str());
  PrintTable(columns, rows);
}

std::vector<std::vector<std::string>> EventRows(const Json& events, bool of_many) {
  std::vector<std::vector<std::string>> rows;
  for (const Json& event : events) {
    std::vector<std::string> row = {ShortTime(Text(event, "at")), Text(event, "kind"), Text(event, "ip"),
                                    Text(event, "info")};
    if (of_many) row.insert(row.begin() + 1, {Text(event, "device"), Text(event, "mac")});
    rows.push_back(std::move(row));
  }
  return rows;
}

int Show(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const std::string path = "/devices/" + args.Get("ID");
  auto device = client->Get(path);
  if (!device) return Report(device.error());
  const auto sessions = client->Get(path + "/sessions", {{"limit", "5"}});
  if (!sessions) return Report(sessions.error());
  const auto events = client->Get(path + "/events", {{"limit", "10"}});
  if (!events) return Report(events.error());
  if (args.Has("--json")) {
    (*device)["sessions"] = (*sessions)["sessions"];
    (*device)["events"] = (*events)["events"];
    return PrintJson(*device), kOk;
  }
  std::vector<std::pair<std::string, std::string>> fields = {
      {"id", Text(*device, "id")},
      {"status", Text(*device, "status")},
      {(*device)["present"] == true ? "present since" : "absent since", ShortTime(Text(*device, "since"))}};
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
  PrintSome("Who says what:", {"FIELD", "SOURCE", "IN FORCE", "SAID AT (UTC)", "VALUE"}, rows);
  rows.clear();
  for (const Json& session : (*sessions)["sessions"])
    rows.push_back({ShortTime(Text(session, "began")), ShortTime(Text(session, "ended")), Text(session, "ip")});
  PrintSome("When it was there:", {"FROM (UTC)", "TO (UTC)", "IP"}, rows);
  PrintSome("What became of it:", {"AT (UTC)", "EVENT", "IP", "MORE"}, EventRows((*events)["events"], false));
  return kOk;
}

int Events(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query;
  for (const char* name : {"kind", "from", "to", "limit"})
    if (args.Has(std::string("--") + name)) query[name] = args.Get(std::string("--") + name);
  if (args.Has("--pending")) query["pending"] = "true";
  const bool of_many = !args.Has("ID");
  const auto page = client->Get(of_many ? "/device-events" : "/devices/" + args.Get("ID") + "/events", query);
  if (!page) return Report(page.error());
  const Json& events = (*page)["events"];
  if (args.Has("--json")) return PrintJson(events), kOk;
  std::vector<std::string> columns = {"AT (UTC)", "EVENT", "IP", "MORE"};
  if (of_many) columns.insert(columns.begin() + 1, {"DEVICE", "MAC"});
  PrintTable(columns, EventRows(events, of_many));
  if (!(*page)["next"].is_null())
    std::puts(fmt::format("... and older ones than these {}: see --limit", events.size()).c_str());
  return kOk;
}

Result<Json> Ids(const Args& args, const char* argument) {
  Json ids = Json::array();
  for (const std::string& text : args.All(argument)) {
    std::int64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size())
      return Fail(Errc::kInvalid, fmt::format("{}: not an id of a device", text));
    ids.push_back(id);
  }
  return ids;
}

int EditOne(const Args& args, const Json& change) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto device = client->Call("PATCH", "/devices/" + args.Get("ID"), change);
  if (!device) return Report(device.error());
  if (args.Has("--json")) return PrintJson(*device), kOk;
  std::puts(fmt::format("device {} is at revision {}", Text(*device, "id"), Text(*device, "revision")).c_str());
  return kOk;
}

// Sends `change` about the devices named, or those that match, and says what came of it.
int EditMany(const Args& args, Json change) {
  const auto ids = Ids(args, "ID");
  if (!ids) return Report(ids.error());
  const auto filters = Filters(args);
  if (!filters) return Report(filters.error());
  if (ids->empty() == filters->empty())
    return Report({Errc::kInvalid, "which devices? give either ids, or --where, --search or --status", {}});
  if (ids->size() == 1 && !args.Has("--dry-run")) return EditOne(args, change);
  if (!ids->empty()) change["devices"] = *ids;
  if (!filters->empty()) change["where"] = *filters;
  if (args.Has("--dry-run")) change["dry_run"] = true;
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto answer = client->Call("PATCH", "/devices", change);
  if (!answer) return Report(answer.error());
  if (args.Has("--json")) return PrintJson(*answer), kOk;
  std::puts(fmt::format("{} of {} devices {}", Text(*answer, "changed"), Text(*answer, "matched"),
                        args.Has("--dry-run") ? "would be changed" : "were changed")
                .c_str());
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
  return EditMany(args, std::move(body));
}

int Archive(const Args& args, bool archived) { return EditMany(args, {{"set", {{"archived", archived}}}}); }

int Merge(const Args& args) {
  const auto from = Ids(args, "FROM");
  if (!from) return Report(from.error());
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto device = client->Call("POST", "/devices/" + args.Get("INTO") + "/merge", {{"from", *from}});
  if (!device) return Report(device.error());
  if (args.Has("--json")) return PrintJson(*device), kOk;
  std::puts(fmt::format("device {} is all of them; it has {} identifiers", Text(*device, "id"),
                        (*device)["identifiers"].size())
                .c_str());
  return kOk;
}

// VALUE, or SCHEME=VALUE where two have that value.
Result<Json> Named(const Json& device, const std::string& text) {
  Json found = Json::array();
  for (const Json& identifier : device["identifiers"])
    if (text == Text(identifier, "value") || text == Text(identifier, "scheme") + "=" + Text(identifier, "value"))
      found.push_back(identifier);
  if (found.size() == 1) return found[0];
  return Fail(Errc::kInvalid,
              found.empty() ? fmt::format("device {} does not go by {}", Text(device, "id"), text)
                            : fmt::format("device {} goes by {} twice: write SCHEME=VALUE", Text(device, "id"), text));
}

int Split(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const std::string path = "/devices/" + args.Get("ID");
  const auto device = client->Get(path);
  if (!device) return Report(device.error());
  Json body = {{"identifiers", Json::array()}};
  for (const std::string& text : args.All("IDENTIFIER")) {
    const auto identifier = Named(*device, text);
    if (!identifier) return Report(identifier.error());
    body["identifiers"].push_back(*identifier);
  }
  const auto made = client->Call("POST", path + "/split", body);
  if (!made) return Report(made.error());
  if (args.Has("--json")) return PrintJson(*made), kOk;
  std::puts(fmt::format("device {} is a device of its own", Text(*made, "id")).c_str());
  return kOk;
}

int Delete(const Args& args) {
  const auto ids = Ids(args, "ID");
  if (!ids) return Report(ids.error());
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  if (!args.Has("--yes")) {
    std::string names;
    for (const Json& id : *ids) {
      const auto device = client->Get("/devices/" + DumpJson(id));
      if (!device) return Report(device.error());
      names += fmt::format("{}{} {}", names.empty() ? "" : ", ", DumpJson(id), Text(*device, "name"));
    }
    std::fputs(
        fmt::format("Delete {} with all that is known of {}? [y/N] ", names, ids->size() == 1 ? "it" : "them").c_str(),
        stderr);
    std::string answer;
    std::getline(std::cin, answer);
    if (answer != "y" && answer != "yes") return Report({Errc::kConflict, "nothing was deleted", {}});
  }
  Json removed = Json::array();
  for (const Json& id : *ids) {
    const auto done = client->Call("DELETE", "/devices/" + DumpJson(id));
    if (!done) return Report(done.error());
    removed.push_back(id);
    if (!args.Has("--json")) std::puts(fmt::format("device {} is deleted", DumpJson(id)).c_str());
  }
  if (args.Has("--json")) PrintJson({{"removed", removed}});
  return kOk;
}

const std::vector<Option> kWhich = {
    {"--search", "TEXT", "Only devices with this in name, MAC, IP, vendor or FQDN"},
    {"--status", "STATUS", fmt::format("Only these: {}; shown, all but archived ones, unless given", kStatuses)},
    {"--where", "FIELD=VALUE", "Only devices whose field has this value", true}};

std::vector<Option> With(std::vector<Option> options, const std::vector<Option>& more) {
  options.insert(options.end(), more.begin(), more.end());
  return ClientOptions(std::move(options));
}

}  // namespace

std::vector<Command> DeviceCommands() {
  const std::string fields = fmt::format("Fields: {}", fmt::join(kDeviceFields, ", "));
  const std::vector<Argument> ids = {{.name = "ID", .sentence = "Their ids", .optional = true, .repeated = true}};
  const Option dry_run{"--dry-run", "", "Say how many would be changed, and change nothing"};
  return {
      {"devices list",
       "List devices",
       {},
       With(kWhich,
            {{"--sort", "FIELD", "By id (unless given), name, mac, ip, vendor, type, first_seen, last_seen or since"},
             {"--desc", "", "The other way round"},
             {"--limit", "N", "So many; all unless given"}}),
       List,
       fields},
      {"devices show",
       "Show a device: its fields, who says so, who saw it, and when it was there",
       {{"ID", "Its id"}},
       ClientOptions({}),
       Show},
      {"devices events",
       "List when devices came, went and changed their address, newest first",
       {{"ID", "Of this device only; it may be gone", true}},
       ClientOptions({{"--kind", "KIND", "Only new, connected, disconnected, down, reconnected or ip_changed"},
                      {"--from", "TIME", "Only from then on (2026-08-22T10:00:00Z, or -1h)"},
                      {"--to", "TIME", "Only up to then"},
                      {"--pending", "", "Only those that people are to be told of, and were not yet"},
                      {"--limit", "N", "So many, 1 to 1000; 100 unless given"}}),
       Events},
      {"devices edit", "Change devices: what you set stays until you take it back", ids,
       With(kWhich, {{"--set", "FIELD=VALUE", "Set a field", true},
                     {"--unset", "FIELD", "Take your value back", true},
                     {"--lock", "FIELD", "Let nobody change a field", true},
                     {"--unlock", "FIELD", "End that", true},
                     dry_run}),
       Edit, fields},
      {"devices archive", "Put devices out of the way: no list shows them unless asked to", ids,
       With(kWhich, {dry_run}), [](const Args& args) { return Archive(args, true); }},
      {"devices unarchive", "Take devices back into the lists", ids, With(kWhich, {dry_run}),
       [](const Args& args) { return Archive(args, false); }},
      {"devices merge",
       "Make one device of several that are the same thing",
       {{"INTO", "The id of the one that stays"},
        {.name = "FROM", .sentence = "The ids of the others", .repeated = true}},
       ClientOptions({}),
       Merge},
      {"devices split",
       "Make a new device of what a device goes by also",
       {{"ID", "Its id"},
        {.name = "IDENTIFIER",
         .sentence = "What the new one goes by: VALUE, or SCHEME=VALUE, of those that `devices show` names",
         .repeated = true}},
       ClientOptions({}),
       Split},
      {"devices delete",
       "Delete devices; when they are seen again they are new",
       {{.name = "ID", .sentence = "Their ids", .repeated = true}},
       ClientOptions({{"--yes", "", "Do not ask"}}),
       Delete},
  };
}

}  // namespace backplane::cli
