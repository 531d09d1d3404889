#include "ingest/identity.h"

#include <gtest/gtest.h>

namespace backplane::ingest {
namespace {

// The rule as a table: every combination of what matters.
TEST(ClaimWins, IsTheWholeTruthTable) {
  constexpr auto kAlways = ClaimPolicy::kAlways;
  constexpr auto kIfEmpty = ClaimPolicy::kIfEmpty;
  constexpr auto kDefault = ClaimPolicy::kDefault;
  struct Row {
    const char* field;  // whose value the field has: "" (empty), "own", "other", "user"
    ClaimPolicy policy;
    bool plugin_wins;  // source "own"
    bool person_wins;  // source "user"
  };
  const Row rows[] = {
      {"", kAlways, true, true},      {"", kIfEmpty, true, true},        {"", kDefault, true, true},
      {"own", kAlways, true, true},   {"own", kIfEmpty, false, false},   {"own", kDefault, true, false},
      {"other", kAlways, true, true}, {"other", kIfEmpty, false, false}, {"other", kDefault, false, false},
      {"user", kAlways, false, true}, {"user", kIfEmpty, false, false},  {"user", kDefault, false, true},
  };
  for (const Row& row : rows) {
    for (const bool locked : {false, true}) {
      for (const char* value : {"new", ""}) {
        const FieldState field{std::string_view(row.field).empty() ? "" : "present", row.field, locked};
        const Claim claim{"name", value, row.policy};
        const bool possible = !locked && std::string_view(value) != "";
        EXPECT_EQ(ClaimWins(field, "own", claim), possible && row.plugin_wins)
            << row.field << " " << static_cast<int>(row.policy) << " " << locked << " " << value;
        EXPECT_EQ(ClaimWins(field, kPersonSource, claim), possible && row.person_wins)
            << row.field << " " << static_cast<int>(row.policy) << " " << locked << " " << value;
      }
    }
  }
}

TEST(ClaimWins, AFieldThatAPersonEmptiedStaysEmpty) {
  for (const auto policy : {ClaimPolicy::kAlways, ClaimPolicy::kIfEmpty, ClaimPolicy::kDefault})
    EXPECT_FALSE(ClaimWins({"", kPersonSource, false}, "scan", {"name", "x", policy}));
}

}  // namespace
}  // namespace backplane::ingest
