#include "kernels/attention_caches_simd.h"
#include "kernels/simd_portable.h"

namespace jikji::kernels {
namespace {

struct AttentionPortable : SimdPortable {
  static constexpr int kMostQueries = 4;
  static constexpr int kScoreTile = 4;  // of two registers each, of 16
  static constexpr int kQuantScoreTile = 2;
  static constexpr int kValueTile = 4;

  static F LoadInt8(const void* from) {
    int8_t bytes[kLanes];
    std::memcpy(bytes, from, sizeof bytes);
    float lanes[kLanes];
    for (int i = 0; i < kLanes; ++i) lanes[i] = bytes[i];
    return Load(lanes);
  }

  static F LoadF8(const void* from) {
    uint8_t codes[kLanes];
    std::memcpy(codes, from, sizeof codes);
    float lanes[kLanes];
    for (int i = 0; i < kLanes; ++i) lanes[i] = F8ToF32(codes[i]);
    return Load(lanes);
  }

  struct KeyBytes {
    uint8_t bytes[kLanes][kKeyQuad];
  };
  static KeyBytes LoadKeys(const std::byte* from) {
    KeyBytes keys;
    std::memcpy(&keys, from, sizeof keys);
    return keys;
  }
  static void EncodeQuad(const int16_t* v, std::byte* to) { std::memcpy(to, v, 4 * sizeof *v); }

  struct KeySum {
    using Bias = int32_t;
    int32_t sum[kLanes];

    KeySum() = default;
    explicit KeySum(Bias bias) {
      for (int32_t& lane : sum) lane = bias;
    }
    void Add(const KeyBytes& keys, const std::byte* quad) {
      int16_t v[kKeyQuad];
      std::memcpy(v, quad, sizeof v);
      for (int i = 0; i < kLanes; ++i) {
        for (int k = 0; k < kKeyQuad; ++k) sum[i] += keys.bytes[i][k] * v[k];
      }
    }
    F Total() const {
      float lanes[kLanes];
      for (int i = 0; i < kLanes; ++i) lanes[i] = static_cast<float>(sum[i]);
      return Load(lanes);
    }
    static Bias BiasOf(const int16_t* v) {
      Bias sum = 0;
      for (int i = 0; i < kKvGroup; ++i) sum -= kKeyBias * v[i];
      return sum;
    }
  };
};

}  // namespace

const AttentionVariant kAttentionPortable = MakeAttention<AttentionPortable>();

}  // namespace jikji::kernels
