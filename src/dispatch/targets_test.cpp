#include "dispatch/targets.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/test_folder.h"
#include "plugin/test_codec.h"

namespace backplane::dispatch {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

Resource Thing(const std::string& id, const std::string& model = "") {
  return {"dc1", "network", "switch", "acme", id, id + ".example", "inventory", {{"model", model}}};
}

class TargetsTest : public ::testing::Test {
 protected:
  TargetsTest() { dialects_.push_back(std::make_unique<TestCodec>("t")); }

  LaneChanges Plugins(const std::vector<std::string>& lines) {
    TestCodec::WriteFolder(folder_.path(), "t", lines);
    config::Site site;
    site.folders.push_back({.path = folder_.path(), .dialect = ""});
    return targets_.SetCatalog(std::make_shared<const Catalog>(Catalog::Load(site, dialects_)));
  }
  static std::vector<std::string> Names(const std::vector<LaneKey>& lanes) {
    std::vector<std::string> names;
    for (const LaneKey& lane : lanes)
      names.push_back(lane.plugin + (lane.target.empty() ? "" : "@" + std::string(ResourceIdOf(lane.target))));
    std::sort(names.begin(), names.end());
    return names;
  }
  static std::vector<std::string> Set(const LaneChanges& changes) {
    std::vector<LaneKey> lanes;
    for (const LaneChange& change : changes)
      if (change.plugin != nullptr) lanes.push_back(change.lane);
    return Names(lanes);
  }
  static std::vector<std::string> Removed(const LaneChanges& changes) {
    std::vector<LaneKey> lanes;
    for (const LaneChange& change : changes)
      if (change.plugin == nullptr) lanes.push_back(change.lane);
    return Names(lanes);
  }

  TestFolder folder_;
  DialectList dialects_;
  Targets targets_;
};

TEST_F(TargetsTest, APluginHasALaneForEachResourceThatItMatches) {
  EXPECT_THAT(Set(Plugins({"scan", "poll on=sw", "set runtime="})), ElementsAre("t:scan"));
  const auto changes = targets_.SetResources({Thing("sw1"), Thing("sw2"), Thing("host1")});
  EXPECT_THAT(Set(changes), ElementsAre("t:poll@sw1", "t:poll@sw2"));
  EXPECT_THAT(targets_.TargetsOf("t:scan", "", 9), ElementsAre(""));
  EXPECT_EQ(targets_.CountOf("t:poll"), 2U);
  const std::string sw1 = ResourceKey(Thing("sw1")), sw2 = ResourceKey(Thing("sw2"));
  EXPECT_THAT(targets_.TargetsOf("t:poll", "", 9), ElementsAre(sw1, sw2));
  EXPECT_THAT(targets_.TargetsOf("t:poll", "", 1), ElementsAre(sw1));
  EXPECT_THAT(targets_.TargetsOf("t:poll", sw1, 9), ElementsAre(sw2));
  EXPECT_THAT(targets_.TargetsOf("t:poll", sw2, 9), IsEmpty());
  EXPECT_EQ(targets_.CountOf("t:scan"), 1U);
  EXPECT_EQ(targets_.CountOf("t:set"), 0U);
  EXPECT_THAT(targets_.TargetsOf("t:none", "", 9), IsEmpty());
  EXPECT_EQ(targets_.Find(ResourceKey(Thing("host1")))->id, "host1");
}

TEST_F(TargetsTest, TargetsAreFoundByKeyAndByTheirResourcesId) {
  Plugins({"poll on=sw", "all on="});
  Resource other = Thing("sw1");
  other.site = "dc2";
  const std::string key = ResourceKey(Thing("sw1")), other_key = ResourceKey(other);
  targets_.SetResources({other, Thing("sw1"), Thing("sw1", "X"), Thing("host1")});
  EXPECT_THAT(targets_.TargetsNamed("t:poll", "sw1"), ElementsAre(key, other_key));
  EXPECT_THAT(targets_.TargetsNamed("t:poll", other_key), ElementsAre(other_key));
  EXPECT_THAT(targets_.TargetsNamed("t:poll", "host1"), IsEmpty());
  EXPECT_THAT(targets_.TargetsNamed("t:all", "host1").size(), 1U);
  targets_.RemoveResources({key});
  EXPECT_THAT(targets_.TargetsNamed("t:poll", "sw1"), ElementsAre(other_key));
  EXPECT_THAT(targets_.TargetsNamed("t:none", "sw1"), IsEmpty());
}

TEST_F(TargetsTest, APluginThatComesFindsTheResourcesThatAreThere) {
  Plugins({});
  targets_.SetResources({Thing("sw1"), Thing("host1")});
  EXPECT_THAT(Set(Plugins({"poll on=sw", "all on="})), ElementsAre("t:all@host1", "t:all@sw1", "t:poll@sw1"));
}

TEST_F(TargetsTest, AResourceThatChangesMayChangeHands) {
  Plugins({"poll on=sw", "all on="});
  targets_.SetResources({Thing("sw1")});
  // The same resource with other metadata is on the same lanes.
  const auto changed = targets_.SetResources({Thing("sw1", "X")});
  EXPECT_THAT(Set(changed), IsEmpty());
  EXPECT_THAT(Removed(changed), IsEmpty());
  EXPECT_EQ(targets_.Find(ResourceKey(Thing("sw1")))->metadata.at("model"), "X");
  const auto gone = targets_.RemoveResources({ResourceKey(Thing("sw1")), "none"});
  EXPECT_THAT(Removed(gone), ElementsAre("t:all@sw1", "t:poll@sw1"));
  EXPECT_EQ(targets_.Find(ResourceKey(Thing("sw1"))), nullptr);
}

TEST_F(TargetsTest, OnlyPluginsThatChangedHaveTheirLanesSetAnew) {
  Plugins({"scan", "poll on=sw interval", "other on=sw"});
  targets_.SetResources({Thing("sw1"), Thing("swab")});
  const auto same = Plugins({"scan", "poll on=sw interval", "other on=sw"});
  EXPECT_THAT(Set(same), IsEmpty());
  EXPECT_THAT(Removed(same), IsEmpty());
  const auto slower = Plugins({"scan", "poll on=sw interval min=5", "other on=sw"});
  EXPECT_THAT(Set(slower), ElementsAre("t:poll@sw1", "t:poll@swab"));
  EXPECT_THAT(Removed(slower), IsEmpty());
  const auto narrower = Plugins({"scan", "poll on=swa interval", "other on=sw"});
  EXPECT_THAT(Set(narrower), ElementsAre("t:poll@swab"));
  EXPECT_THAT(Removed(narrower), ElementsAre("t:poll@sw1"));
  // And they go on as any others.
  EXPECT_THAT(Removed(targets_.RemoveResources({ResourceKey(Thing("swab"))})),
              ElementsAre("t:other@swab", "t:poll@swab"));
}

TEST_F(TargetsTest, APluginThatGoesTakesItsLanesAlong) {
  Plugins({"scan", "poll on=sw"});
  targets_.SetResources({Thing("sw1")});
  EXPECT_THAT(Removed(Plugins({})), ElementsAre("t:poll@sw1", "t:scan"));
  EXPECT_THAT(targets_.SetResources({Thing("sw2")}), IsEmpty());
}

TEST_F(TargetsTest, APluginMayBeginOrCeaseToRunAboutResources) {
  Plugins({"p"});
  targets_.SetResources({Thing("sw1")});
  const auto begins = Plugins({"p on=sw"});
  EXPECT_THAT(Set(begins), ElementsAre("t:p@sw1"));
  EXPECT_THAT(Removed(begins), ElementsAre("t:p"));
  const auto ceases = Plugins({"p"});
  EXPECT_THAT(Set(ceases), ElementsAre("t:p"));
  EXPECT_THAT(Removed(ceases), ElementsAre("t:p@sw1"));
}

}  // namespace
}  // namespace backplane::dispatch
