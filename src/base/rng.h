// Randomness, passed in so that the simulation can replay a seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>

namespace backplane {

/// A stream of random numbers. Not thread-safe: one per owner.
class Rng {
 public:
  explicit Rng(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t Next() { return engine_(); }
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t Below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
  }
  bool Chance(double probability) { return std::bernoulli_distribution(probability)(engine_); }

 private:
  std::mt19937_64 engine_;
};

/// `bytes` bytes from the kernel. Throws if it has none. Thread-safe.
std::string RandomBytes(std::size_t bytes);
/// `bytes` bytes from the kernel as lower-case hex: tokens and marks. Thread-safe.
std::string SecretHex(std::size_t bytes);

}  // namespace backplane
