#include "api/endpoint.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace backplane::api {
namespace {

std::optional<std::int64_t> ToInt(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

Result<std::int64_t> Call::PathId(const std::string& name) const {
  const auto value = ToInt(Path(name));
  if (!value) return Fail(Errc::kNotFound, fmt::format("nothing has the id {}", Path(name)));
  return *value;
}

std::string Call::Query(const std::string& name, std::string otherwise) const {
  const auto found = request_.query.find(name);
  return found == request_.query.end() ? std::move(otherwise) : found->second;
}

Result<std::int64_t> Call::QueryInt(const std::string& name, std::int64_t otherwise, std::int64_t least,
                                    std::int64_t most) const {
  const auto found = request_.query.find(name);
  if (found == request_.query.end()) return otherwise;
  const auto value = ToInt(found->second);
  if (!value || *value < least || *value > most)
    return Fail(Errc::kInvalid,
                fmt::format("{}: \"{}\" is not a number from {} to {}", name, found->second, least, most), name);
  return *value;
}

Result<TimePoint> Call::QueryTime(const std::string& name, const std::string& otherwise, TimePoint now) const {
  const std::string text = Query(name, otherwise);
  if (text == "now") return now;
  if (text.starts_with('-')) {
    if (const auto duration = ParseDuration(std::string_view(text).substr(1))) return now - *duration;
  } else if (const auto time = ParseTime(text)) {
    return *time;
  }
  return Fail(Errc::kInvalid,
              fmt::format("{}: \"{}\" is neither a time (2026-08-22T10:00:00Z) nor one before now (-1h)", name, text),
              name);
}

Result<Json> Call::Body() const {
  BACKPLANE_ASSIGN(Json body, ParseJson(request_.body));
  if (!body.is_object()) return Fail(Errc::kInvalid, "the body is not a JSON object");
  return body;
}

Endpoint::Endpoint(std::string_view method_, std::string_view path_, Permission permission_, std::string_view sentence_,
                   std::vector<Parameter> parameters_, LaterHandler handler_)
    : method(method_),
      path(path_),
      permission(permission_),
      sentence(sentence_),
      parameters(std::move(parameters_)),
      handler(std::move(handler_)) {}

Endpoint::Endpoint(std::string_view method_, std::string_view path_, Permission permission_, std::string_view sentence_,
                   std::vector<Parameter> parameters_, Handler handler_)
    : Endpoint(method_, path_, permission_, sentence_, std::move(parameters_),
               LaterHandler([handle = std::move(handler_)](const Call& call, const http::Responder& responder) {
                 responder.Send(ToResponse(handle(call)));
               })) {}

http::Response ToResponse(const Result<Reply>& reply) {
  http::Response response;
  if (!reply) {
    const Error& error = reply.error();
    response.status = HttpStatus(error.code);
    response.content_type = "application/problem+json";
    Json problem = {{"type", "about:blank"},
                    {"title", ErrcName(error.code)},
                    {"status", response.status},
                    {"code", ErrcName(error.code)},
                    {"detail", error.message}};
    if (!error.where.empty()) problem["field"] = error.where;
    response.body = DumpJson(problem);
  } else if (reply->text.empty() && !reply->body.is_null()) {
    response.status = reply->status;
    response.body = DumpJson(reply->body);
  } else {
    response.status = reply->status;
    response.content_type = "text/plain; charset=utf-8";
    response.body = reply->text;
  }
  return response;
}

}  // namespace backplane::api
