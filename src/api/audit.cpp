// /audit: who did what.
#include <limits>

#include <nlohmann/json.hpp>

#include "api/api.h"
#include "store/audit.h"

namespace backplane::api {
namespace {

Json ToJson(const store::AuditEntry& entry) {
  return {{"id", entry.id},           {"at", FormatIso(entry.at)},
          {"actor", entry.actor},     {"action", entry.action},
          {"subject", entry.subject}, {"detail", ParseJson(entry.detail).value_or(Json::object())}};
}

Result<Reply> List(const ApiParts& parts, const Call& call) {
  store::AuditFilter filter{
      .actor = call.Query("actor"), .action = call.Query("action"), .subject = call.Query("subject")};
  BACKPLANE_ASSIGN(filter.before, call.QueryInt("before", 0, 0, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  filter.limit = static_cast<int>(limit) + 1;
  Json body;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    auto entries = store::Audit(connection, call.org()).List(filter);
    const bool more = entries.size() > static_cast<std::size_t>(limit);
    if (more) entries.pop_back();
    body["entries"] = Json::array();
    for (const store::AuditEntry& entry : entries) body["entries"].push_back(ToJson(entry));
    body["next"] = more ? Json(entries.back().id) : Json(nullptr);
    return {};
  }));
  return Reply{std::move(body)};
}

}  // namespace

std::vector<Endpoint> AuditEndpoints(const ApiParts& parts) {
  return {{"GET",
           "/audit",
           Permission::kAdmin,
           "The audit log, newest first.",
           {{"actor", "Only what this one did, such as user:alice."},
            {"action", "Only actions that start so, such as secret. or plugin.approve."},
            {"subject", "Only what was done to this."},
            {"before", "Cursor: the `next` of the page before."},
            {"limit", "Entries per page, 1 to 1000; 100 unless given."}},
           [&parts](const Call& call) { return List(parts, call); }}};
}

}  // namespace backplane::api
