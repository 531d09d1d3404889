#include "ingest/mapper.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ingest/folder.h"
#include "ingest/test_journal.h"

namespace backplane::ingest {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

config::Mapping Rule(const std::string& name, std::map<std::string, std::string> where) {
  return {.name = name,
          .where = std::move(where),
          .resource = {{"site", "local"},
                       {"class", "system"},
                       {"subclass", "host"},
                       {"type", "{type}"},
                       {"id", "{name}"},
                       {"endpoint", "{ip}"}},
          .metadata = {{"mac", "{mac}"}, {"note", "at {location}"}, {"owner", "{owner}"}}};
}

store::Entity Device(std::map<std::string, std::string> fields) {
  store::Entity entity{.id = 7, .kind = "device"};
  for (const auto& [name, value] : fields) entity.fields[*store::FieldIndex(name)] = value;
  return entity;
}

TEST(MapDevice, FillsInTheFieldsOfTheDevice) {
  const auto resource = MapDevice(
      Rule("hosts", {}), Device({{"name", "nas|1"}, {"ip", "10.0.0.9"}, {"type", "linux"}, {"mac", "aa"}}), "me");
  ASSERT_TRUE(resource);
  EXPECT_EQ(
      *resource,
      (Resource{"local", "system", "host", "linux", "nas_1", "10.0.0.9", "hosts", {{"mac", "aa"}, {"note", "at "}}}));
}

TEST(MapDevice, NeedsEveryPartOfAResource) {
  EXPECT_FALSE(MapDevice(Rule("hosts", {}), Device({{"name", "nas"}, {"type", "linux"}}), "me"));
  EXPECT_FALSE(MapDevice(Rule("hosts", {}), Device({{"ip", "10.0.0.9"}, {"type", "linux"}}), "me"));
}

TEST(MapDevice, ARuleMayChooseItsDevices) {
  const auto device = Device({{"name", "nas1"}, {"ip", "10.0.0.9"}, {"type", "linux"}, {"vendor", "Dell Inc."}});
  const auto matches = [&](std::map<std::string, std::string> where) {
    return MapDevice(Rule("hosts", std::move(where)), device, "nas1").has_value();
  };
  EXPECT_TRUE(matches({{"vendor", "Dell*"}}));
  EXPECT_TRUE(matches({{"vendor", "*ell*nc*"}, {"name", "{hostname}"}}));
  EXPECT_TRUE(matches({{"vendor", "*"}, {"owner", "*"}, {"ssid", ""}}));
  EXPECT_FALSE(matches({{"vendor", "dell*"}}));
  EXPECT_FALSE(matches({{"vendor", "*ell"}}));
  EXPECT_FALSE(matches({{"vendor", "Dell*"}, {"name", "other"}}));
}

class MapperTest : public ::testing::Test {
 protected:
  MapperTest() { Start({Rule("hosts", {{"type", "linux"}})}); }
  ~MapperTest() override { mapper_.reset(); }

  void Start(std::vector<config::Mapping> rules) {
    mapper_.reset();
    auto started = StartMapper({.database = *store_,
                                .bus = bus_,
                                .clock = clock_,
                                .rules = std::move(rules),
                                .hostname = "me",
                                .appended = [this] { return folder_.WaitUntilFolded(Millis(60'000)); }});
    ASSERT_TRUE(started) << started.error().message;
    mapper_ = *std::move(started);
  }
  void Report(const std::vector<Record>& records) {
    store_.Write([&](store::Connection& c) { store::AppendEntry(c, Entry(records)); });
    folder_.Wake();
  }
  static Observation Host(const std::string& mac, const std::string& name, const std::string& ip,
                          const std::string& type = "linux") {
    return Seen(mac, {{"name", name, ClaimPolicy::kAlways}, {"ip", ip, ClaimPolicy::kAlways}, {"type", type}});
  }
  std::vector<std::string> Resources() {
    std::vector<std::string> names;
    for (const auto& stored :
         store_.Read([](store::Connection& c) { return store::Resources(c, kDefaultOrg).List({}); }))
      names.push_back(stored.source + " " + stored.resource.id + "@" + stored.resource.endpoint);
    return names;
  }
  // The mapper follows on a thread of its own.
  std::vector<std::string> ResourcesOnce(const std::function<bool(const std::vector<std::string>&)>& right) {
    const Millis end = clock_.Monotonic() + std::chrono::seconds(60);
    auto resources = Resources();
    while (!right(resources) && clock_.Monotonic() < end) resources = Resources();
    return resources;
  }

  const SystemClock clock_;
  store::TestStore store_;
  events::Bus bus_{clock_};
  CoreFold fold_;
  Folder folder_{*store_, fold_, clock_, [this] { bus_.Notify(); }};
  std::unique_ptr<events::Follower> mapper_;
};

TEST_F(MapperTest, ResourcesFollowTheirDevices) {
  Report({Host("a", "nas", "10.0.0.1"), Host("b", "printer", "10.0.0.2", "printer")});
  EXPECT_THAT(ResourcesOnce([](const auto& all) { return !all.empty(); }), ElementsAre("mapping:hosts nas@10.0.0.1"));
  // Another address is another resource in its place.
  Report({Host("a", "nas", "10.0.0.7")});
  EXPECT_THAT(
      ResourcesOnce([](const auto& all) { return all == std::vector<std::string>{"mapping:hosts nas@10.0.0.7"}; }),
      ElementsAre("mapping:hosts nas@10.0.0.7"));
  const auto device = store_.Read([](store::Connection& c) { return store::Resources(c, kDefaultOrg).List({}); });
  EXPECT_EQ(device.at(0).entity, 1);
}

TEST_F(MapperTest, OfTwoDevicesThatMakeTheSameTheOtherTakesOver) {
  Report({Host("a", "nas", "10.0.0.1"), Host("b", "nas", "10.0.0.1")});
  const auto device_of = [&] {
    const auto stored = store_.Read([](store::Connection& c) { return store::Resources(c, kDefaultOrg).List({}); });
    return stored.size() == 1 ? stored[0].entity : 0;
  };
  ResourcesOnce([](const auto& all) { return all.size() == 1; });
  EXPECT_EQ(device_of(), 1);
  Report({Host("a", "other", "10.0.0.9", "linux")});
  const Millis end = clock_.Monotonic() + std::chrono::seconds(60);
  while (Resources().size() != 2 && clock_.Monotonic() < end) continue;
  EXPECT_THAT(Resources(), UnorderedElementsAre("mapping:hosts nas@10.0.0.1", "mapping:hosts other@10.0.0.9"));
}

TEST_F(MapperTest, ADeviceThatChangesBackAndForthEndsWhereItIs) {
  Report({Host("a", "nas", "10.0.0.1")});
  ResourcesOnce([](const auto& all) { return all.size() == 1; });
  for (int i = 0; i < 20; ++i) Report({Host("a", "nas", i % 2 == 0 ? "10.0.0.2" : "10.0.0.1")});
  Report({Host("a", "nas", "10.0.0.3")});
  const std::vector<std::string> last = {"mapping:hosts nas@10.0.0.3"};
  EXPECT_EQ(ResourcesOnce([&](const auto& all) { return all == last; }), last);
}

TEST_F(MapperTest, RulesOfTodayCountAfterARestart) {
  Report({Host("a", "nas", "10.0.0.1"), Host("b", "printer", "10.0.0.2", "printer")});
  ResourcesOnce([](const auto& all) { return !all.empty(); });
  Start({Rule("printers", {{"type", "printer"}})});
  ASSERT_TRUE(folder_.WaitUntilFolded(Millis(60'000)));
  EXPECT_THAT(Resources(), UnorderedElementsAre("mapping:printers printer@10.0.0.2"));
  Start({Rule("printers", {{"type", "printer"}})});
  const EntryId before = store_.Read(store::LastEntry);
  Start({Rule("printers", {{"type", "printer"}})});  // nothing differs: nothing is written
  EXPECT_EQ(store_.Read(store::LastEntry), before);
  Start({});
  ASSERT_TRUE(folder_.WaitUntilFolded(Millis(60'000)));
  EXPECT_THAT(Resources(), IsEmpty());
}

}  // namespace
}  // namespace backplane::ingest
