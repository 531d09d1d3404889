// Arbitrary bytes as a block: refused, or samples in order that survive being written again.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "store/sample_block.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace backplane::store;
  const auto require = [](bool condition) {
    if (!condition) std::abort();
  };
  const auto samples = DecodeBlock(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!samples) return 0;
  for (std::size_t i = 1; i < samples->size(); ++i) require((*samples)[i - 1].at < (*samples)[i].at);
  require(DecodeBlock(EncodeBlock(*samples)) == *samples);
  require(MergeSamples(*samples, *samples) == *samples);
  return 0;
}
