// How a lane reads its share of a weight tile (weight_tiles.h): as pairs that the matrix units
// multiply, and what the products are scaled with. Device code.
//
// Whole numbers of quantised types, and F16 and F32 values cut into BF16 parts, are exact in BF16:
// only activations and sums are rounded.
#ifndef JIKJI_KERNELS_GPU_WEIGHT_KINDS_H_
#define JIKJI_KERNELS_GPU_WEIGHT_KINDS_H_

#include "device/kernel.h"
#include "kernels/gpu/weight_tiles.h"

namespace jikji::kernels::gpu {

using device::Pair;

// A lane's 16 values of a tile: [row g, row g + 8][pair]. kTerms of them add up to the weights.
struct LanePairs {
  Pair of[2][4];
};

// y = first · Σ(columns 0-15) + second · Σ(16-31) − minimum · Σx.
struct RowScale {
  float first, second, minimum;
};

template <class T>
JIKJI_DEVICE T Read(const unsigned char* from) {
  return *reinterpret_cast<const T*>(from);
}

JIKJI_DEVICE float HalfOf(Pair pair, int index) {
  return __builtin_bit_cast(float, index == 0 ? pair << 16 : pair & 0xFFFF0000u);
}

// The whole numbers 0 to 127 of a masked word, less `bias`: 128 + q is BF16 0x4300 + q.
JIKJI_DEVICE Pair WholePair(uint32_t masked, Pair minus) {
  return device::AddBf16(masked | 0x43004300u, minus);
}
inline constexpr Pair kMinus128 = 0xC300C300u;
inline constexpr Pair kMinus136 = 0xC308C308u;
inline constexpr Pair kMinus160 = 0xC320C320u;

struct KindBase {
  static constexpr int kTerms = 1;          // of LanePairs
  static constexpr bool kScaled = true;     // by RowScale
  static constexpr bool kSixteens = false;  // scales are for 16 columns
  static constexpr bool kMinimum = false;
};

struct KindBF16 : KindBase {
  static constexpr bool kScaled = false;
  JIKJI_DEVICE static void Load(const WeightTiles& w, int64_t tile, uint32_t lane,
                                LanePairs (&out)[1]) {
    const unsigned char* from = w.values + tile * 1024 + lane * 32;
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      const auto words = Read<device::Words4>(from + 16 * half);
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) out[0].of[half][i] = words.v[i];
    }
  }
};

// Terms of an f32 pair: BF16 of it, BF16 of what is left, ...
template <int kCount>
JIKJI_DEVICE void CutPair(float low, float high, int half, int pair, LanePairs (&out)[kCount]) {
  JIKJI_UNROLL
  for (int term = 0; term < kCount; ++term) {
    const Pair part = device::PackBf16(low, high);
    out[term].of[half][pair] = part;
    low -= HalfOf(part, 0);
    high -= HalfOf(part, 1);
  }
}

struct KindF16 : KindBase {
  static constexpr bool kScaled = false;
  static constexpr int kTerms = 2;
  JIKJI_DEVICE static void Load(const WeightTiles& w, int64_t tile, uint32_t lane,
                                LanePairs (&out)[2]) {
    const unsigned char* from = w.values + tile * 1024 + lane * 32;
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      const auto words = Read<device::Words4>(from + 16 * half);
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) {
        const uint32_t word = words.v[i];
        CutPair<2>(device::F16Value(static_cast<uint16_t>(word)),
                   device::F16Value(static_cast<uint16_t>(word >> 16)), half, i, out);
      }
    }
  }
};

struct KindF32 : KindBase {
  static constexpr bool kScaled = false;
  static constexpr int kTerms = 3;
  JIKJI_DEVICE static void Load(const WeightTiles& w, int64_t tile, uint32_t lane,
                                LanePairs (&out)[3]) {
    const unsigned char* from = w.values + tile * 2048 + lane * 64;
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      JIKJI_UNROLL
      for (int i = 0; i < 4; i += 2) {
        const auto words = Read<device::Words4>(from + 32 * half + 8 * i);
        CutPair<3>(__builtin_bit_cast(float, words.v[0]), __builtin_bit_cast(float, words.v[1]),
                   half, i, out);
        CutPair<3>(__builtin_bit_cast(float, words.v[2]), __builtin_bit_cast(float, words.v[3]),
                   half, i + 1, out);
      }
    }
  }
};

struct KindQ8_0 : KindBase {
  JIKJI_DEVICE static void Load(const WeightTiles& w, int64_t tile, uint32_t lane,
                                LanePairs (&out)[1]) {
    const auto words = Read<device::Words4>(w.values + tile * 512 + lane * 16);
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) {
        const uint32_t word = (words.v[2 * half + i / 2] ^ 0x80808080u) >> (16 * (i % 2));
        // 2^23 + q + 128 as f32; less 2^23 + 128, q has no bits below BF16's.
        const auto whole = [](uint32_t byte) {
          return __builtin_bit_cast(uint32_t,
                                    __builtin_bit_cast(float, 0x4B000000u | byte) - 8388736.0f);
        };
        out[0].of[half][i] = (whole(word >> 8 & 255) & 0xFFFF0000u) | whole(word & 255) >> 16;
      }
    }
  }
  JIKJI_DEVICE static RowScale Scale(const WeightTiles& w, int64_t tile, uint32_t row) {
    return {device::F16Value(Read<uint16_t>(w.scales + tile * 32 + row * 2)), 0, 0};
  }
};

struct Words2 {
  uint32_t v[2];
} __attribute__((aligned(8)));

struct KindQ4_0 : KindBase {
  JIKJI_DEVICE static void Load(const WeightTiles& w, int64_t tile, uint32_t lane,
                                LanePairs (&out)[1]) {
    LoadNibbles(w, tile, lane, kMinus136, out[0]);
  }
  JIKJI_DEVICE static void LoadNibbles(const WeightTiles& w, int64_t tile, uint32_t lane,
                                       Pair minus, LanePairs& out) {
    const auto words = Read<Words2>(w.values + tile * 256 + lane * 8);
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) {
        out.of[half][i] = WholePair(words.v[half] >> (4 * i) & 0x000F000Fu, minus);
      }
    }
  }
  JIKJI_DEVICE static RowScale Scale(const WeightTiles& w, int64_t tile, uint32_t row) {
    return {device::F16Value(Read<uint16_t>(w.scales + tile * 32 + row * 2)), 0, 0};
  }
};

struct KindQ4_K : KindBase {
  static constexpr bool kMinimum = true;
  JIKJI_DEVICE static void Load(const WeightTiles& w, int64_t tile, uint32_t lane,
                                LanePairs (&out)[1]) {
    KindQ4_0::LoadNibbles(w, tile, lane, kMinus128, out[0]);
  }
  JIKJI_DEVICE static RowScale Scale(const WeightTiles& w, int64_t tile, uint32_t row) {
    const uint32_t super = Read<uint32_t>(w.supers + tile / kSuperTiles * 64 + row * 4);
    const uint32_t scales = Read<uint16_t>(w.scales + tile * 32 + row * 2);
    const float d = device::F16Value(static_cast<uint16_t>(super));
    const float dmin = device::F16Value(static_cast<uint16_t>(super >> 16));
    return {d * static_cast<float>(scales & 255), 0, dmin * static_cast<float>(scales >> 8)};
  }
};

struct KindQ5_K : KindQ4_K {
  JIKJI_DEVICE static void Load(const WeightTiles& w, int64_t tile, uint32_t lane,
                                LanePairs (&out)[1]) {
    const auto words = Read<Words2>(w.values + tile * 256 + lane * 8);
    const uint32_t bits = Read<uint16_t>(w.high + tile * 64 + lane * 2);
    const uint32_t spread = bits | bits << 8;  // bits p and p + 8 at p and p + 16, for p < 8
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) {
        const uint32_t low = words.v[half] >> (4 * i) & 0x000F000Fu;
        const uint32_t fifth = spread >> (4 * half + i) & 0x00010001u;
        out[0].of[half][i] = WholePair(low | fifth << 4, kMinus128);
      }
    }
  }
};

struct KindQ6_K : KindBase {
  static constexpr bool kSixteens = true;
  JIKJI_DEVICE static void Load(const WeightTiles& w, int64_t tile, uint32_t lane,
                                LanePairs (&out)[1]) {
    const auto words = Read<Words2>(w.values + tile * 256 + lane * 8);
    const auto bits = Read<uint32_t>(w.high + tile * 128 + lane * 4);
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) {
        const uint32_t low = words.v[half] >> (4 * i) & 0x000F000Fu;
        const uint32_t upper = bits >> (8 * half + 2 * i) & 0x00030003u;
        out[0].of[half][i] = WholePair(low | upper << 4, kMinus160);
      }
    }
  }
  JIKJI_DEVICE static RowScale Scale(const WeightTiles& w, int64_t tile, uint32_t row) {
    const uint32_t scales = Read<uint16_t>(w.scales + tile * 32 + row * 2);
    const float d = device::F16Value(Read<uint16_t>(w.supers + tile / kSuperTiles * 32 + row * 2));
    return {d * static_cast<float>(static_cast<int8_t>(scales & 255)),
            d * static_cast<float>(static_cast<int8_t>(scales >> 8)), 0};
  }
};

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_WEIGHT_KINDS_H_
