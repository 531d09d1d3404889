// When a scan pass begins, and what it does in which order.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "base/time.h"
#include "model/ids.h"

namespace backplane::schedule {

/// What a pass does, in this order, one after another.
enum class CycleStage {
  kScan,         ///< waits for scanners that run
  kAfterScan,    ///< phase kAfterScanPhase
  kConclude,     ///< what dialects conclude from what was seen
  kNewDevice,    ///< phase kNewDevicePhase
  kBeforeNames,  ///< phase kBeforeNamesPhase
  kNames,        ///< what devices are called
  kSeal,         ///< the journal learns that everything was scanned
  kReport,       ///< what people are to be told
  kNotify,       ///< sends what waits
};

enum class CycleEnd { kDone, kCancelled, kFailed };

/// Applied in the order of the members.
struct CycleInputs {
  std::vector<RunId> began, ended;  ///< runs of scanners
  bool due = false;                 ///< a pass is due, whatever is scanned
  std::optional<bool> regular;      ///< from now on: a pass is due each minute, whatever is scanned
  enum class Outcome { kNone, kDone, kFailed };
  Outcome outcome = Outcome::kNone;  ///< of what was to be done last
  bool cancel = false;               ///< the pass that is open, if there is one, ends here
};

/// To be done in the order of the members. Of the last two, at most one comes at a time, and its outcome is awaited.
struct CycleEffects {
  std::optional<CycleEnd> close;    ///< the pass that is open is over
  bool open = false;                ///< another one opens, in kScan; a failure is an outcome
  std::vector<RunId> scans;         ///< with `begin`: what the pass is about
  std::optional<CycleStage> begin;  ///< any but kScan, which needs no doing
  bool report = false;              ///< as kReport, outside of a pass
  /// Monotonic time at which to call Step again if nothing else happens.
  std::optional<Millis> wake;
};

/// A pass opens when a run of a scanner has ended, and waits while others run, but not longer than kGather from that
/// end on: what a slower one finds belongs to the next pass, and so does what ends while this one is at work. One pass
/// is open at a time. A pass that failed is made again, a minute later; one that was cancelled is not.
///
/// Times are monotonic, so a clock that is set changes nothing. Not thread-safe; does no I/O and reads no clock. Equal
/// calls give equal effects.
class CycleSteps {
 public:
  static constexpr Millis kGather = std::chrono::minutes(1);
  static constexpr Millis kRegular = std::chrono::minutes(1);

  CycleEffects Step(Millis now, CycleInputs inputs);

 private:
  void Settle(Millis now, const CycleInputs& inputs, CycleEffects& effects);
  void Open(Millis now, CycleEffects& effects);
  std::optional<Millis> NextWake() const;

  std::set<RunId> scanning_;
  std::vector<RunId> ended_;  // that belong to no pass yet
  Millis first_end_{0};       // of ended_
  bool due_ = false;
  bool regular_ = false;
  std::optional<CycleStage> stage_;  // of the open pass
  bool reporting_ = false;           // without a pass
  Millis gather_until_{0};
  Millis not_before_{0};  // no pass opens
  std::optional<Millis> opened_, reported_;
};

}  // namespace backplane::schedule
