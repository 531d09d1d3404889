#include "schedule/cycle_steps.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace backplane::schedule {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Outcome = CycleInputs::Outcome;

constexpr std::array kWork = {CycleStage::kAfterScan,   CycleStage::kConclude, CycleStage::kNewDevice,
                              CycleStage::kBeforeNames, CycleStage::kNames,    CycleStage::kSeal,
                              CycleStage::kReport,      CycleStage::kNotify};

class CycleStepsTest : public ::testing::Test {
 protected:
  CycleEffects Step(CycleInputs inputs = {}) { return steps_.Step(now_, std::move(inputs)); }
  CycleEffects Began(RunId run) { return Step({.began = {run}}); }
  CycleEffects Ended(RunId run) { return Step({.ended = {run}}); }
  CycleEffects Done() { return Step({.outcome = Outcome::kDone}); }
  CycleEffects After(Millis time, CycleInputs inputs = {}) {
    now_ += time;
    return Step(std::move(inputs));
  }
  // The report that nobody has asked for yet is over.
  void Begin() {
    EXPECT_TRUE(Step().report);
    EXPECT_FALSE(Done().report);
  }
  // What is left of a pass, from the stage that has begun on, until the last has.
  void RunTo(CycleStage from, CycleStage to) {
    for (auto stage = from; stage != to;) {
      stage = static_cast<CycleStage>(static_cast<int>(stage) + 1);
      EXPECT_EQ(Done().begin, stage);
    }
  }

  CycleSteps steps_;
  Millis now_{1'000'000};
};

TEST_F(CycleStepsTest, DoesEverythingInOrder) {
  Begin();
  Began(1);
  CycleEffects effects = Ended(1);
  EXPECT_TRUE(effects.open);
  EXPECT_THAT(effects.scans, ElementsAre(1));
  EXPECT_EQ(effects.begin, CycleStage::kAfterScan);
  RunTo(CycleStage::kAfterScan, CycleStage::kNotify);
  effects = Done();
  EXPECT_EQ(effects.close, CycleEnd::kDone);
  EXPECT_FALSE(effects.open || effects.begin || effects.report);
}

TEST_F(CycleStepsTest, NothingIsDoneBeforeWhatComesBeforeIt) {
  Begin();
  EXPECT_EQ(Ended(1).begin, CycleStage::kAfterScan);
  const CycleEffects effects = After(minutes(30));
  EXPECT_FALSE(effects.begin || effects.open || effects.report || effects.close);
}

TEST_F(CycleStepsTest, WaitsForScannersThatRunBesides) {
  Begin();
  Began(1), Began(2);
  CycleEffects effects = Ended(1);
  EXPECT_TRUE(effects.open);
  EXPECT_FALSE(effects.begin);
  EXPECT_EQ(effects.wake, now_ + minutes(1));
  now_ += seconds(30);
  Began(3);  // and for those that begin meanwhile
  EXPECT_FALSE(Ended(2).begin);
  effects = Ended(3);
  EXPECT_EQ(effects.begin, CycleStage::kAfterScan);
  EXPECT_THAT(effects.scans, ElementsAre(1, 2, 3));
}

TEST_F(CycleStepsTest, ASlowScannerBelongsToTheNextPass) {
  Begin();
  Began(1), Began(2);
  Ended(1);
  EXPECT_FALSE(After(minutes(1) - Millis(1)).begin);
  const CycleEffects effects = After(Millis(1));
  EXPECT_EQ(effects.begin, CycleStage::kAfterScan);
  EXPECT_THAT(effects.scans, ElementsAre(1));
  EXPECT_FALSE(Ended(2).open);
  RunTo(CycleStage::kAfterScan, CycleStage::kNotify);
  const CycleEffects next = Done();
  EXPECT_EQ(next.close, CycleEnd::kDone);
  EXPECT_TRUE(next.open);
  EXPECT_EQ(next.begin, CycleStage::kAfterScan);
  EXPECT_THAT(next.scans, ElementsAre(2));
}

TEST_F(CycleStepsTest, TheMinuteOfThoseThatEndedInAPassCountsFromTheirEnd) {
  Begin();
  Ended(1);
  Began(2), Began(3);
  now_ += seconds(20);
  Ended(2);
  now_ += seconds(30);
  RunTo(CycleStage::kAfterScan, CycleStage::kNotify);
  const CycleEffects effects = Done();
  EXPECT_TRUE(effects.open);
  EXPECT_FALSE(effects.begin);
  EXPECT_EQ(effects.wake, now_ + seconds(30));
}

TEST_F(CycleStepsTest, IsRegularOnlyWhileSomebodyWantsThat) {
  Begin();
  EXPECT_FALSE(After(minutes(10)).open);
  Done();
  CycleEffects effects = Step({.regular = true});
  EXPECT_EQ(effects.begin, CycleStage::kAfterScan);
  EXPECT_THAT(effects.scans, IsEmpty());
  RunTo(CycleStage::kAfterScan, CycleStage::kNotify);
  EXPECT_FALSE(Done().open);
  EXPECT_FALSE(After(seconds(59)).open);
  Began(1);  // a pass that is about nothing does not wait for what runs
  EXPECT_EQ(After(seconds(1)).begin, CycleStage::kAfterScan);
  RunTo(CycleStage::kAfterScan, CycleStage::kNotify);
  Done();
  effects = After(minutes(5), {.regular = false});
  EXPECT_FALSE(effects.open);
}

TEST_F(CycleStepsTest, ReportsEachMinuteBetweenPasses) {
  EXPECT_TRUE(Step().report);
  EXPECT_FALSE(After(minutes(5)).report);  // one at a time
  EXPECT_TRUE(Step({.outcome = Outcome::kFailed}).report);
  EXPECT_FALSE(Done().report);
  EXPECT_EQ(Ended(1).begin, CycleStage::kAfterScan);
  now_ += minutes(2);
  RunTo(CycleStage::kAfterScan, CycleStage::kNotify);
  EXPECT_FALSE(Done().report);  // the pass has reported
  EXPECT_FALSE(After(seconds(59)).report);
  EXPECT_TRUE(After(seconds(1)).report);
  EXPECT_FALSE(Ended(2).open);  // waits for the report
  EXPECT_TRUE(Done().open);
}

TEST_F(CycleStepsTest, OneThatIsDueNeedsNoScan) {
  EXPECT_EQ(Step({.due = true}).begin, CycleStage::kAfterScan);
  RunTo(CycleStage::kAfterScan, CycleStage::kNotify);
  EXPECT_FALSE(Done().open);
}

TEST_F(CycleStepsTest, CancelEndsItWhereverItIs) {
  Begin();
  Began(1), Began(2);
  Ended(1);
  CycleEffects effects = Step({.cancel = true});
  EXPECT_EQ(effects.close, CycleEnd::kCancelled);
  EXPECT_FALSE(effects.open);
  Ended(2);
  for (std::size_t done = 0; done < kWork.size(); ++done) {
    RunTo(CycleStage::kAfterScan, kWork[done]);
    effects = Step({.ended = {10}, .cancel = true});
    EXPECT_EQ(effects.close, CycleEnd::kCancelled);
    EXPECT_THAT(effects.scans, ElementsAre(10));  // what was not of the pass has one of its own
    EXPECT_EQ(effects.begin, CycleStage::kAfterScan);
  }
  // What was done just then does not go on, and without a pass there is nothing to cancel.
  effects = Step({.outcome = Outcome::kDone, .cancel = true});
  EXPECT_EQ(effects.close, CycleEnd::kCancelled);
  EXPECT_FALSE(effects.begin);
  EXPECT_FALSE(Step({.cancel = true}).close);
}

TEST_F(CycleStepsTest, WhatFailedIsMadeAgainAMinuteLater) {
  Begin();
  Ended(1);
  for (const CycleStage stage : kWork) {
    RunTo(CycleStage::kAfterScan, stage);
    CycleEffects effects = Step({.outcome = Outcome::kFailed});
    EXPECT_EQ(effects.close, CycleEnd::kFailed);
    if (effects.report) Done();
    effects = After(seconds(59));
    EXPECT_FALSE(effects.open);
    if (effects.report) Done();
    EXPECT_EQ(After(seconds(1)).begin, CycleStage::kAfterScan);
  }
}

TEST_F(CycleStepsTest, WhatCouldNotBeOpenedLosesNoScan) {
  Begin();
  Began(1), Began(2);
  Ended(1);
  CycleEffects effects = Step({.outcome = Outcome::kFailed});
  EXPECT_EQ(effects.close, CycleEnd::kFailed);
  EXPECT_FALSE(effects.open);
  Ended(2);
  effects = After(minutes(1));
  EXPECT_THAT(effects.scans, ElementsAre(1, 2));
}

// Random scans, delays, failures and cancels: every rule of the header, at every step.
TEST(CycleStepsRandom, KeepsItsRules) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    CycleSteps steps;
    Millis now{0};
    RunId last = 0;
    std::set<RunId> running;
    std::map<RunId, Millis> loose;  // ended, and of no pass yet, with their end
    std::set<RunId> settled;
    std::optional<CycleStage> stage;  // of the open pass
    bool working = false, reporting = false;
    for (int i = 0; i < 2'000; ++i) {
      const bool quiet = i > 1'900;  // in the end nothing new comes
      CycleInputs inputs;
      if (!quiet && rng.Chance(0.2)) running.insert(++last), inputs.began.push_back(last);
      while (!running.empty() && rng.Chance(quiet ? 1.0 : 0.2)) {
        inputs.ended.push_back(*running.begin());
        loose[*running.begin()] = now;
        running.erase(running.begin());
      }
      if (rng.Chance(0.05) || quiet) inputs.regular = !quiet && rng.Chance(0.5);
      const bool failing = !quiet && rng.Chance(0.05);
      if ((working || reporting) && rng.Chance(0.5)) inputs.outcome = failing ? Outcome::kFailed : Outcome::kDone;
      inputs.cancel = !quiet && rng.Chance(0.02);
      const bool cancel = inputs.cancel, told = inputs.outcome != Outcome::kNone;
      const bool was_reporting = reporting;
      const CycleEffects effects = steps.Step(now, std::move(inputs));

      if (told) working = reporting = false;
      if (effects.close) {
        ASSERT_TRUE(stage);
        ASSERT_TRUE(*effects.close != CycleEnd::kDone || stage == CycleStage::kNotify);
        ASSERT_TRUE(*effects.close != CycleEnd::kCancelled || cancel);
        if (stage == CycleStage::kScan) loose.clear();  // they were of this pass
        stage.reset();
        working = false;
      }
      if (effects.open) {
        ASSERT_FALSE(stage || reporting);
        stage = CycleStage::kScan;
      }
      if (effects.begin) {
        ASSERT_TRUE(stage && !working);
        ASSERT_EQ(static_cast<int>(*effects.begin), static_cast<int>(*stage) + 1);
        if (*effects.begin == CycleStage::kAfterScan) {
          for (const auto& [run, end] : loose)
            ASSERT_EQ(std::count(effects.scans.begin(), effects.scans.end(), run), 1) << run;
          for (const RunId run : effects.scans) ASSERT_TRUE(settled.insert(run).second) << run;
          loose.clear();
        }
        stage = effects.begin;
        working = true;
      }
      if (effects.report) {
        ASSERT_FALSE(stage || (was_reporting && !told));
        reporting = true;
      }
      if (stage == CycleStage::kScan) {
        ASSERT_FALSE(running.empty());
        for (const auto& [run, end] : loose) ASSERT_LT(now, end + CycleSteps::kGather) << run;
      }
      // Whoever sleeps until `wake` misses nothing.
      if (!working && !reporting) {
        ASSERT_TRUE(effects.wake);
        ASSERT_GT(*effects.wake, now);
      }
      now += effects.wake && rng.Chance(0.3) ? std::max(Millis(0), *effects.wake - now)
                                             : Millis(static_cast<std::int64_t>(rng.Below(20'000)));
    }
    ASSERT_TRUE(loose.empty());
  }
}

}  // namespace
}  // namespace backplane::schedule
