#include "store/identity.h"

#include <gtest/gtest.h>

#include "store/test_store.h"

namespace backplane::store {
namespace {

class StoreIdentityTest : public StoreTest {};

TEST_P(StoreIdentityTest, StaysAndIsAnothersNever) {
  const std::int64_t identity = store_.Write(StoreIdentity);
  EXPECT_NE(identity, 0);
  EXPECT_EQ(store_.Write(StoreIdentity), identity);
  TestStore other;
  EXPECT_NE(other.Write(StoreIdentity), identity);
}

BACKPLANE_OVER_BACKENDS(StoreIdentityTest);

}  // namespace
}  // namespace backplane::store
