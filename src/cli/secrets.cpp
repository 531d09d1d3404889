// backplane secrets ...
#include <filesystem>

#include <fmt/format.h>

#include "base/files.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/prompt.h"
#include "cli/table.h"
#include "store/vault.h"

namespace backplane::cli {
namespace {

// Without the line end at its end, as from standard input.
Result<Secret> ReadValue(const Args& args) {
  if (!args.Has("--from-file"))
    return AskSecret(fmt::format("Value of {}: ", Harmless(args.Get("NAME"))), store::kLargestSecret);
  BACKPLANE_ASSIGN(std::string text, ReadFile(args.Get("--from-file"), store::kLargestSecret + 2));
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return Secret::Take(text);
}

int Set(const Args& args) {
  const std::string name = args.Get("NAME");
  if (!store::IsSecretName(name))
    return Report({Errc::kInvalid, fmt::format("{}: a name is 1 to 200 letters, digits and _ . : / -", name), {}});
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  // Nobody should type a secret for a daemon that is not there.
  if (const auto alive = client->Get("/status"); !alive) return Report(alive.error());
  const auto value = ReadValue(args);
  if (!value) return Report(value.error());
  const auto set = client->Call("PUT", "/secrets/" + name, {{"value", value->Reveal()}});
  if (!set) return Report(set.error());
  if (args.Has("--json")) return PrintJson(*set), kOk;
  std::puts(fmt::format("{} is set", name).c_str());
  return kOk;
}

int List(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  Client::Query query = {{"limit", "1000"}};
  Json all = Json::array();
  while (true) {
    auto page = client->Get("/secrets", query);
    if (!page) return Report(page.error());
    for (Json& secret : (*page)["secrets"]) all.push_back(std::move(secret));
    if ((*page)["next"].is_null()) break;
    query["after"] = (*page)["next"].get<std::string>();
  }
  if (args.Has("--json")) return PrintJson(all), kOk;
  std::vector<std::vector<std::string>> rows;
  for (const Json& secret : all)
    rows.push_back({Text(secret, "name"), ShortTime(Text(secret, "set_at")), Text(secret, "set_by")});
  PrintTable({"NAME", "SET (UTC)", "BY"}, rows);
  return kOk;
}

int Remove(const Args& args) {
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto removed = client->Call("DELETE", "/secrets/" + args.Get("NAME"));
  if (!removed) return Report(removed.error());
  if (args.Has("--json")) return PrintJson(*removed), kOk;
  std::puts(Harmless(args.Get("NAME") + " is removed").c_str());
  return kOk;
}

int Rotate(const Args& args) {
  if (args.Has("--key-file") && args.Has("--passphrase-file"))
    return Report({Errc::kInvalid, "the key comes from --key-file or from --passphrase-file, not from both", {}});
  Json body;
  std::string advice;
  for (const auto& [option, key] :
       {std::pair("--key-file", "key_file"), std::pair("--passphrase-file", "passphrase_file")}) {
    if (!args.Has(option)) continue;
    const std::string path = std::filesystem::absolute(args.Get(option)).lexically_normal();
    body[key] = path;
    advice = fmt::format("the key comes from {0} now: set secrets.{1} = \"{0}\" in the site configuration", path, key);
  }
  const auto client = Client::Connect(args);
  if (!client) return Report(client.error());
  const auto rotated = client->Call("POST", "/secrets/rotate", body);
  if (!rotated) return Report(rotated.error());
  if (args.Has("--json")) return PrintJson(*rotated), kOk;
  std::puts(Harmless(fmt::format("{} secrets are encrypted with new keys", Text(*rotated, "secrets"))).c_str());
  if (!advice.empty()) std::fputs((Harmless(advice) + "\n").c_str(), stderr);
  return kOk;
}

}  // namespace

std::vector<Command> SecretCommands() {
  return {{"secrets set",
           "Set a secret, typed without echo or read from standard input",
           {{"NAME", "What it is called; a setting uses it by { secret = \"NAME\" }"}},
           ClientOptions({{"--from-file", "FILE", "Read the value from a file"}}),
           Set,
           "A line end at the end of the value does not count. The value is text of at most 64 KiB."},
          {"secrets list", "List the names of secrets; their values cannot be read", {}, ClientOptions({}), List},
          {"secrets remove", "Remove a secret", {{"NAME", "Its name"}}, ClientOptions({}), Remove},
          {"secrets rotate",
           "Encrypt every secret anew with new keys",
           {},
           ClientOptions({{"--key-file", "FILE", "Take the key from this file from now on; it is made if absent"},
                          {"--passphrase-file", "FILE", "Take the key from the passphrase in this file from now on"}}),
           Rotate,
           "The daemon reads the files. Their place must then be named in its site configuration."}};
}

}  // namespace backplane::cli
