#include "keeper/protocol.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace backplane::keeper {
namespace {

tl::unexpected<Error> Wrong(const char* key, const char* expected) {
  return Fail(Errc::kInvalid, fmt::format("{}: expected {}", key, expected), key);
}

Result<std::int64_t> Integer(const Json& object, const char* key, std::int64_t least, std::int64_t most) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return Wrong(key, "a whole number");
  if (found->is_number_unsigned() &&
      found->get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return Wrong(key, "a smaller number");
  const auto value = found->get<std::int64_t>();
  if (value < least || value > most)
    return Fail(Errc::kInvalid, fmt::format("{}: {} is not within {} and {}", key, value, least, most), key);
  return value;
}

// What execve() cannot pass on must not be cut short silently.
bool Passable(const std::string& text) { return text.find('\0') == std::string::npos; }

Result<std::string> Text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) return Wrong(key, "a text");
  auto text = found->get<std::string>();
  if (!Passable(text)) return Wrong(key, "a text without NUL");
  return text;
}

bool Flag(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

constexpr std::int64_t kMaxId = std::int64_t{1} << 60;
constexpr std::int64_t kMaxMillis = std::int64_t{366} * 86'400'000;

Result<Command> DecodeSpawn(const Json& object) {
  SpawnRequest request;
  BACKPLANE_ASSIGN(request.id, Integer(object, "id", 1, kMaxId));
  const auto argv = object.find("argv");
  if (argv == object.end() || !argv->is_array() || argv->empty()) return Wrong("argv", "a list of texts, not empty");
  for (const Json& argument : *argv) {
    if (!argument.is_string()) return Wrong("argv", "texts");
    request.argv.push_back(argument.get<std::string>());
    if (!Passable(request.argv.back())) return Wrong("argv", "texts without NUL");
  }
  const auto environment = object.find("env");
  if (environment == object.end() || !environment->is_object()) return Wrong("env", "an object");
  for (const auto& [name, value] : environment->items()) {
    if (name.empty() || name.find('=') != std::string::npos || !Passable(name) || !value.is_string())
      return Wrong("env", "names without '=' and texts");
    auto text = value.get<std::string>();
    if (!Passable(text)) return Wrong("env", "texts without NUL");
    request.environment.insert_or_assign(name, std::move(text));
  }
  BACKPLANE_ASSIGN(request.working_folder, Text(object, "cwd"));
  BACKPLANE_ASSIGN(request.log_folder, Text(object, "log_folder"));
  BACKPLANE_ASSIGN(request.segment_bytes, Integer(object, "segment_bytes", 1, std::int64_t{1} << 40));
  BACKPLANE_ASSIGN(const auto segments, Integer(object, "segments", 2, 1000));
  request.segments = static_cast<int>(segments);
  BACKPLANE_ASSIGN(const auto timeout, Integer(object, "timeout_ms", 0, kMaxMillis));
  request.timeout = Millis(timeout);
  BACKPLANE_ASSIGN(const auto grace, Integer(object, "grace_ms", 0, kMaxMillis));
  request.grace = Millis(grace);
  BACKPLANE_ASSIGN(request.memory_bytes, Integer(object, "memory_bytes", 0, std::numeric_limits<std::int64_t>::max()));
  return Command(std::move(request));
}

Json ToJson(const SpawnRequest& request) {
  Json environment = Json::object();
  for (const auto& [name, value] : request.environment) environment[name] = value;
  return {{"command", "spawn"},
          {"id", request.id},
          {"argv", request.argv},
          {"env", std::move(environment)},
          {"cwd", request.working_folder.string()},
          {"log_folder", request.log_folder.string()},
          {"segment_bytes", request.segment_bytes},
          {"segments", request.segments},
          {"timeout_ms", request.timeout.count()},
          {"grace_ms", request.grace.count()},
          {"memory_bytes", request.memory_bytes}};
}

Json ToJson(const KillRequest& request) {
  return {{"command", "kill"}, {"id", request.id}, {"grace_ms", request.grace.count()}};
}

Result<Json> ParseObject(std::string_view message) {
  BACKPLANE_ASSIGN(Json object, ParseJson(message, 8));
  if (!object.is_object()) return Fail(Errc::kInvalid, "the message is not an object");
  return object;
}

}  // namespace

Result<std::string> EncodeCommand(const Command& command) {
  const Json object = std::visit([](const auto& request) { return ToJson(request); }, command);
  try {
    // Strict: a byte that JSON cannot carry must not reach the process as another one.
    std::string text = object.dump();
    if (text.size() > kMaxMessage)
      return Fail(Errc::kInvalid,
                  fmt::format("arguments and environment are {} bytes, more than {}", text.size(), kMaxMessage));
    return text;
  } catch (const Json::exception&) {
    return Fail(Errc::kInvalid, "an argument, environment variable or path is not UTF-8");
  }
}

Result<Command> DecodeCommand(std::string_view message) {
  BACKPLANE_ASSIGN(const Json object, ParseObject(message));
  BACKPLANE_ASSIGN(const std::string name, Text(object, "command"));
  if (name == "spawn") return DecodeSpawn(object);
  if (name != "kill") return Fail(Errc::kInvalid, fmt::format("no such command: {}", name), "command");
  KillRequest request;
  BACKPLANE_ASSIGN(request.id, Integer(object, "id", 1, kMaxId));
  BACKPLANE_ASSIGN(const auto grace, Integer(object, "grace_ms", 0, kMaxMillis));
  request.grace = Millis(grace);
  return Command(request);
}

std::string EncodeEvent(const Event& event) {
  const ExitReport& report = event.report;
  switch (event.kind) {
    case Event::Kind::kReady: return DumpJson(Json::object({{"event", "ready"}}));
    case Event::Kind::kError: return DumpJson(Json::object({{"event", "error"}, {"error", event.error}}));
    case Event::Kind::kStarted:
      return DumpJson(
          Json::object({{"event", "started"}, {"id", event.id}, {"pid", event.pid}, {"start_time", event.start_time}}));
    case Event::Kind::kEnded: break;
  }
  if (report.ending == ExitReport::Ending::kNotStarted)
    return DumpJson(Json::object({{"event", "failed"}, {"id", event.id}, {"error", report.error}}));
  return DumpJson(Json::object({{"event", "exit"},
                                {"id", event.id},
                                {"pid", event.pid},
                                {"start_time", event.start_time},
                                {report.ending == ExitReport::Ending::kExited ? "code" : "signal", report.value},
                                {"timed_out", report.timed_out},
                                {"cancelled", report.cancelled},
                                {"log_bytes", report.log_bytes},
                                {"log_dropped", report.log_dropped},
                                {"left", report.left}}));
}

Result<Event> DecodeEvent(std::string_view message) {
  constexpr auto kAny = std::numeric_limits<std::int64_t>::max();
  BACKPLANE_ASSIGN(const Json object, ParseObject(message));
  BACKPLANE_ASSIGN(const std::string name, Text(object, "event"));
  Event event;
  if (name == "ready") return event;
  if (name == "error") {
    event.kind = Event::Kind::kError;
    BACKPLANE_ASSIGN(event.error, Text(object, "error"));
    return event;
  }
  BACKPLANE_ASSIGN(event.id, Integer(object, "id", 1, kMaxId));
  event.kind = Event::Kind::kEnded;
  ExitReport& report = event.report;
  if (name == "failed") {
    report.ending = ExitReport::Ending::kNotStarted;
    BACKPLANE_ASSIGN(report.error, Text(object, "error"));
    return event;
  }
  BACKPLANE_ASSIGN(event.pid, Integer(object, "pid", 0, kAny));
  BACKPLANE_ASSIGN(const auto start_time, Integer(object, "start_time", 0, kAny));
  event.start_time = static_cast<std::uint64_t>(start_time);
  if (name == "started") {
    event.kind = Event::Kind::kStarted;
    return event;
  }
  if (name != "exit") return Fail(Errc::kInvalid, fmt::format("no such event: {}", name), "event");
  const bool exited = object.contains("code");
  report.ending = exited ? ExitReport::Ending::kExited : ExitReport::Ending::kSignalled;
  BACKPLANE_ASSIGN(const auto value, Integer(object, exited ? "code" : "signal", 0, 255));
  report.value = static_cast<int>(value);
  report.timed_out = Flag(object, "timed_out");
  report.cancelled = Flag(object, "cancelled");
  BACKPLANE_ASSIGN(report.log_bytes, Integer(object, "log_bytes", 0, kAny));
  BACKPLANE_ASSIGN(report.log_dropped, Integer(object, "log_dropped", 0, kAny));
  BACKPLANE_ASSIGN(const auto left, Integer(object, "left", 0, std::numeric_limits<int>::max()));
  report.left = static_cast<int>(left);
  return event;
}

std::string Frame(std::string_view message) {
  const auto size = static_cast<std::uint32_t>(message.size());
  std::string framed;
  framed.reserve(4 + message.size());
  for (int shift = 0; shift < 32; shift += 8) framed.push_back(static_cast<char>(size >> shift & 0xff));
  return framed.append(message);
}

std::optional<Result<std::string>> FrameReader::Next() {
  if (skip_ > 0) {
    const auto gone = static_cast<std::size_t>(std::min<std::uint64_t>(skip_, buffer_.size()));
    buffer_.erase(0, gone);
    skip_ -= gone;
  }
  if (buffer_.size() < 4) return std::nullopt;
  std::uint32_t size = 0;
  for (std::size_t i = 0; i < 4; ++i) size |= std::uint32_t{static_cast<unsigned char>(buffer_[i])} << (8 * i);
  if (size > kMaxMessage) {
    skip_ = std::uint64_t{4} + size;
    return Fail(Errc::kInvalid, fmt::format("a message of {} bytes is longer than {}", size, kMaxMessage));
  }
  if (buffer_.size() < 4 + std::size_t{size}) return std::nullopt;
  std::string message = buffer_.substr(4, size);
  buffer_.erase(0, 4 + std::size_t{size});
  return message;
}

}  // namespace backplane::keeper
