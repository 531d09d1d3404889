// /events: the stream, read by number.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "api/api.h"
#include "store/events.h"

namespace backplane::api {
namespace {

struct Question {
  OrgId org = kDefaultOrg;
  EventSeq after = 0;
  int limit = 100;
  std::string topic;
  Millis wait{0};
};

Json ToJson(const store::Event& event) {
  Json json = {{"seq", event.seq}, {"topic", event.topic}, {"at", FormatIso(event.at)}};
  if (!event.plugin.empty()) json["plugin"] = event.plugin;
  if (event.entity != 0) json["device"] = event.entity;
  if (event.run != 0) json["run"] = event.run;
  const Result<Json> body = ParseJson(event.body);
  if (body) json["body"] = *body;
  return json;
}

Result<Question> Read(const Call& call) {
  Question question{.org = call.org(), .topic = call.Query("topic")};
  BACKPLANE_ASSIGN(question.after, call.QueryInt("after", 0, -1, std::numeric_limits<std::int64_t>::max()));
  BACKPLANE_ASSIGN(const std::int64_t limit, call.QueryInt("limit", 100, 1, 1000));
  BACKPLANE_ASSIGN(const std::int64_t wait, call.QueryInt("wait", 0, 0, 60));
  question.limit = static_cast<int>(limit);
  question.wait = std::chrono::seconds(wait);
  return question;
}

struct Found {
  std::vector<store::Event> events;
  EventSeq last = 0;
  bool reset = false;
};

Result<Found> Look(const ApiParts& parts, const Question& question) {
  Found found;
  BACKPLANE_TRY(parts.database.Read([&](store::Connection& connection) -> Status {
    store::Events events(connection, question.org);
    found.last = events.Last();
    // Beyond what is kept, or from before a restore: the reader must start afresh.
    found.reset = question.after > found.last || (question.after > 0 && question.after + 1 < events.First());
    if (question.after >= 0 && !found.reset)
      found.events = events.After(question.after, question.limit, question.topic);
    return {};
  }));
  return found;
}

http::Response Answer(const Question& question, const Found& found) {
  Json body = {{"events", Json::array()}, {"reset", found.reset}};
  for (const store::Event& event : found.events) body["events"].push_back(ToJson(event));
  // Where to go on: with a topic, what was looked through in vain need not be looked at again.
  const bool all = static_cast<int>(found.events.size()) < question.limit;
  body["next"] = all ? found.last : found.events.back().seq;
  return ToResponse(Reply{std::move(body)});
}

// Answers if there is something to say or nothing to wait for; otherwise waits for the stream to grow.
void AnswerOrWait(const ApiParts& parts, Question question, Millis until, const http::Responder& responder) {
  const std::uint64_t generation = parts.bus.generation();
  const Result<Found> found = Look(parts, question);
  if (!found) return responder.Send(ToResponse(Fail(found.error())));
  const Millis left = until - parts.clock.Monotonic();
  if (!found->events.empty() || found->reset || question.after < 0 || left.count() <= 0 || responder.Abandoned())
    return responder.Send(Answer(question, *found));
  question.after = std::max(question.after, found->last);  // what is not of the topic need not be looked at again
  // By value: the bus may call back when the Api is gone already.
  parts.bus.Wait(generation, left, [parts, question, until, responder](events::Wake wake) {
    AnswerOrWait(parts, question, wake == events::Wake::kNews ? until : Millis(0), responder);
  });
}

}  // namespace

std::vector<Endpoint> EventEndpoints(const ApiParts& parts) {
  return {
      {"GET",
       "/events",
       Permission::kRead,
       "Events after a number, oldest first, at least once; `next` is the number to go on from. `reset` says that "
       "what followed the number is no longer kept: read the state afresh.",
       {{"after", "Number of the last event you have; 0 for all that are kept, -1 for none but the present number."},
        {"topic", "Only topics that start so, such as device. or run.failed."},
        {"limit", "At most so many, 1 to 1000; 100 unless given."},
        {"wait", "Seconds to wait for an event if there is none, 0 to 60."}},
       [&parts](const Call& call, const http::Responder& responder) {
         const Result<Question> question = Read(call);
         if (!question) return responder.Send(ToResponse(Fail(question.error())));
         AnswerOrWait(parts, *question, parts.clock.Monotonic() + question->wait, responder);
       }}};
}

}  // namespace backplane::api
