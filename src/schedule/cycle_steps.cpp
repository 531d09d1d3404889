#include "schedule/cycle_steps.h"

#include <algorithm>
#include <utility>

namespace backplane::schedule {
namespace {

CycleStage After(CycleStage stage) { return static_cast<CycleStage>(static_cast<int>(stage) + 1); }

}  // namespace

CycleEffects CycleSteps::Step(Millis now, CycleInputs inputs) {
  CycleEffects effects;
  scanning_.insert(inputs.began.begin(), inputs.began.end());
  if (ended_.empty()) first_end_ = now;
  for (const RunId run : inputs.ended) {
    scanning_.erase(run);
    ended_.push_back(run);
  }
  due_ = due_ || inputs.due;
  regular_ = inputs.regular.value_or(regular_);
  Settle(now, inputs, effects);
  if (!stage_ && !reporting_) Open(now, effects);
  if (stage_ == CycleStage::kScan && (scanning_.empty() || now >= gather_until_)) {
    stage_ = effects.begin = CycleStage::kAfterScan;
    effects.scans = std::exchange(ended_, {});
  }
  if (effects.begin == CycleStage::kReport) reported_ = now;
  effects.wake = NextWake();
  return effects;
}

void CycleSteps::Settle(Millis now, const CycleInputs& inputs, CycleEffects& effects) {
  using Outcome = CycleInputs::Outcome;
  const auto close = [&](CycleEnd end) {
    stage_.reset();
    effects.close = end;
    effects.begin.reset();
  };
  if (inputs.outcome != Outcome::kNone && reporting_) {
    reporting_ = false;
  } else if (inputs.outcome == Outcome::kFailed && stage_) {
    close(CycleEnd::kFailed);
    due_ = true;
    not_before_ = now + kRegular;
  } else if (inputs.outcome == Outcome::kDone && stage_ == CycleStage::kNotify) {
    close(CycleEnd::kDone);
  } else if (inputs.outcome == Outcome::kDone && stage_) {
    stage_ = effects.begin = After(*stage_);
  }
  if (!inputs.cancel || !stage_) return;
  if (stage_ == CycleStage::kScan) ended_.clear();
  close(CycleEnd::kCancelled);
}

void CycleSteps::Open(Millis now, CycleEffects& effects) {
  const bool scanned = !ended_.empty();
  const bool regular = regular_ && (!opened_ || now >= *opened_ + kRegular);
  if ((scanned || due_ || regular) && now >= not_before_) {
    stage_ = CycleStage::kScan;
    opened_ = now;
    due_ = false;
    gather_until_ = scanned ? first_end_ + kGather : now;
    effects.open = true;
  } else if (!reported_ || now >= *reported_ + kRegular) {
    reporting_ = effects.report = true;
    reported_ = now;
  }
}

std::optional<Millis> CycleSteps::NextWake() const {
  if (stage_ == CycleStage::kScan) return gather_until_;
  if (stage_ || reporting_) return std::nullopt;
  Millis next = *reported_ + kRegular;
  if (regular_) next = std::min(next, std::max(not_before_, opened_.value_or(Millis(0)) + kRegular));
  if (due_ || !ended_.empty()) next = std::min(next, not_before_);
  return next;
}

}  // namespace backplane::schedule
