#include "schedule/cron.h"

#include <array>
#include <bit>
#include <exception>
#include <string>
#include <vector>

#include <date/tz.h>
#include <fmt/format.h>

#include "base/text.h"

namespace backplane::schedule {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using std::chrono::sys_days;

struct Field {
  std::string_view name;
  unsigned least;
  unsigned most;
  std::string_view names;  // three letters each, the first for `least`
};
constexpr std::array<Field, 5> kFields{{{"minute", 0, 59, ""},
                                        {"hour", 0, 23, ""},
                                        {"day of month", 1, 31, ""},
                                        {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                        {"day of week", 0, 6, "sunmontuewedthufrisat"}}};
constexpr std::size_t kDayOfMonth = 2;
constexpr std::size_t kDayOfWeek = 4;
constexpr days kSearchLimit{50 * 366};

tl::unexpected<Error> Wrong(const Field& field, std::string_view item, std::string_view why) {
  return Fail(Errc::kInvalid, fmt::format("{} \"{}\" {}", field.name, Shorten(item, 40), why), std::string(field.name));
}

std::optional<unsigned> Number(std::string_view text) {
  if (text.empty() || text.size() > 9) return std::nullopt;
  unsigned value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value;
}

// A number or a name, in range; 7 stays 7 for the day of the week, so that 5-7 is a range.
Result<unsigned> ParseValue(const Field& field, std::string_view text, std::string_view item) {
  if (text.size() == 3) {
    const std::string lower = ToLower(text);
    for (std::size_t at = 0; at < field.names.size(); at += 3)
      if (field.names.substr(at, 3) == lower) return field.least + static_cast<unsigned>(at / 3);
  }
  const auto value = Number(text);
  if (!value) return Wrong(field, item, "is not a number, name, range or list of them");
  const unsigned most = field.least == 0 && field.most == 6 ? 7 : field.most;
  if (*value < field.least || *value > most)
    return Wrong(field, item, fmt::format("is out of range: {} to {}", field.least, most));
  return *value;
}

// One item of a list, as a set of bits.
Result<std::uint64_t> ParseItem(const Field& field, std::string_view item) {
  std::string_view range = item;
  std::optional<unsigned> step;
  if (const auto slash = item.find('/'); slash != std::string_view::npos) {
    range = item.substr(0, slash);
    step = Number(item.substr(slash + 1));
    if (!step || *step == 0) return Wrong(field, item, "has a step that is not a number above 0");
  }
  unsigned first = field.least;
  unsigned last = field.most;
  if (range != "*") {
    const auto dash = range.find('-');
    BACKPLANE_ASSIGN(first, ParseValue(field, range.substr(0, dash), item));
    last = first;
    if (dash != std::string_view::npos) {
      BACKPLANE_ASSIGN(last, ParseValue(field, range.substr(dash + 1), item));
      if (last < first) return Wrong(field, item, "is a range that ends before it begins");
    }
  }
  const auto fold = [&](unsigned value) { return value > field.most ? 0 : value; };
  std::uint64_t bits = 0;
  for (unsigned value = first; value <= last; ++value) {
    const bool on_step = !step || value == first || fold(value) % *step == fold(first) % *step;
    if (on_step) bits |= std::uint64_t{1} << fold(value);
  }
  return bits;
}

Result<std::uint64_t> ParseField(const Field& field, std::string_view text) {
  std::uint64_t bits = 0;
  for (const std::string_view item : Split(text, ',')) {
    BACKPLANE_ASSIGN(const std::uint64_t more, ParseItem(field, item));
    bits |= more;
  }
  return bits;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  while (!(text = Trim(text)).empty()) {
    const auto end = text.find_first_of(" \t\r\n");
    words.push_back(text.substr(0, end));
    text.remove_prefix(words.back().size());
  }
  return words;
}

Result<const date::time_zone*> FindZone(std::string_view zone) {
  if (zone.empty() || zone == "UTC" || zone == "Etc/UTC") return nullptr;
  try {
    return date::locate_zone(std::string(zone));
  } catch (const std::exception&) {
    return Fail(Errc::kInvalid, fmt::format("no such time zone: \"{}\"", Shorten(zone, 60)), "zone");
  }
}

// The least set bit at or above `from`.
template <typename Bits>
std::optional<unsigned> NextBit(Bits bits, unsigned from) {
  const Bits rest = from >= sizeof(Bits) * 8 ? 0 : (bits >> from) << from;
  if (rest == 0) return std::nullopt;
  return static_cast<unsigned>(std::countr_zero(rest));
}

}  // namespace

Result<Cron> Cron::Parse(std::string_view fields, std::string_view zone, DayRule rule) {
  const auto words = Words(fields);
  if (words.size() != kFields.size())
    return Fail(Errc::kInvalid, fmt::format("cron expression \"{}\" has {} fields, not 5 (minute, hour, day of month, "
                                            "month, day of week)",
                                            Shorten(fields, 60), words.size()));
  std::array<std::uint64_t, kFields.size()> bits{};
  std::optional<Error> wrong;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    auto field = ParseField(kFields[i], words[i]);
    if (field)
      bits[i] = *field;
    else if (wrong)
      wrong->message += "; " + field.error().message;
    else
      wrong = std::move(field.error());
  }
  if (wrong) return tl::unexpected(*std::move(wrong));
  Cron cron;
  BACKPLANE_ASSIGN(cron.zone_, FindZone(zone));
  cron.minutes_ = bits[0];
  cron.hours_ = static_cast<std::uint32_t>(bits[1]);
  cron.days_ = static_cast<std::uint32_t>(bits[2]);
  cron.months_ = static_cast<std::uint32_t>(bits[3]);
  cron.weekdays_ = static_cast<std::uint32_t>(bits[4]);
  cron.either_day_ = rule == DayRule::kEither && words[kDayOfMonth].front() != '*' && words[kDayOfWeek].front() != '*';
  return cron;
}

bool Cron::DayMatches(sys_days day) const {
  const std::chrono::year_month_day date(day);
  const bool of_month = days_ >> static_cast<unsigned>(date.day()) & 1;
  const bool of_week = weekdays_ >> std::chrono::weekday(day).c_encoding() & 1;
  return either_day_ ? of_month || of_week : of_month && of_week;
}

// The first matching day at or after `day`.
std::optional<sys_days> Cron::NextDay(sys_days day) const {
  const sys_days end = day + kSearchLimit;
  while (day < end) {
    const std::chrono::year_month_day date(day);
    const auto month = NextBit(months_, static_cast<unsigned>(date.month()));
    if (month != static_cast<unsigned>(date.month())) {
      const std::chrono::year year = month ? date.year() : date.year() + std::chrono::years(1);
      const unsigned first = month ? *month : *NextBit(months_, 1);
      day = year / std::chrono::month(first) / 1;
      continue;
    }
    if (DayMatches(day)) return day;
    day += days(1);
  }
  return std::nullopt;
}

// The first match at or after `from`, both in minutes of local time since 1970.
std::optional<minutes> Cron::NextLocal(minutes from) const {
  const days today = std::chrono::floor<days>(from);
  auto day = NextDay(sys_days(today));
  if (!day) return std::nullopt;
  if (*day == sys_days(today)) {
    const unsigned now = static_cast<unsigned>((from - today).count());
    for (auto hour = NextBit(hours_, now / 60); hour; hour = NextBit(hours_, *hour + 1)) {
      const auto minute = NextBit(minutes_, *hour == now / 60 ? now % 60 : 0);
      if (minute) return today + std::chrono::hours(*hour) + minutes(*minute);
    }
    day = NextDay(*day + days(1));
    if (!day) return std::nullopt;
  }
  return day->time_since_epoch() + std::chrono::hours(*NextBit(hours_, 0)) + minutes(*NextBit(minutes_, 0));
}

std::optional<TimePoint> Cron::Next(TimePoint after) const {
  if (zone_) return NextInZone(after);
  const auto next = NextLocal(std::chrono::floor<minutes>(after.time_since_epoch()) + minutes(1));
  if (!next) return std::nullopt;
  return TimePoint(*next);
}

// Walks the spans of constant offset, and searches each as if it were UTC.
std::optional<TimePoint> Cron::NextInZone(TimePoint after) const {
  using std::chrono::seconds;
  const TimePoint end = after + kSearchLimit;
  TimePoint from = after + Millis(1);  // the first instant that may be the answer
  while (from < end) {
    const date::sys_info span = zone_->get_info(from);
    minutes local = std::chrono::ceil<minutes>(from.time_since_epoch() + span.offset);
    if (!every_hour()) {
      // Local times that the span before has had already.
      const seconds before = zone_->get_info(span.begin - seconds(1)).offset;
      local = std::max(local, std::chrono::ceil<minutes>(span.begin.time_since_epoch() + before));
    }
    const auto next = NextLocal(local);
    if (!next) return std::nullopt;
    const TimePoint at(*next - span.offset);
    if (at < span.end) return at;
    const seconds after_offset = zone_->get_info(span.end).offset;
    const bool skipped = *next < span.end.time_since_epoch() + after_offset;
    if (skipped) return TimePoint(span.end.time_since_epoch());
    from = TimePoint(span.end.time_since_epoch());
  }
  return std::nullopt;
}

}  // namespace backplane::schedule
