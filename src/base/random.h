// Numbers for initial weights and shuffled data, the same on every machine.
#ifndef JIKJI_BASE_RANDOM_H_
#define JIKJI_BASE_RANDOM_H_

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>

namespace jikji {

// SplitMix64 (Steele et al. 2014). Its state is one number, which a checkpoint can keep.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t state() const { return state_; }

  uint64_t Next() {
    uint64_t z = state_ += 0x9E3779B97F4A7C15ull;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
  // [0, 1)
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  // [0, bound); the bias of the remainder is below bound / 2^64.
  uint64_t Below(uint64_t bound) { return Next() % bound; }
  // Box & Muller (1958).
  double Normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - Uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * Uniform());
  }

  void FillNormal(std::span<float> out, double spread) {
    for (float& value : out) value = static_cast<float>(Normal() * spread);
  }
  void FillUniform(std::span<float> out, double bound) {
    for (float& value : out) value = static_cast<float>((2.0 * Uniform() - 1.0) * bound);
  }

 private:
  uint64_t state_;
};

}  // namespace jikji

#endif  // JIKJI_BASE_RANDOM_H_
