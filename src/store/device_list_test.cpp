#include "store/device_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kNoon = 1'787'400'000'000;

class DeviceListTest : public StoreTest {
 protected:
  EntityId Add(const std::map<std::string, std::string>& fields, const std::function<void(Entity&)>& change = {},
               OrgId org = kDefaultOrg) {
    return store_.Write([&](Connection& c) {
      Inventory inventory(c, org);
      const EntityId id = inventory.Create("device", FromMillis(kNoon));
      Entity entity = *inventory.Get(id);
      for (const auto& [field, value] : fields) entity.fields[*FieldIndex(field)] = value;
      if (change) change(entity);
      inventory.Save(entity, 1);
      return id;
    });
  }
  DevicePage Page(const DeviceQuery& query) {
    return store_.Read([&](Connection& c) { return DeviceList(c, kDefaultOrg).Page(query); });
  }
  std::vector<EntityId> Ids(const DeviceQuery& query) {
    std::vector<EntityId> ids;
    for (const Entity& device : Page(query).devices) ids.push_back(device.id);
    EXPECT_EQ(store_.Read([&](Connection& c) { return DeviceList(c, kDefaultOrg).Count(query); }),
              static_cast<std::int64_t>(ids.size()));
    return ids;
  }
  /// Whatever pages of `limit` have, one after another.
  std::vector<EntityId> AllPages(DeviceQuery query, int limit, const std::function<void()>& between = {}) {
    std::vector<EntityId> ids;
    query.limit = limit;
    do {
      const DevicePage page = Page(query);
      EXPECT_LE(page.devices.size(), static_cast<std::size_t>(limit));
      for (const Entity& device : page.devices) ids.push_back(device.id);
      query.after = page.next;
      if (between) between();
    } while (query.after);
    return ids;
  }
};

TEST_P(DeviceListTest, AGroupIsWhatItsDevicesAre) {
  const EntityId online = Add({{"is_new", "0"}});
  const EntityId fresh = Add({});
  const EntityId offline = Add({{"is_new", "0"}}, [](Entity& e) { e.present = false; });
  const EntityId down = Add({{"is_new", "0"}}, [](Entity& e) { e.present = false, e.down = true; });
  const EntityId archived = Add({{"archived", "1"}});
  EXPECT_THAT(Ids({}), ElementsAre(online, fresh, offline, down));
  EXPECT_THAT(Ids({.group = DeviceGroup::kNew}), ElementsAre(fresh));
  EXPECT_THAT(Ids({.group = DeviceGroup::kOnline}), ElementsAre(online, fresh));
  EXPECT_THAT(Ids({.group = DeviceGroup::kOffline}), ElementsAre(offline));
  EXPECT_THAT(Ids({.group = DeviceGroup::kDown}), ElementsAre(down));
  EXPECT_THAT(Ids({.group = DeviceGroup::kArchived}), ElementsAre(archived));
  EXPECT_THAT(Ids({.group = DeviceGroup::kAll}), ElementsAre(online, fresh, offline, down, archived));
  EXPECT_THAT(Ids({.present = false}), ElementsAre(offline, down));
  const std::map<EntityId, const char*> statuses = {
      {online, "online"}, {fresh, "online"}, {offline, "offline"}, {down, "down"}, {archived, "archived"}};
  for (const Entity& device : Page({.group = DeviceGroup::kAll}).devices)
    EXPECT_STREQ(DeviceStatusName(StatusOf(device)), statuses.at(device.id));
}

TEST_P(DeviceListTest, AFieldIsComparedWithWhatAnEmptyOneCountsAs) {
  const EntityId a = Add({{"vendor", "Acme"}, {"scan", "0"}, {"skip_repeated", "2"}});
  const EntityId b = Add({{"vendor", "Acme Networks"}, {"favorite", "1"}, {"skip_repeated", "0"}});
  const EntityId c = Add({});
  EXPECT_THAT(Ids({.equals = {{"vendor", "Acme"}}}), ElementsAre(a));
  EXPECT_THAT(Ids({.equals = {{"vendor", ""}}}), ElementsAre(c));
  EXPECT_THAT(Ids({.equals = {{"scan", "1"}}}), ElementsAre(b, c));
  EXPECT_THAT(Ids({.equals = {{"scan", "0"}}}), ElementsAre(a));
  EXPECT_THAT(Ids({.equals = {{"favorite", "0"}}}), ElementsAre(a, c));
  EXPECT_THAT(Ids({.equals = {{"skip_repeated", "0"}}}), ElementsAre(b, c));
  EXPECT_THAT(Ids({.equals = {{"favorite", "1"}, {"vendor", "Acme"}}}), IsEmpty());
}

TEST_P(DeviceListTest, SearchLooksIntoNamesAndAddresses) {
  const EntityId a = Add({{"name", "Router 100%"}, {"mac", "02:00:00:00:00:0A"}, {"ip", "10.0.0.1"}});
  const EntityId b = Add({{"fqdn", "printer.example"}, {"vendor", "Acme"}, {"comment", "router"}});
  EXPECT_THAT(Ids({.search = "ROUTER"}), ElementsAre(a));
  EXPECT_THAT(Ids({.search = "00:0a"}), ElementsAre(a));
  EXPECT_THAT(Ids({.search = "0.0.1"}), ElementsAre(a));
  EXPECT_THAT(Ids({.search = "acme"}), ElementsAre(b));
  EXPECT_THAT(Ids({.search = "er.ex"}), ElementsAre(b));
  EXPECT_THAT(Ids({.search = "0%"}), ElementsAre(a));
  EXPECT_THAT(Ids({.search = "r_1"}), IsEmpty());
  EXPECT_THAT(Ids({.search = "100%02"}), IsEmpty());  // a text does not run on from one field into the next
}

TEST_P(DeviceListTest, AddressesAreSortedAsNumbers) {
  const EntityId v6 = Add({{"ip", "fe80::10"}});
  const EntityId high = Add({{"ip", "10.0.0.100"}});
  const EntityId low = Add({{"ip", "10.0.0.9"}});
  const EntityId none = Add({});
  const EntityId host = Add({{"ip", "somewhere"}});
  const EntityId small_v6 = Add({{"ip", "fe80::9"}});
  EXPECT_THAT(Ids({.sort = DeviceSort::kIp}), ElementsAre(none, low, high, small_v6, v6, host));
  EXPECT_THAT(Ids({.sort = DeviceSort::kIp, .descending = true}), ElementsAre(host, v6, small_v6, high, low, none));
}

TEST_P(DeviceListTest, EverySortGoesBothWays) {
  const auto seen = [](int at) {
    return [at](Entity& e) { e.first_seen = e.last_seen = e.since = FromMillis(kNoon + at); };
  };
  const EntityId a = Add({{"name", "b"}, {"mac", "2"}, {"ip", "10.0.0.2"}, {"vendor", "v"}, {"type", "y"}}, seen(2));
  const EntityId b = Add({{"name", "C"}, {"mac", "3"}, {"ip", "10.0.0.3"}, {"vendor", "w"}, {"type", "z"}}, seen(3));
  const EntityId c = Add({{"name", "A"}, {"mac", "1"}, {"ip", "10.0.0.1"}, {"vendor", "u"}, {"type", "x"}}, seen(1));
  for (std::size_t i = 1; i < kDeviceSorts.size(); ++i) {
    const auto sort = *ParseDeviceSort(kDeviceSorts[i]);
    EXPECT_THAT(Ids({.sort = sort}), ElementsAre(c, a, b)) << kDeviceSorts[i];
    EXPECT_THAT(Ids({.sort = sort, .descending = true}), ElementsAre(b, a, c)) << kDeviceSorts[i];
  }
}

TEST_P(DeviceListTest, PagesHaveEachDeviceOnceWhateverComesMeanwhile) {
  for (int i = 0; i < 20; ++i) Add({{"name", std::to_string(i % 3)}, {"ip", "10.0.0." + std::to_string(i % 7)}});
  for (std::size_t i = 0; i < kDeviceSorts.size(); ++i)
    for (const bool descending : {false, true}) {
      const DeviceQuery query{.sort = *ParseDeviceSort(kDeviceSorts[i]), .descending = descending, .limit = 1000};
      const std::vector<EntityId> whole = Ids(query);
      EXPECT_EQ(AllPages(query, 3), whole) << kDeviceSorts[i];
      EXPECT_EQ(AllPages(query, 20), whole) << kDeviceSorts[i];
    }
  // Newcomers before the place move nothing.
  const DeviceQuery query{.equals = {{"vendor", ""}}, .sort = DeviceSort::kName};
  const std::vector<EntityId> before = Ids(query);
  EXPECT_EQ(AllPages(query, 7, [&] { Add({{"name", "-"}}); }), before);
}

TEST_P(DeviceListTest, OtherOrganisationsAreNotListed) {
  const OrgId second = store_.AddOrganisation("second");
  Add({{"name", "theirs"}}, {}, second);
  EXPECT_THAT(Ids({.group = DeviceGroup::kAll}), IsEmpty());
}

BACKPLANE_OVER_BACKENDS(DeviceListTest);

}  // namespace
}  // namespace backplane::store
