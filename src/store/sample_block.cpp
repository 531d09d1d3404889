#include "store/sample_block.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace backplane::store {
namespace {

constexpr char kVersion = 1;

std::uint64_t Zigzag(std::uint64_t value) { return (value << 1) ^ (0 - (value >> 63)); }
std::uint64_t Unzigzag(std::uint64_t value) { return (value >> 1) ^ (0 - (value & 1)); }

void PutVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

// One byte with the zero bytes in front and the bytes that are left, then those.
void PutBits(std::string& out, std::uint64_t bits) {
  if (bits == 0) return void(out += '\0');
  const int front = std::countl_zero(bits) / 8;
  const int length = 8 - front - std::countr_zero(bits) / 8;
  out += static_cast<char>(front << 4 | length);
  for (int i = 0; i < length; ++i) out += static_cast<char>(bits >> (8 * (7 - front - i)));
}

// Reads what the two above wrote. After the end, and after a mistake, everything is 0 and bad().
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool bad() const { return bad_; }
  std::size_t left() const { return bytes_.size() - at_; }

  std::uint8_t Byte() {
    if (at_ < bytes_.size()) return static_cast<std::uint8_t>(bytes_[at_++]);
    bad_ = true;
    return 0;
  }
  std::uint64_t Varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const std::uint8_t byte = Byte();
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    bad_ = true;
    return 0;
  }
  std::uint64_t Bits() {
    const std::uint8_t shape = Byte();
    const int front = shape >> 4;
    const int length = shape & 0xF;
    if (front + length > 8) bad_ = true;
    if (bad_) return 0;
    std::uint64_t bits = 0;
    for (int i = 0; i < length; ++i) bits |= static_cast<std::uint64_t>(Byte()) << (8 * (7 - front - i));
    return bits;
  }

 private:
  const std::string_view bytes_;
  std::size_t at_ = 0;
  bool bad_ = false;
};

void EncodeTimes(std::string& out, const std::vector<Sample>& samples) {
  std::uint64_t last = 0;
  std::uint64_t distance = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto at = static_cast<std::uint64_t>(ToMillis(samples[i].at));
    PutVarint(out, Zigzag(at - last - distance));
    if (i > 0) distance = at - last;
    last = at;
  }
}

bool DecodeTimes(Reader& reader, std::vector<Sample>& samples) {
  std::uint64_t last = 0;
  std::uint64_t distance = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const std::uint64_t at = last + distance + Unzigzag(reader.Varint());
    if (i > 0 && static_cast<std::int64_t>(at) <= static_cast<std::int64_t>(last)) return false;
    if (i > 0) distance = at - last;
    last = at;
    samples[i].at = FromMillis(static_cast<std::int64_t>(at));
  }
  return !reader.bad();
}

void EncodeValues(std::string& out, const std::vector<Sample>& samples) {
  std::uint64_t last_integer = 0;
  std::uint64_t last_bits = 0;
  for (std::size_t i = 0; i < samples.size();) {
    const std::size_t type = samples[i].value.index();
    std::size_t end = i;
    while (end < samples.size() && samples[end].value.index() == type) ++end;
    PutVarint(out, (end - i) << 1 | type);
    for (; i < end; ++i) {
      if (const auto* number = std::get_if<double>(&samples[i].value)) {
        const auto bits = std::bit_cast<std::uint64_t>(*number);
        PutBits(out, bits ^ last_bits);
        last_bits = bits;
      } else {
        const auto integer = static_cast<std::uint64_t>(std::get<std::int64_t>(samples[i].value));
        PutVarint(out, Zigzag(integer - last_integer));
        last_integer = integer;
      }
    }
  }
}

bool DecodeValues(Reader& reader, std::vector<Sample>& samples) {
  std::uint64_t last_integer = 0;
  std::uint64_t last_bits = 0;
  for (std::size_t i = 0; i < samples.size();) {
    const std::uint64_t run = reader.Varint();
    const std::uint64_t length = run >> 1;
    if (length == 0 || length > samples.size() - i) return false;
    for (const std::size_t end = i + length; i < end; ++i) {
      if ((run & 1) != 0) {
        last_bits ^= reader.Bits();
        const auto number = std::bit_cast<double>(last_bits);
        if (!std::isfinite(number)) return false;
        samples[i].value = number;
      } else {
        last_integer += Unzigzag(reader.Varint());
        samples[i].value = static_cast<std::int64_t>(last_integer);
      }
    }
  }
  return !reader.bad();
}

bool Earlier(const Sample& a, const Sample& b) { return a.at < b.at; }

}  // namespace

std::string EncodeBlock(const std::vector<Sample>& samples) {
  std::string out(1, kVersion);
  out.reserve(16 + samples.size() * 4);
  PutVarint(out, samples.size());
  EncodeTimes(out, samples);
  EncodeValues(out, samples);
  return out;
}

Result<std::vector<Sample>> DecodeBlock(std::string_view bytes) {
  Reader reader(bytes);
  const bool known = reader.Byte() == kVersion;
  const std::uint64_t count = reader.Varint();
  // A sample takes two bytes at least; a count that is a lie must not take memory.
  if (!known || reader.bad() || count > reader.left() / 2) return Fail(Errc::kInvalid, "not a block of samples");
  std::vector<Sample> samples(count);
  if (!DecodeTimes(reader, samples) || !DecodeValues(reader, samples) || reader.left() > 0)
    return Fail(Errc::kInvalid, "a damaged block of samples");
  return samples;
}

std::vector<Sample> MergeSamples(std::vector<Sample> samples, const std::vector<Sample>& more) {
  samples.insert(samples.end(), more.begin(), more.end());
  std::stable_sort(samples.begin(), samples.end(), Earlier);
  // Of each time the last.
  std::size_t kept = 0;
  for (const Sample& sample : samples) {
    if (kept > 0 && samples[kept - 1].at == sample.at) --kept;
    samples[kept++] = sample;
  }
  samples.resize(kept);
  return samples;
}

}  // namespace backplane::store
