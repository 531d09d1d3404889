#include "dialects/netalertx/new_device.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dialects/netalertx/ignored.h"

namespace backplane::netalertx {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST(NewDevice, HasWhatTheSettingsSay) {
  EXPECT_THAT(NewDeviceFields({{"NEWDEV_devType", "Phone"},
                               {"NEWDEV_devOwner", "Alice O'Hara"},
                               {"NEWDEV_devGroup", "guests"},
                               {"NEWDEV_devLocation", "attic"},
                               {"NEWDEV_devComments", "new here"},
                               {"NEWDEV_devParentMAC", "AA-00-00-00-00-09"},
                               {"NEWDEV_devParentRelType", Json::array({"nic"})},
                               {"NEWDEV_devCustomProps", "W10="},
                               {"NEWDEV_devAlertDown", 1},
                               {"NEWDEV_devAlertEvents", 0},
                               {"NEWDEV_devSkipRepeated", 8},
                               {"NEWDEV_devCanSleep", true},
                               {"NEWDEV_devForceStatus", "Online"},
                               {"SYNC_node_name", "attic-node"}}),
              ElementsAre(Pair("alert_down", "1"), Pair("alert_events", "0"), Pair("can_sleep", "1"),
                          Pair("comment", "new here"), Pair("custom", "W10="), Pair("force_status", "online"),
                          Pair("group_name", "guests"), Pair("hub", "attic-node"), Pair("location", "attic"),
                          Pair("owner", "Alice O'Hara"), Pair("parent", "aa:00:00:00:00:09"),
                          Pair("parent_relation", "nic"), Pair("skip_repeated", "8"), Pair("type", "Phone")));
}

TEST(NewDevice, WhatIsSoAnywayNeedsNoValue) {
  EXPECT_THAT(NewDeviceFields({{"NEWDEV_devAlertEvents", 1},
                               {"NEWDEV_devAlertDown", 0},
                               {"NEWDEV_devIsNew", "1"},
                               {"NEWDEV_devScan", "1"},
                               {"NEWDEV_devSkipRepeated", "0"},
                               {"NEWDEV_devOwner", "(unknown)"},
                               {"NEWDEV_devType", "null"},
                               {"NEWDEV_devParentRelType", "default"},
                               {"NEWDEV_devForceStatus", "dont_force"},
                               {"NEWDEV_devParentMAC", ""}}),
              IsEmpty());
}

TEST(NewDevice, AListOfNoRelationIsNone) {
  EXPECT_THAT(NewDeviceFields({{"NEWDEV_devParentRelType", Json::array()}}), IsEmpty());
  EXPECT_THAT(NewDeviceFields({{"NEWDEV_devParentRelType", "['virtual']"}}),
              ElementsAre(Pair("parent_relation", "virtual")));
}

TEST(NewDevice, AValueThatDoesNotFitSaysNothing) {
  EXPECT_THAT(NewDeviceFields({{"NEWDEV_devSkipRepeated", "often"}, {"NEWDEV_devForceStatus", "maybe"}}), IsEmpty());
}

TEST(Ignored, PatternsAreOfAddressesInEitherForm) {
  const Ignored ignored({{"NEWDEV_ignored_MACs", Json::array({"AA-BB%", "02:00:00:00:00:01"})},
                         {"NEWDEV_ignored_IPs", "['192.168.7.%', 'fe80::1']"}});
  EXPECT_TRUE(ignored.Covers("aa-bb-cc-00-00-01", "10.0.0.1"));
  EXPECT_TRUE(ignored.Covers("020000000001", ""));
  EXPECT_TRUE(ignored.Covers("", "192.168.7.20"));
  EXPECT_TRUE(ignored.Covers("aa:00:00:00:00:01", "FE80:0::1%eth0"));
  EXPECT_FALSE(ignored.Covers("aa:cc:00:00:00:01", "192.168.8.1"));
  EXPECT_FALSE(ignored.Covers("", ""));
  EXPECT_FALSE(Ignored({}).Covers("aa:cc:00:00:00:01", "192.168.8.1"));
}

}  // namespace
}  // namespace backplane::netalertx
