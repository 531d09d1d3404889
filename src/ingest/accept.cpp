#include "ingest/accept.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/text.h"
#include "ingest/batch_body.h"
#include "store/runs.h"

namespace backplane::ingest {
namespace {

constexpr std::size_t kRefusalsKept = 50;
constexpr std::size_t kMaxBody = 256 << 20;  // bytes

// The first refusals as a JSON array, for people.
std::string DescribeRefusals(const std::vector<Refusal>& refused) {
  if (refused.empty()) return {};
  Json list = Json::array();
  for (const Refusal& refusal : refused) {
    if (list.size() == kRefusalsKept) break;
    list.push_back({{"where", refusal.where}, {"reason", Shorten(refusal.reason, 500)}});
  }
  return DumpJson(list);
}

}  // namespace

bool Sealed::SaysSomething() const { return run.taken > 0 || entry.complete || run.status != RunStatus::kOk; }

Sealed Seal(const Acceptance& acceptance) {
  Sealed sealed{acceptance.run, {}};
  Run& run = sealed.run;
  run.taken = static_cast<std::int64_t>(acceptance.batch.records.size());
  run.refused = static_cast<std::int64_t>(acceptance.batch.refused.size());
  run.refusals = DescribeRefusals(acceptance.batch.refused);
  store::Entry& entry = sealed.entry;
  entry.org = run.lane.org;
  entry.at = run.finished.value_or(run.started);
  entry.plugin = run.lane.plugin;
  entry.run = run.id;
  entry.complete = acceptance.batch.complete;
  entry.reported = acceptance.batch.reported;
  entry.target = run.lane.target;
  entry.began = run.started;
  if (run.status == RunStatus::kOk) entry.every = acceptance.every;
  entry.defaults = acceptance.batch.defaults;
  entry.body = EncodeRecords(acceptance.batch.records);
  if (entry.body.size() > kMaxBody)
    return WithoutResult(sealed,
                         fmt::format("its {} records are larger than the limit of {} MiB", run.taken, kMaxBody >> 20));
  entry.status = run.status;
  entry.message = run.message;
  return sealed;
}

Sealed WithoutResult(const Sealed& sealed, std::string message) {
  Sealed without = sealed;
  without.run.status = RunStatus::kFailed;
  without.run.message = std::move(message);
  without.run.taken = 0;
  without.entry.status = without.run.status;
  without.entry.message = without.run.message;
  without.entry.complete = false;
  without.entry.body.clear();
  return without;
}

void Accept(store::Database& database, std::shared_ptr<const Sealed> sealed, std::function<void(Status)> done) {
  database.Submit(
      store::Priority::kNormal,
      [sealed](store::Connection& connection) -> Status {
        CrashPoint("accept.before");
        const Run& run = sealed->run;
        if (!store::Runs(connection, run.lane.org).Close(run))
          return Fail(Errc::kConflict,
                      fmt::format("run {} of {} has lost its lease; its result is not taken", run.id, run.lane.plugin));
        if (sealed->SaysSomething()) store::AppendEntry(connection, sealed->entry);
        CrashPoint("accept.inside");
        return {};
      },
      [done = std::move(done)](Status status) {
        CrashPoint("accept.after");
        static Metric& accepted = Counter("backplane_accepted_total", "Runs accepted");
        static Metric& fenced = Counter("backplane_fenced_total", "Runs whose result came after their lease was lost");
        if (status) accepted.Add();
        if (!status && status.error().code == Errc::kConflict) fenced.Add();
        done(std::move(status));
      });
}

}  // namespace backplane::ingest
