#include "ingest/folder.h"

#include <algorithm>
#include <deque>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/json.h"
#include "base/log.h"
#include "base/metrics.h"
#include "ingest/batch_body.h"
#include "store/audit.h"

namespace backplane::ingest {
namespace {

using store::Watermark;

constexpr Millis kSlice{5};
constexpr int kEntriesPerRead = 500;
constexpr std::size_t kBytesPerRead = 1 << 20;
// Records decoded ahead of the writer: about what a slice takes.
constexpr std::size_t kDecodeAhead = 300;
constexpr Millis kRetryDelay{1'000};

// Decodes up to `upto` records in all. A damaged line counts as a record that says nothing.
void DecodeUpTo(OpenEntry& open, std::size_t upto) {
  while (open.first + open.records.size() < std::min(upto, open.lines.size())) {
    const std::size_t index = open.first + open.records.size();
    // Samples are another fold's, and most of what there is.
    Result<Record> record = IsMetrics(open.lines[index]) ? Record(MetricsRecord{}) : DecodeRecord(open.lines[index]);
    if (!record) LogError("journal entry {}, record {}: {}", open.entry.id, index, record.error().message);
    open.records.push_back(record ? std::move(*record) : Record(Observation{}));
  }
}

// Forgets the records before `position`.
void DropFolded(OpenEntry& open, std::int64_t position) {
  const std::size_t done =
      std::min(static_cast<std::size_t>(std::max<std::int64_t>(position - 1, 0)), open.lines.size());
  const std::size_t decoded = std::min(done - open.first, open.records.size());
  open.records.erase(open.records.begin(), open.records.begin() + static_cast<std::ptrdiff_t>(decoded));
  open.first = done;
}

Result<ChangedDevice> ApplyChangeEntry(store::Connection& connection, const store::Entry& entry,
                                       const DeviceChange& change) {
  FoldContext context{connection, entry, 0};
  return ApplyChange(context, change);
}

}  // namespace

Folder::Folder(store::Database& database, Fold& fold, const Clock& clock, std::function<void()> committed)
    : database_(database), fold_(fold), clock_(clock), committed_(std::move(committed)) {
  thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
}

Folder::~Folder() {
  thread_.request_stop();
  thread_.join();
}

void Folder::Wake() {
  bool asleep = false;
  {
    const std::lock_guard lock(mutex_);
    asleep = !std::exchange(woken_, true);
  }
  if (asleep) woken_cv_.notify_all();
}

bool Folder::WaitUntilFolded(Millis timeout) {
  EntryId last = 0;
  const Status read = database_.Read([&](store::Connection& connection) -> Status {
    last = store::LastEntry(connection);
    return {};
  });
  if (!read) return false;
  Wake();
  std::unique_lock lock(mutex_);
  return woken_cv_.wait_for(lock, timeout, [&] { return watermark_.entry >= last; });
}

Result<std::vector<ChangedDevice>> Folder::ChangeAll(OrgId org, const std::vector<DeviceChange>& changes,
                                                     const std::string& actor, bool trial) {
  if (changes.size() > kMostChanges)
    return Fail(Errc::kInvalid,
                fmt::format("{} devices at once; at most {} are changed together", changes.size(), kMostChanges));
  std::vector<ChangedDevice> devices;
  bool tried = false;
  const TimePoint now = clock_.Now();
  const Status status = database_.Write([&](store::Connection& connection) -> Status {
    devices.clear();
    store::Entry entry{.org = org, .kind = store::EntryKind::kEdit, .at = now};
    entry.base = store::GetWatermark(connection, std::string(fold_.name()));
    for (const DeviceChange& change : changes) {
      const Json body = EncodeChange(change);
      entry.body = DumpJson(body);
      entry.id = store::AppendEntry(connection, entry);
      BACKPLANE_ASSIGN(ChangedDevice device, ApplyChangeEntry(connection, entry, change));
      if (device.changed)
        store::Audit(connection, org)
            .Append({.at = now,
                     .actor = actor,
                     .action = ActionOf(change),
                     .subject = fmt::format("device {}", device.device.id),
                     .detail = entry.body});
      devices.push_back(std::move(device));
    }
    tried = trial;
    if (trial) return Fail(Errc::kConflict, "a trial is taken back");
    return {};
  });
  if (tried) return devices;
  if (!status) return Fail(status.error());
  committed_();
  Wake();
  return devices;
}

Result<store::Entity> Folder::Change(OrgId org, const DeviceChange& change, const std::string& actor) {
  BACKPLANE_ASSIGN(std::vector<ChangedDevice> devices, ChangeAll(org, {change}, actor));
  return std::move(devices.front().device);
}

void Folder::Loop(const std::stop_token& stop) {
  std::vector<OpenEntry> entries;
  std::size_t at = 0;
  bool first = true;
  while (!stop.stop_requested()) {
    Status status;
    if (at == entries.size()) {
      {
        std::unique_lock lock(mutex_);
        if (!woken_cv_.wait(lock, stop, [this] { return woken_; })) return;
        woken_ = false;
      }
      entries.clear();
      at = 0;
      status = database_.Read([&](store::Connection& connection) -> Status {
        const Watermark reached = store::GetWatermark(connection, std::string(fold_.name()));
        for (store::Entry& entry : store::ReadEntries(connection, reached.entry, kEntriesPerRead, kBytesPerRead))
          entries.push_back({std::move(entry), {}, {}});
        static Metric& backlog = Gauge("backplane_fold_backlog", "Journal entries that wait to be folded");
        backlog.Set(std::max<std::int64_t>(0, store::LastEntry(connection) - reached.entry));
        const std::lock_guard lock(mutex_);
        watermark_ = reached;
        return {};
      });
      // The lines are views into bodies that have just been moved into place.
      for (OpenEntry& open : entries) open.lines = SplitBody(open.entry.body);
      if (first) woken_cv_.notify_all();
      first = false;
      if (status && !entries.empty()) Wake();  // there may be more behind these
    } else {
      status = Slice(entries, at);
    }
    if (!status) {
      LogError("fold {}: {}; trying again", fold_.name(), status.error().message);
      entries.clear();
      at = 0;
      Wake();
      std::unique_lock lock(mutex_);
      woken_cv_.wait_for(lock, stop, kRetryDelay, [] { return false; });
    }
  }
}

Status Folder::Slice(std::vector<OpenEntry>& entries, std::size_t& at) {
  static Metric& slices = Counter("backplane_fold_slices_total", "Slices applied");
  static Metric& folded = Counter("backplane_fold_entries_total", "Journal entries folded");

  Watermark mark;
  {
    const std::lock_guard lock(mutex_);
    mark = watermark_;
  }
  DropFolded(entries[at], mark.position);
  std::size_t ahead = kDecodeAhead;
  for (std::size_t i = at; i < entries.size() && ahead > 0; ++i) {
    DecodeUpTo(entries[i], entries[i].first + ahead);
    ahead -= std::min(ahead, entries[i].records.size());
  }

  std::size_t reached = at;
  const Status status = database_.Write(
      [&](store::Connection& connection) -> Status {
        CrashPoint("fold.slice.before");
        if (store::GetWatermark(connection, std::string(fold_.name())) != mark)
          return Fail(Errc::kConflict, "somebody else has folded; reading on from there");
        const Millis end = clock_.Monotonic() + kSlice;
        const Budget budget{.spent = [&] { return clock_.Monotonic() >= end; }};
        while (reached < entries.size()) {
          const OpenEntry& open = entries[reached];
          const Fold::Progress progress = fold_.Apply(connection, open, mark.position, budget);
          mark.position = progress.position;
          if (!progress.done) break;
          mark = {open.entry.id, 0};
          ++reached;
          if (budget.spent()) break;
        }
        store::SetWatermark(connection, std::string(fold_.name()), mark);
        CrashPoint("fold.slice.inside");
        return {};
      },
      store::Priority::kSlice);
  if (!status) return status;
  CrashPoint("fold.slice.after");
  slices.Add();
  folded.Add(static_cast<std::int64_t>(reached - at));
  for (std::size_t i = at; i < reached; ++i) entries[i] = {};
  at = reached;
  {
    const std::lock_guard lock(mutex_);
    watermark_ = mark;
  }
  woken_cv_.notify_all();
  committed_();
  return {};
}

Status Replay(store::Database& source, store::Database& target, Fold& fold) {
  std::deque<store::Entry> edits;
  EntryId folded = 0;
  BACKPLANE_TRY(source.Read([&](store::Connection& connection) -> Status {
    folded = store::GetWatermark(connection, std::string(fold.name())).entry;
    for (store::Entry& edit : store::ReadEdits(connection)) edits.push_back(std::move(edit));
    return {};
  }));
  Watermark mark;
  const auto apply_due_edits = [&](store::Connection& connection) -> Status {
    while (!edits.empty() && edits.front().base <= mark) {
      BACKPLANE_ASSIGN(const Json body, ParseJson(edits.front().body));
      BACKPLANE_ASSIGN(const DeviceChange change, DecodeChange(body));
      BACKPLANE_TRY(ApplyChangeEntry(connection, edits.front(), change));
      edits.pop_front();
    }
    return {};
  };
  while (true) {
    std::vector<store::Entry> entries;
    BACKPLANE_TRY(source.Read([&](store::Connection& connection) -> Status {
      entries = store::ReadEntries(connection, mark.entry, kEntriesPerRead, kBytesPerRead);
      return {};
    }));
    if (mark.entry == 0 && folded > 0 && (entries.empty() || entries.front().id != 1))
      return Fail(Errc::kConflict,
                  "the beginning of the journal is forgotten (journal.keep): it cannot be folded anew");
    if (entries.empty()) return target.Write(apply_due_edits);
    for (store::Entry& entry : entries) {
      OpenEntry open{std::move(entry), {}, {}};
      open.lines = SplitBody(open.entry.body);
      DecodeUpTo(open, open.lines.size());
      BACKPLANE_TRY(target.Write([&](store::Connection& connection) -> Status {
        Fold::Progress progress;
        while (!progress.done) {
          BACKPLANE_TRY(apply_due_edits(connection));
          Budget budget;
          if (!edits.empty() && edits.front().base.entry == mark.entry) budget.until = edits.front().base.position;
          progress = fold.Apply(connection, open, mark.position, budget);
          mark.position = progress.position;
        }
        mark = {open.entry.id, 0};
        store::SetWatermark(connection, std::string(fold.name()), mark);
        return {};
      }));
    }
  }
}

}  // namespace backplane::ingest
