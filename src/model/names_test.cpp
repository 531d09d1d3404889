#include <set>
#include <string>

#include <gtest/gtest.h>

#include "model/record.h"
#include "model/resource.h"
#include "model/run.h"

namespace backplane {
namespace {

TEST(Model, StatusNamesReadBack) {
  std::set<std::string> names;
  for (const auto status :
       {RunStatus::kRunning, RunStatus::kOk, RunStatus::kFailed, RunStatus::kTimeout, RunStatus::kKilled,
        RunStatus::kCancelled, RunStatus::kNotStarted, RunStatus::kInterrupted}) {
    EXPECT_EQ(ParseRunStatus(RunStatusName(status)), status);
    EXPECT_TRUE(names.insert(RunStatusName(status)).second);
  }
  for (const char* name : {"", "OK", "ok ", "done"}) EXPECT_EQ(ParseRunStatus(name), std::nullopt) << name;
}

TEST(Model, ObjectStatusNamesReadBack) {
  for (const ObjectStatus status : kObjectStatuses) EXPECT_EQ(ParseObjectStatus(ObjectStatusName(status)), status);
  for (const char* name : {"", "New", "watched-changed"}) EXPECT_EQ(ParseObjectStatus(name), std::nullopt) << name;
}

TEST(Model, TriggersHaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const auto kind : {TriggerKind::kStart, TriggerKind::kCron, TriggerKind::kInterval, TriggerKind::kPhase,
                          TriggerKind::kEvent, TriggerKind::kCall})
    EXPECT_TRUE(names.insert(TriggerName(kind)).second);
}

TEST(Model, FieldNamesDiffer) {
  EXPECT_EQ(std::set<std::string>(kDeviceFields.begin(), kDeviceFields.end()).size(), kDeviceFields.size());
}

TEST(Model, AResourceIsFoundInItsKey) {
  const Resource resource{"dc1", "network", "switch", "arista", "sw1", "sw1.example", "P", {}};
  EXPECT_EQ(ResourceKey(resource),
            "plugin|P|site|dc1|class|network|subclass|switch|type|arista|id|sw1|endpoint|sw1.example");
  EXPECT_EQ(ResourcePath(resource), "dc1|network|switch|arista|sw1");
  EXPECT_EQ(ResourceIdOf(ResourceKey(resource)), "sw1");
  EXPECT_EQ(ResourceIdOf(ResourceKey({"id", "id", "id", "id", "sw1", "endpoint", "id", {}})), "sw1");
  for (const char* none : {"", "x", "|endpoint||id|", "|id|endpoint|"}) EXPECT_EQ(ResourceIdOf(none), none);
}

TEST(Model, ALaterEpochBeatsAnyCounter) {
  EXPECT_LT((Token{1, 900}), (Token{2, 1}));
  EXPECT_LT((Token{2, 1}), (Token{2, 2}));
}

}  // namespace
}  // namespace backplane
