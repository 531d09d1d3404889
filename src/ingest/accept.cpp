#include "ingest/accept.h"

#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/crash_point.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/text.h"
#include "ingest/batch_body.h"
#include "store/journal.h"
#include "store/runs.h"

namespace backplane::ingest {
namespace {

constexpr std::size_t kRefusalsKept = 50;

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

void Accept(store::Database& database, const Acceptance& acceptance, std::function<void(Status)> done) {
  // Encoded here, on the worker: the writer thread only stores.
  auto run = std::make_shared<Run>(acceptance.run);
  run->taken = static_cast<std::int64_t>(acceptance.batch.records.size());
  run->refused = static_cast<std::int64_t>(acceptance.batch.refused.size());
  run->refusals = DescribeRefusals(acceptance.batch.refused);
  auto entry = std::make_shared<store::Entry>();
  entry->org = run->lane.org;
  entry->at = run->finished.value_or(run->started);
  entry->plugin = run->lane.plugin;
  entry->run = run->id;
  entry->status = run->status;
  entry->message = run->message;
  entry->complete = acceptance.batch.complete;
  entry->body = EncodeRecords(acceptance.batch.records);
  const bool says_something = run->taken > 0 || entry->complete || run->status != RunStatus::kOk;

  database.Submit(
      store::Priority::kNormal,
      [run, entry, says_something](store::Connection& connection) -> Status {
        CrashPoint("accept.before");
        if (!store::Runs(connection, run->lane.org).Close(*run))
          return Fail(Errc::kConflict, fmt::format("run {} of {} has lost its lease; its result is not taken", run->id,
                                                   run->lane.plugin));
        if (says_something) store::AppendEntry(connection, *entry);
        CrashPoint("accept.inside");
        return {};
      },
      [done = std::move(done)](Status status) {
        CrashPoint("accept.after");
        static Metric& accepted = Counter("backplane_accepted_total", "Runs accepted");
        static Metric& fenced = Counter("backplane_fenced_total", "Runs whose result came after their lease was lost");
        (status ? accepted : fenced).Add();
        done(std::move(status));
      });
}

}  // namespace backplane::ingest
