#include "store/sample_block.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/rng.h"

namespace backplane::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::int64_t kStart = 1'787'400'000'000;

Sample At(std::int64_t ms, SampleValue value) { return {FromMillis(ms), value}; }

SampleValue AnyValue(Rng& rng) {
  switch (rng.Below(6)) {
    case 0: return static_cast<std::int64_t>(rng.Next());
    case 1: return static_cast<std::int64_t>(rng.Below(1000));
    case 2: return std::numeric_limits<std::int64_t>::min();
    case 3: return static_cast<double>(rng.Below(1000)) / 10;
    case 4: return -0.0;
    default: {
      const auto value = std::bit_cast<double>(rng.Next());
      return std::isfinite(value) ? value : std::numeric_limits<double>::max();
    }
  }
}

// In any order, times more than once.
std::vector<Sample> AnySamples(Rng& rng, std::uint64_t most) {
  std::vector<Sample> samples(rng.Below(most + 1));
  for (Sample& sample : samples)
    sample = At(kStart + static_cast<std::int64_t>(rng.Chance(0.5) ? rng.Below(60) * 60'000 : rng.Below(3'600'000)),
                AnyValue(rng));
  return samples;
}

TEST(SampleBlock, SamplesComeBackExactly) {
  Rng rng(1);
  for (int i = 0; i < 2000; ++i) {
    const auto samples = MergeSamples({}, AnySamples(rng, 100));
    EXPECT_EQ(DecodeBlock(EncodeBlock(samples)), samples);
  }
  const std::vector<Sample> extremes = {
      At(std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::min()),
      At(-1, std::numeric_limits<std::int64_t>::max()), At(0, std::numeric_limits<double>::denorm_min()),
      At(std::numeric_limits<std::int64_t>::max(), -std::numeric_limits<double>::max())};
  EXPECT_EQ(DecodeBlock(EncodeBlock(extremes)), extremes);
}

TEST(SampleBlock, RegularSamplesTakeFewBytes) {
  std::vector<Sample> steady, counting;
  for (int i = 0; i < 60; ++i) {
    steady.push_back(At(kStart + i * 60'000, 12.5));
    counting.push_back(At(kStart + i * 60'000, std::int64_t{1'000'000} + 60 * i));
  }
  EXPECT_LT(EncodeBlock(steady).size(), 60U * 2 + 20);
  EXPECT_LT(EncodeBlock(counting).size(), 60U * 3 + 20);
}

TEST(SampleBlock, DamagedBytesAreRefusedOrReadAsSamples) {
  Rng rng(2);
  for (int i = 0; i < 2000; ++i) {
    std::string block = EncodeBlock(MergeSamples({}, AnySamples(rng, 20)));
    for (std::uint64_t flips = 1 + rng.Below(3); flips > 0; --flips)
      block[rng.Below(block.size())] ^= static_cast<char>(1 << rng.Below(8));
    if (const auto samples = DecodeBlock(block)) {
      EXPECT_EQ(MergeSamples(*samples, {}), *samples);
      EXPECT_EQ(DecodeBlock(EncodeBlock(*samples)), *samples);
    }
  }
}

TEST(SampleBlock, APartOrMoreThanABlockIsRefused) {
  const std::string block = EncodeBlock({At(kStart, 1.5), At(kStart + 1, std::int64_t{7})});
  for (std::size_t length = 0; length < block.size(); ++length) EXPECT_FALSE(DecodeBlock(block.substr(0, length)));
  EXPECT_FALSE(DecodeBlock(block + '\0'));
  EXPECT_FALSE(DecodeBlock('\2' + block.substr(1)));
  // Says that it has 2^60 samples.
  EXPECT_FALSE(DecodeBlock(std::string_view("\1\x80\x80\x80\x80\x80\x80\x80\x80\x10\0\0", 12)));
}

TEST(SampleBlock, TheLaterWriteWins) {
  const auto stored = MergeSamples({}, {At(2, 2.0), At(1, 1.0), At(2, 2.5)});
  EXPECT_THAT(stored, ElementsAre(At(1, 1.0), At(2, 2.5)));
  EXPECT_THAT(MergeSamples(stored, {At(3, std::int64_t{3}), At(1, 1.5), At(0, 0.0)}),
              ElementsAre(At(0, 0.0), At(1, 1.5), At(2, 2.5), At(3, std::int64_t{3})));
  EXPECT_THAT(MergeSamples({}, {}), IsEmpty());
}

TEST(SampleBlock, MergingAgainChangesNothing) {
  Rng rng(3);
  for (int i = 0; i < 500; ++i) {
    const auto stored = MergeSamples({}, AnySamples(rng, 50));
    const auto more = AnySamples(rng, 50);
    const auto once = MergeSamples(stored, more);
    EXPECT_EQ(MergeSamples(once, more), once);
    // In two pieces it is the same.
    const auto middle = more.begin() + static_cast<std::ptrdiff_t>(more.size() / 2);
    EXPECT_EQ(MergeSamples(MergeSamples(stored, {more.begin(), middle}), {middle, more.end()}), once);
  }
}

}  // namespace
}  // namespace backplane::store
