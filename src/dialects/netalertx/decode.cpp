#include "dialects/netalertx/decode.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "base/text.h"
#include "dialects/netalertx/addresses.h"
#include "dialects/netalertx/ignored.h"
#include "dialects/netalertx/mapping.h"
#include "dialects/netalertx/new_device.h"
#include "dialects/netalertx/prepare.h"
#include "dialects/netalertx/words.h"

namespace backplane::netalertx {
namespace {

struct Line {
  std::size_t number;
  Row columns;
  std::string_view key;  // primary, '|', secondary: what the file itself keeps apart
};

class Decoder {
 public:
  Decoder(const Manifest& manifest, const Settings& settings, const Settings& all, TimePoint at)
      : manifest_(manifest),
        at_(at),
        mapping_(ReadMapping(manifest, settings)),
        watched_(WatchedColumns(manifest, settings)),
        ignored_(all) {
    batch_.reported = ReportedStatuses(manifest, settings);
    if (mapping_) batch_.defaults = NewDeviceFields(all);
  }

  Batch Decode(std::string_view content, bool ended_by_itself) {
    ReadLines(content);
    batch_.records.reserve(lines_.size() * (mapping_ ? 2 : 1));
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      if (const std::size_t last = last_of_[lines_[i].key]; last != i) {
        Refuse(lines_[i].number, "line {} has the same ids and counts instead", lines_[last].number);
        continue;
      }
      AddObject(lines_[i]);
      if (mapping_) AddObservation(lines_[i]);
    }
    if (not_listed_ > 0) batch_.refused.push_back({"", fmt::format("{} more were refused", not_listed_)});
    batch_.complete = ended_by_itself && !lines_.empty() && whole_;
    return std::move(batch_);
  }

 private:
  template <typename... Args>
  void Refuse(std::size_t line, fmt::format_string<const Args&...> reason, const Args&... args) {
    if (batch_.refused.size() + 1 >= kMostRefusals)
      ++not_listed_;
    else
      batch_.refused.push_back({fmt::format("line {}", line), fmt::format(reason, args...)});
  }

  // Beyond a limit of ours: what the plugin said there is not known, so nothing may be called missing.
  template <typename... Args>
  void RefuseUnread(std::size_t line, fmt::format_string<const Args&...> reason, const Args&... args) {
    whole_ = false;
    Refuse(line, reason, args...);
  }

  // A line ends at \n, \r\n or \r.
  void ReadLines(std::string_view content) {
    std::size_t number = 0;
    while (!content.empty()) {
      const std::size_t end = std::min(content.find_first_of("\r\n"), content.size());
      ReadLine(content.substr(0, end), ++number);
      const bool both = content.substr(end).starts_with("\r\n");
      content.remove_prefix(std::min(content.size(), end + (both ? 2 : 1)));
    }
  }

  void ReadLine(std::string_view text, std::size_t number) {
    if (text.empty()) return;
    if (text.size() > kLongestLine) return RefuseUnread(number, "longer than {} bytes", kLongestLine);
    Line line{number, {}, {}};
    std::size_t count = 0, start = 0, key_end = text.size();
    while (true) {
      const std::size_t end = text.find('|', start);
      if (count < kColumns) line.columns[count] = text.substr(start, end - start);
      if (++count == 2) key_end = std::min(end, text.size());
      if (end == std::string_view::npos) break;
      start = end + 1;
    }
    if (count == 1) return Refuse(number, "expected 9 or 13 columns separated by \"|\", got text without any");
    if (count != 9 && count != 13) return Refuse(number, "expected 9 or 13 columns, got {}", count);
    if (lines_.size() >= kMostRows) return RefuseUnread(number, "beyond the limit of {} rows", kMostRows);
    if (count == 9) std::fill(line.columns.begin() + kHelp1, line.columns.end(), "null");
    line.key = text.substr(0, key_end);
    last_of_[line.key] = lines_.size();
    lines_.push_back(line);
  }

  void AddObject(const Line& line) {
    const Row& row = line.columns;
    ObjectRecord object;
    object.key = line.key;
    object.primary = row[kPrimary];
    object.secondary = row[kSecondary];
    object.at = ParseTime(row[kTimestamp]).value_or(at_);
    for (std::size_t i = 0; i < 4; ++i) {
      object.watched[i] = row[kWatched1 + i];
      object.help[i] = row[kHelp1 + i];
    }
    object.extra = row[kExtra];
    object.foreign_key = row[kForeignKey];
    for (std::size_t i = 0; i < watched_.size(); ++i) {
      if (i > 0) object.watch_key += '|';
      object.watch_key += row[watched_[i]];
    }
    batch_.records.emplace_back(std::move(object));
  }

  void AddObservation(const Line& line) {
    const Row& row = line.columns;
    const std::string_view id = mapping_->mac ? Trim(mapping_->mac->Of(row)) : std::string_view();
    const std::string_view address = mapping_->ip ? Trim(mapping_->ip->Of(row)) : std::string_view();
    if (ignored_.Covers(id, address)) return;
    const auto mac = NormalMac(id);
    const auto ip = NormalIp(address);

    Observation seen;
    seen.at = at_;
    if (mac) {
      seen.identifiers.push_back({"mac", *mac});
      seen.claims.push_back({"mac", *mac, mapping_->mac_policy});
    } else if (ToLower(id) == "internet") {
      // The line to the outside is a device of its own, whatever its address is today, and hangs on nothing.
      seen.identifiers.push_back({"netalertx", "internet"});
      batch_.defaults.erase("parent");
    } else if (ip) {
      seen.identifiers.push_back({"ip", *ip});
    } else {
      return Refuse(line.number, "no device: neither \"{}\" is a MAC address nor \"{}\" an IP address", Shorten(id, 40),
                    Shorten(address, 60));
    }
    seen.source = manifest_.name;
    if (mapping_->source)
      if (const std::string_view tag = Trim(mapping_->source->Of(row)); !SaysNothing(tag)) seen.source = tag;
    if (ip) seen.claims.push_back({"ip", *ip, mapping_->ip_policy});
    for (const DeviceMapping::Field& field : mapping_->fields) {
      const std::string_view value = Trim(field.origin.Of(row));
      if (SaysNothing(value)) continue;
      const auto parent = field.field == "parent" ? NormalMac(value) : std::nullopt;
      seen.claims.push_back({field.field, parent ? *parent : std::string(value), field.policy});
    }
    batch_.records.emplace_back(std::move(seen));
  }

  const Manifest& manifest_;
  const TimePoint at_;
  const std::optional<DeviceMapping> mapping_;
  const std::vector<Column> watched_;
  const Ignored ignored_;
  std::vector<Line> lines_;
  std::unordered_map<std::string_view, std::size_t> last_of_;
  Batch batch_;
  std::size_t not_listed_ = 0;
  bool whole_ = true;
};

// What a script wrote that is not its result file, most likely by a slip in the name.
Batch Astray(const Output& output, const std::string& expected) {
  Batch batch;
  for (const Output::ResultFile& file : output.files)
    if (file.name.ends_with(".log"))  // others are beginnings of one, which a script left when it failed
      batch.refused.push_back({file.name, fmt::format("is not the plugin's result file, {}", expected)});
  return batch;
}

}  // namespace

Batch DecodeOutput(const Manifest& manifest, const Settings& settings, const Settings& all, const Output& output,
                   TimePoint at) {
  const std::string name = ResultFileName(manifest);
  const auto file = std::find_if(output.files.begin(), output.files.end(),
                                 [&](const Output::ResultFile& one) { return one.name == name; });
  if (file == output.files.end()) return Astray(output, name);
  if (!file->error.empty()) {
    Batch batch;
    batch.refused.push_back({name, file->error});
    return batch;
  }
  // A run that was cut short may have written only some of its rows: they are taken, and nothing
  // is concluded from what is not among them.
  const bool ended_by_itself = output.status == RunStatus::kOk || output.status == RunStatus::kFailed;
  Decoder decoder(manifest, settings, all, at);
  if (IsUtf8(file->content)) return decoder.Decode(file->content, ended_by_itself);
  const std::string clean = ToUtf8(file->content);
  return decoder.Decode(clean, ended_by_itself);
}

}  // namespace backplane::netalertx
