#include "store/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;

class SettingValuesTest : public StoreTest {};
BACKPLANE_OVER_BACKENDS(SettingValuesTest);

TEST_P(SettingValuesTest, AreReplacedAndRemovedByDialectAndKey) {
  const auto keys = store_.Write([](Connection& c) {
    SettingValues values(c, kDefaultOrg);
    values.Put({"b", "key", "1", "user:eve", FromMillis(1)});
    values.Put({"a", "key", "2", "", FromMillis(2)});
    values.Put({"b", "key", "\"x\"", "local", FromMillis(3)});
    values.Put({"b", "other", "null", "local", FromMillis(4)});
    EXPECT_TRUE(values.Remove("b", "other"));
    EXPECT_FALSE(values.Remove("b", "other"));
    EXPECT_FALSE(values.Find("a", "other"));
    std::vector<std::string> found;
    for (const StoredSetting& one : values.All())
      found.push_back(one.dialect + "/" + one.key + "=" + one.value + " by " + one.set_by);
    EXPECT_EQ(values.Find("b", "key")->set_at, FromMillis(3));
    return found;
  });
  EXPECT_THAT(keys, ElementsAre("a/key=2 by ", "b/key=\"x\" by local"));
}

}  // namespace
}  // namespace backplane::store
