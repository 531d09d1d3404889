#include "dialects/netalertx/test_follow_up.h"

#include "dialects/netalertx/encoding.h"
#include "dialects/netalertx/guess.h"
#include "dialects/netalertx/names.h"
#include "dialects/netalertx/vendors.h"

namespace backplane::netalertx {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kMac = "a4:00:00:00:00:01";

// Of a type and with an icon: nothing is left to guess.
std::map<std::string, std::string> Known(std::map<std::string, std::string> fields) {
  fields.merge(std::map<std::string, std::string>{{"type", "Thing"}, {"icon", "aWNvbg=="}});
  return fields;
}

class AfterScanTest : public FollowUpTest {};

TEST_F(AfterScanTest, TheVendorIsTheCardsMakers) {
  WriteVendors("A40000\tAcme\nB40000\tOther\n# A4 none\nA400\tshort\n");
  const EntityId device = Device(Known({{"mac", kMac}}));
  Device(Known({{"mac", "c4:00:00:00:00:01"}}));
  EXPECT_THAT(Claims(AfterScan()), ElementsAre(fmt::format("{} VNDRPDT vendor=Acme", device)));
}

TEST_F(AfterScanTest, AnotherVendorStaysUnlessTheSettingSaysAlways) {
  WriteVendors("A40000\tAcme\n");
  const EntityId device = Device(Known({{"mac", kMac}}));
  Say(device, "ARPSCAN", "vendor", "Bcme");
  EXPECT_THAT(Claims(AfterScan()), IsEmpty());
  Set("VNDRPDT_SET_ALWAYS", Json::array({"devMac", "devVendor"}));
  EXPECT_THAT(Claims(AfterScan()), ElementsAre(fmt::format("{} VNDRPDT vendor=Acme (always)", device)));
  Say(device, "user", "vendor", "mine");
  EXPECT_THAT(Claims(AfterScan()), IsEmpty());
}

TEST_F(AfterScanTest, WhatIsSoAlreadyIsNotClaimed) {
  WriteVendors("A40000\tAcme\n");
  Set("VNDRPDT_SET_ALWAYS", Json::array({"devVendor"}));
  Device(Known({{"mac", kMac}, {"vendor", "Acme"}}));
  EXPECT_THAT(AfterScan(), IsEmpty());
}

TEST_F(AfterScanTest, OnlyWhatHasChangedSinceIsLookedAt) {
  WriteVendors("A40000\tAcme\n");
  Device(Known({{"mac", kMac}}), {}, 5);
  EXPECT_EQ(AfterScan(5).size(), 1U);  // the first look is at everything
  EXPECT_THAT(AfterScan(5), IsEmpty());
  EXPECT_EQ(AfterScan(4).size(), 1U);
  Set("VNDRPDT_SET_ALWAYS", Json::array({"devVendor"}));
  EXPECT_EQ(AfterScan(5).size(), 1U);
}

TEST_F(AfterScanTest, TheVendorsFileIsReadAgainWhenItChanges) {
  WriteVendors("A40000\tAcme\n");
  const EntityId device = Device(Known({{"mac", kMac}}));
  EXPECT_EQ(AfterScan().size(), 1U);
  WriteVendors("A40000\tNew Acme\n");
  fs::last_write_time(vendors_, fs::last_write_time(vendors_) + std::chrono::seconds(10));
  EXPECT_THAT(Claims(AfterScan()), ElementsAre(fmt::format("{} VNDRPDT vendor=New Acme", device)));
}

TEST_F(AfterScanTest, TypeAndIconAreGuessedWhereNobodySaysThem) {
  const EntityId device = Device({{"mac", "b8:27:eb:00:00:01"}});
  Device(Known({{"mac", "b8:27:eb:00:00:02"}}));
  const auto claims = Claims(AfterScan());
  ASSERT_EQ(claims.size(), 2U);
  EXPECT_EQ(claims[0], fmt::format("{} NetAlertX type=Single-board Computer", device));
  EXPECT_THAT(claims[1], HasSubstr("NetAlertX icon=" + Base64Encode("<i class=\"fa fa-microchip\"></i>")));
}

TEST_F(AfterScanTest, WithoutAGuessTheSettingsCount) {
  Set("NEWDEV_devType", "Thing");
  Set("NEWDEV_devIcon", "cHJlc2V0");
  const EntityId device = Device({{"mac", kMac}});
  EXPECT_THAT(Claims(AfterScan()), ElementsAre(fmt::format("{} NetAlertX type=Thing", device),
                                               fmt::format("{} NetAlertX icon=cHJlc2V0", device)));
}

TEST_F(AfterScanTest, APresetIconIsReplacedIfTheSettingSaysSo) {
  Set("NEWDEV_devIcon", "cHJlc2V0");
  const EntityId device = Device({{"mac", kMac}, {"name", "printer-2"}, {"type", "Thing"}});
  Say(device, "NetAlertX", "icon", "cHJlc2V0");
  EXPECT_THAT(AfterScan(), IsEmpty());
  Set("NEWDEV_replace_preset_icon", true);
  EXPECT_THAT(Claims(AfterScan()),
              ElementsAre(HasSubstr("NetAlertX icon=" + Base64Encode("<i class=\"fa fa-print\"></i>"))));
}

TEST_F(AfterScanTest, ThisMachineIsSeenOncePerHour) {
  own_host_ = OwnHost{kMac, "10.0.0.5"};
  const std::vector<Record> first = AfterScan();
  ASSERT_EQ(first.size(), 1U);
  const auto& seen = std::get<Observation>(first[0]);
  EXPECT_EQ(seen.source, "local_MAC");
  EXPECT_THAT(seen.identifiers, ElementsAre(Identifier{"mac", kMac}));
  const EntityId device = Device(Known({{"mac", kMac}, {"ip", "10.0.0.5"}}));
  EXPECT_THAT(AfterScan(), IsEmpty());
  Change(device, [](store::Entity& entity) { entity.present = false; });
  EXPECT_EQ(AfterScan().size(), 1U);
  Change(device, [](store::Entity& entity) { entity.present = true, entity.last_seen = Minutes(-61); });
  EXPECT_EQ(AfterScan().size(), 1U);
  Set("NEWDEV_ignored_MACs", Json::array({"a4:%"}));
  EXPECT_THAT(AfterScan(), IsEmpty());
}

TEST_F(AfterScanTest, WithoutAPluginOfTheDialectNothingFollows) {
  own_host_ = OwnHost{kMac, "10.0.0.5"};
  fs::remove_all(folder_.path() / "site" / "case");
  EXPECT_THAT(AfterScan(), IsEmpty());
}

TEST(Guess, TheOrderIsAddressNameVendorIp) {
  const std::vector<DeviceRule> rules = {{"by ip", "", {}, {}, {}, {"10.0.0.1"}},
                                         {"by vendor", "", {}, {}, {"acme"}, {}},
                                         {"by name", "", {}, {"tv"}, {}, {}},
                                         {"by mac", "", {"a4:00:00"}, {}, {}, {}}};
  const auto guess = [&](DeviceLooks looks, bool random = false) {
    const DeviceRule* rule = GuessDevice(rules, looks, random);
    return rule == nullptr ? std::string() : rule->type;
  };
  EXPECT_EQ(guess({kMac, "tv", "Acme Inc.", "10.0.0.1"}), "by mac");
  EXPECT_EQ(guess({"b4:00:00:00:00:01", "Living-TV2", "Acme Inc.", "10.0.0.1"}), "by name");
  EXPECT_EQ(guess({"b4:00:00:00:00:01", "nativ", "The ACME", "10.0.0.1"}), "by vendor");
  EXPECT_EQ(guess({"b4:00:00:00:00:01", "", "", "10.0.0.1"}), "by ip");
  EXPECT_EQ(guess({"b2:00:00:00:00:01", "", "Acme", "10.0.0.1"}, true), "");
  EXPECT_EQ(guess({"b2:00:00:00:00:01", "tv", "", ""}, true), "by name");
}

TEST(Guess, RandomAddressesAreKnownByTheirSecondDigit) {
  for (const char* mac : {"a2:00:00:00:00:01", "06:00:00:00:00:01", "fa:00:00:00:00:01", "0e:00:00:00:00:01"})
    EXPECT_TRUE(IsRandomMac(mac, {})) << mac;
  EXPECT_FALSE(IsRandomMac(kMac, {}));
  EXPECT_FALSE(IsRandomMac("fa:ce:00:00:00:01", {"FA:CE"}));
  EXPECT_FALSE(IsRandomMac("internet", {}));
}

TEST(Guess, OurRulesCanBeRead) {
  const auto rules = ReadDeviceRules(BACKPLANE_SOURCE_DIR "/python/netalertx/device_rules.json");
  ASSERT_TRUE(rules) << rules.error().message;
  for (const DeviceRule& rule : *rules) EXPECT_THAT(rule.icon, HasSubstr("<i class=")) << rule.type;
}

TEST(OwnHost, IsBehindTheDefaultRoute) {
  const std::string head = "Iface\tDestination\tGateway\tFlags\n";
  EXPECT_EQ(DefaultCard(head + "eth1\t0000A8C0\t00000000\t0001\neth0\t00000000\t0102A8C0\t0003\n"), "eth0");
  EXPECT_EQ(DefaultCard(head + "eth1\t0000A8C0\t00000000\t0001\n"), "");
  EXPECT_EQ(DefaultCard(""), "");
}

class NamesTest : public FollowUpTest {};

TEST_F(NamesTest, ResolversAreAskedInTheirOrder) {
  const EntityId one = Device({{"mac", kMac}}), two = Device({{"mac", "a4:00:00:00:00:02"}});
  Object("NBTSCAN", "A4-00-00-00-00-01", "10.0.0.1", "nbt");
  Object("NSLOOKUP", kMac, "10.0.0.1", "ns.example.");
  Object("NBTSCAN", "a4:00:00:00:00:02", "10.0.0.2", "TWO");
  EXPECT_THAT(
      Claims(Names()),
      ElementsAre(fmt::format("{} NSLOOKUP name=ns.example", one), fmt::format("{} NSLOOKUP fqdn=ns.example.", one),
                  fmt::format("{} NBTSCAN name=TWO", two), fmt::format("{} NBTSCAN fqdn=TWO", two)));
}

TEST_F(NamesTest, WhatIsNoNameIsPassedOver) {
  Device({{"mac", kMac}});
  const EntityId two = Device({{"mac", "a4:00:00:00:00:02"}});
  Object("DIGSCAN", kMac, "", "localhost.");
  Object("AVAHISCAN", kMac, "", "(name not found)");
  Object("NSLOOKUP", kMac, "", ";; communications error to 10.0.0.1#53: timed out");
  Object("NBTSCAN", kMac, "", "null");
  Object("DIGSCAN", "a4:00:00:00:00:02", "first", "");
  Object("DIGSCAN", "a4:00:00:00:00:02", "second", "two");
  EXPECT_THAT(Claims(Names()),
              ElementsAre(fmt::format("{} DIGSCAN name=two", two), fmt::format("{} DIGSCAN fqdn=two", two)));
}

TEST_F(NamesTest, WithoutItsAddressADeviceIsKnownByItsIp) {
  const EntityId device = Device({{"mac", kMac}, {"ip", "10.0.0.1"}});
  Object("NSLOOKUP", "a4:00:00:00:00:99", "10.0.0.1", "host.lan.");
  EXPECT_THAT(Claims(Names()), ElementsAre(fmt::format("{} NSLOOKUP name=host.lan (IP match)", device),
                                           fmt::format("{} NSLOOKUP fqdn=host.lan.", device)));
  Set("NEWDEV_IP_MATCH_NAME", false);
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(NamesTest, ANamedDeviceIsRenamedOnlyByWhoAlwaysDoes) {
  const EntityId device = Device({{"mac", kMac}});
  Say(device, "ARPSCAN", "name", "scanned");
  Object("DIGSCAN", kMac, "", "dig");
  Object("NSLOOKUP", kMac, "", "looked-up");
  EXPECT_THAT(Names(), IsEmpty());
  Open();
  Set("NSLOOKUP_SET_ALWAYS", Json::array({"devName", "devFQDN"}));
  EXPECT_THAT(Claims(Names()), ElementsAre(fmt::format("{} NSLOOKUP name=looked-up (always)", device),
                                           fmt::format("{} NSLOOKUP fqdn=looked-up (always)", device)));
  Say(device, "user", "name", "mine");
  Say(device, "NSLOOKUP", "fqdn", "looked-up");
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(NamesTest, FqdnsAreRefreshedIfTheSettingSaysSo) {
  const EntityId device = Device({{"mac", kMac}});
  Say(device, "ARPSCAN", "name", "scanned");
  Say(device, "DIGSCAN", "fqdn", "old.lan");
  Object("DIGSCAN", kMac, "", "new.lan");
  Set("DIGSCAN_SET_ALWAYS", Json::array({"devFQDN"}));
  EXPECT_THAT(Names(), IsEmpty());
  Open();
  Set("REFRESH_FQDN", true);
  EXPECT_THAT(Claims(Names()), ElementsAre(fmt::format("{} DIGSCAN fqdn=new.lan (always)", device)));
}

TEST_F(NamesTest, WhatIsSoAlreadyIsNotClaimedAgain) {
  const EntityId device = Device({{"mac", kMac}});
  Object("DIGSCAN", kMac, "", "host.lan");
  EXPECT_EQ(Names().size(), 1U);
  EXPECT_EQ(Names().size(), 1U);  // it did not arrive
  Say(device, "DIGSCAN", "name", "host.lan");
  Say(device, "DIGSCAN", "fqdn", "host.lan");
  EXPECT_THAT(Names(), IsEmpty());
}

TEST_F(NamesTest, ResolversAreReadAgainWhenTheyHaveReported) {
  store_.Write([](store::Connection& c) { store::SetWatermark(c, "core", {7, 0}); });
  Object("DIGSCAN", kMac, "", "host", 5);
  EXPECT_THAT(Names(), IsEmpty());
  Device({{"mac", kMac}});
  EXPECT_THAT(Names(), IsEmpty());
  Object("CASE", kMac, "", "other", 8);
  EXPECT_THAT(Names(), IsEmpty());
  Object("DIGSCAN", "a4:00:00:00:00:05", "", "another", 8);
  EXPECT_EQ(Names().size(), 1U);
}

TEST_F(NamesTest, ExpressionsTakeFromNamesWhatTheyMatch) {
  Set("NEWDEV_NAME_CLEANUP_REGEX", Json::array({"(", "\\.lan", "#.*", "-[a-f0-9]{4}$"}));
  const EntityId device = Device({{"mac", kMac}});
  Object("DIGSCAN", kMac, "", "tv-00ff.lan.#1");
  EXPECT_THAT(Claims(Names()), Contains(fmt::format("{} DIGSCAN name=tv-00ff", device)));
}

TEST(Cleanup, AnExpressionThatIsNoneIsToldAndPassedOver) {
  std::vector<std::string> refused;
  const NameCleanup cleanup({"[", "", "\\._tcp", "(?i)x", std::string(2'000, 'a')},
                            [&](const std::string& expression, const std::string&) { refused.push_back(expression); });
  EXPECT_THAT(refused, ElementsAre("[", "(?i)x", std::string(2'000, 'a')));
  EXPECT_EQ(cleanup.Of("printer._tcp."), "printer");
  EXPECT_EQ(cleanup.Of("._tcp"), "._tcp");
}

TEST(Cleanup, NoExpressionTakesForEver) {
  const NameCleanup cleanup({"(a+)+$", "(.*)*b"}, [](const auto&, const auto&) {});
  EXPECT_EQ(cleanup.Of(std::string(200, 'a') + "!"), std::string(200, 'a') + "!");
}

}  // namespace
}  // namespace backplane::netalertx
