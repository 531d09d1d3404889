// /secrets: names can be seen, values only be set.
#include <nlohmann/json.hpp>

#include "api/api.h"
#include "store/secrets.h"
#include "store/vault.h"

namespace backplane::api {
namespace {

Json ToJson(const store::SecretInfo& info) {
  return {{"name", info.name}, {"set_at", FormatIso(info.set_at)}, {"set_by", info.set_by}};
}

store::Caller CallerOf(const Call& call) { return {.org = call.org(), .actor = call.actor()}; }

Result<Reply> List(const ApiParts& parts, const Call& call) {
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    auto secrets = store::Secrets(connection, call.org()).List(call.Query("after"), static_cast<int>(limit) + 1);
    const bool more = secrets.size() > static_cast<std::size_t>(limit);
    if (more) secrets.pop_back();
    body["secrets"] = Json::array();
    for (const store::SecretInfo& info : secrets) body["secrets"].push_back(ToJson(info));
    body["next"] = more ? Json(secrets.back().name) : Json(nullptr);
    return {};
  }));
  return Reply{std::move(body)};
}

Result<Reply> Set(const ApiParts& parts, const Call& call) {
  // What the parser says of a broken body may quote it.
  auto body = call.Body();
  if (!body || body->size() != 1 || !body->contains("value") || !(*body)["value"].is_string())
    return Fail(Errc::kInvalid, "the body is not {\"value\": TEXT}", "value");
  const Secret value = Secret::Take((*body)["value"].get_ref<std::string&>());
  BACKPLANE_ASSIGN(const store::SecretInfo info, parts.vault.Set(CallerOf(call), call.Path("name"), value));
  return Reply{ToJson(info)};
}

Result<Reply> Remove(const ApiParts& parts, const Call& call) {
  BACKPLANE_TRY(parts.vault.Remove(CallerOf(call), call.Path("name")));
  return Reply{{{"removed", call.Path("name")}}};
}

// Where the key is to come from; nothing if the body does not say.
Result<std::optional<store::KeySource>> SourceOf(const Call& call) {
  std::optional<store::KeySource> source;
  if (call.request().body.empty()) return source;
  BACKPLANE_ASSIGN(const Json body, call.Body());
  for (const auto& [key, value] : body.items()) {
    const bool passphrase = key == "passphrase_file";
    if ((!passphrase && key != "key_file") || source || !value.is_string())
      return Fail(Errc::kInvalid, "the body is neither {\"key_file\": PATH} nor {\"passphrase_file\": PATH}", key);
    source = {value.get<std::string>(), passphrase};
    if (!source->file.is_absolute()) return Fail(Errc::kInvalid, key + ": is not an absolute path", key);
  }
  return source;
}

Result<Reply> Rotate(const ApiParts& parts, const Call& call) {
  if (call.org() != kDefaultOrg)
    return Fail(Errc::kDenied, "the keys are those of the whole installation: the first organisation rotates them");
  BACKPLANE_ASSIGN(const auto source, SourceOf(call));
  BACKPLANE_ASSIGN(const std::int64_t count, parts.vault.Rotate(CallerOf(call), source));
  return Reply{{{"secrets", count}}};
}

}  // namespace

std::vector<Endpoint> SecretEndpoints(const ApiParts& parts) {
  return {
      {"GET",
       "/secrets",
       Permission::kOperate,
       "Names of secrets, by whom and when each was set; never a value.",
       {{"after", "Cursor: the `next` of the page before."},
        {"limit", "Secrets per page, 1 to 1000; 100 unless given."}},
       [&parts](const Call& call) { return List(parts, call); }},
      {"PUT",
       "/secrets/{name*}",
       Permission::kAdmin,
       "Sets a secret: {\"value\": TEXT}.",
       {},
       [&parts](const Call& call) { return Set(parts, call); }},
      {"DELETE",
       "/secrets/{name*}",
       Permission::kAdmin,
       "Removes a secret.",
       {},
       [&parts](const Call& call) { return Remove(parts, call); }},
      {"POST",
       "/secrets/rotate",
       Permission::kAdmin,
       "Encrypts every secret anew with new keys; {\"key_file\": PATH} or {\"passphrase_file\": PATH} says where the "
       "key comes from now on.",
       {},
       [&parts](const Call& call) { return Rotate(parts, call); }},
  };
}

}  // namespace backplane::api
