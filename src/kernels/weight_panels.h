// The layout that weights are multiplied in: panels of 16 rows, interleaved so that the lanes of a
// vector are rows.
//
// A dot product then needs no sum across lanes, one load of an activation serves 16 rows, and a
// panel is read from memory front to back. A panel is a row of steps, each holding kColumns columns
// of the 16 rows; what is missing of the last panel or step is zero bytes. Within a group of 32
// columns, quad q holds columns 4q to 4q + 3 of each row, row after row: 64 bytes.
//
// Contract: Get gives back what Put took, bit for bit, so repacking loses nothing; where scales are
// zero bytes, values are zero. Non-goals: arithmetic (matmul_*_simd.h), matrices (weight_matrix).
#ifndef JIKJI_KERNELS_WEIGHT_PANELS_H_
#define JIKJI_KERNELS_WEIGHT_PANELS_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "tensor/quant/blocks.h"

namespace jikji::kernels {

inline constexpr int kPanelRows = 16;
// Columns that share a scale of activations, and their quads.
inline constexpr int kGroup = 32;
inline constexpr int kQuads = kGroup / 4;

using QuadBytes = uint8_t[kPanelRows][4];

// A row of a group, value by value.
using GroupValues = uint8_t[kGroup];

// The low four bits of a group: quad q in the low halves of bytes, quad q + 4 in the high ones.
struct NibbleGroup {
  QuadBytes pairs[kQuads / 2];

  void Put(int row, const GroupValues& values) {
    uint8_t bytes[kGroup / 2];
    for (int c = 0; c < kGroup / 2; ++c) {
      bytes[c] = static_cast<uint8_t>((values[c] & 15) | (values[c + kGroup / 2] << 4));
    }
    for (int q = 0; q < kQuads / 2; ++q) std::memcpy(pairs[q][row], bytes + 4 * q, 4);
  }
  void Get(int row, GroupValues& values) const {
    for (int c = 0; c < kGroup / 2; ++c) {
      values[c] = pairs[c / 4][row][c % 4] & 15;
      values[c + kGroup / 2] = pairs[c / 4][row][c % 4] >> 4;
    }
  }
};

// The fifth bits of a group: bit q of a byte belongs to quad q.
struct FifthBits {
  QuadBytes bits;

  void Put(int row, const GroupValues& values) {
    uint8_t bytes[4] = {};
    for (int c = 0; c < kGroup; ++c) {
      bytes[c % 4] |= static_cast<uint8_t>((values[c] >> 4 & 1) << (c / 4));
    }
    std::memcpy(bits[row], bytes, 4);
  }
  void Get(int row, GroupValues& values) const {
    for (int c = 0; c < kGroup; ++c) {
      values[c] |= static_cast<uint8_t>((bits[row][c % 4] >> (c / 4) & 1) << 4);
    }
  }
};

// The fifth and sixth bits of a group: bits 2k and 2k + 1 of halves[h] belong to quad 4h + k.
struct UpperPairs {
  QuadBytes halves[2];

  void Put(int row, const GroupValues& values) {
    uint8_t bytes[8] = {};
    for (int c = 0; c < kGroup; ++c) {
      bytes[c / 16 * 4 + c % 4] |= static_cast<uint8_t>((values[c] >> 4 & 3) << (c / 4 % 4 * 2));
    }
    for (int h = 0; h < 2; ++h) std::memcpy(halves[h][row], bytes + 4 * h, 4);
  }
  void Get(int row, GroupValues& values) const {
    for (int c = 0; c < kGroup; ++c) {
      const int pairs = halves[c / 16][row][c % 4];
      values[c] |= static_cast<uint8_t>((pairs >> (c / 4 % 4 * 2) & 3) << 4);
    }
  }
};

struct alignas(64) Q8_0Step {
  using Block = Q8_0Block;
  static constexpr int kColumns = 64;

  QuadBytes quants[2][kQuads];  // value + 128
  uint16_t d[2][kPanelRows];

  void Put(int row, int group, const Block& block) {
    d[group][row] = block.d;
    for (int c = 0; c < kGroup; ++c) {
      quants[group][c / 4][row][c % 4] = static_cast<uint8_t>(block.qs[c] ^ 0x80);
    }
  }
  Block Get(int row, int group) const {
    Block block;
    block.d = d[group][row];
    for (int c = 0; c < kGroup; ++c) {
      block.qs[c] = static_cast<int8_t>(quants[group][c / 4][row][c % 4] ^ 0x80);
    }
    return block;
  }
};

struct alignas(64) Q4_0Step {
  using Block = Q4_0Block;
  static constexpr int kColumns = 64;

  NibbleGroup groups[2];  // value + 8
  uint16_t d[2][kPanelRows];

  // A byte of the block holds columns i and i + 16, as a group's does.
  void Put(int row, int group, const Block& block) {
    d[group][row] = block.d;
    for (int q = 0; q < kQuads / 2; ++q) {
      std::memcpy(groups[group].pairs[q][row], block.qs + 4 * q, 4);
    }
  }
  Block Get(int row, int group) const {
    Block block;
    block.d = d[group][row];
    for (int q = 0; q < kQuads / 2; ++q) {
      std::memcpy(block.qs + 4 * q, groups[group].pairs[q][row], 4);
    }
    return block;
  }
};

// Q4_K and Q5_K. Scales and minima take a byte each: reading two more bits costs less than
// unpacking six.
template <class BlockType>
struct alignas(64) KStep {
  using Block = BlockType;
  static constexpr int kColumns = 256;
  static constexpr bool kFifth = std::is_same_v<Block, Q5_KBlock>;

  struct Group4 {
    NibbleGroup low;
  };
  struct Group5 {
    NibbleGroup low;
    FifthBits fifth;
  };

  uint16_t d[kPanelRows], dmin[kPanelRows];
  uint8_t scales[8][kPanelRows], minima[8][kPanelRows];
  std::conditional_t<kFifth, Group5, Group4> groups[8];

  void Put(int row, int, const Block& block) {
    d[row] = block.d;
    dmin[row] = block.dmin;
    const KScales k = UnpackKScales(block.scales);
    for (int g = 0; g < 8; ++g) {
      scales[g][row] = k.scale[g];
      minima[g][row] = k.minimum[g];
      GroupValues values;
      for (int c = 0; c < kGroup; ++c) {
        values[c] = static_cast<uint8_t>(block.qs[g / 2 * kGroup + c] >> (g % 2 * 4) & 15);
        if constexpr (kFifth) values[c] |= static_cast<uint8_t>((block.qh[c] >> g & 1) << 4);
      }
      groups[g].low.Put(row, values);
      if constexpr (kFifth) groups[g].fifth.Put(row, values);
    }
  }
  Block Get(int row, int) const {
    Block block{};
    block.d = d[row];
    block.dmin = dmin[row];
    KScales k;
    for (int g = 0; g < 8; ++g) {
      k.scale[g] = scales[g][row];
      k.minimum[g] = minima[g][row];
      GroupValues values;
      groups[g].low.Get(row, values);
      if constexpr (kFifth) groups[g].fifth.Get(row, values);
      for (int c = 0; c < kGroup; ++c) {
        block.qs[g / 2 * kGroup + c] |= static_cast<uint8_t>((values[c] & 15) << (g % 2 * 4));
        if constexpr (kFifth) block.qh[c] |= static_cast<uint8_t>((values[c] >> 4) << g);
      }
    }
    PackKScales(k, block.scales);
    return block;
  }
};
using Q4_KStep = KStep<Q4_KBlock>;
using Q5_KStep = KStep<Q5_KBlock>;

struct alignas(64) Q6_KStep {
  using Block = Q6_KBlock;
  static constexpr int kColumns = 256;

  struct Group {
    NibbleGroup low;  // of value + 32
    UpperPairs upper;
  };

  Group groups[8];
  int8_t scales[16][kPanelRows];
  uint16_t d[kPanelRows];

  void Put(int row, int, const Block& block) {
    d[row] = block.d;
    for (int i = 0; i < 16; ++i) scales[i][row] = block.scales[i];
    for (int g = 0; g < 8; ++g) {
      const int half = g / 4, k = g % 4;
      const uint8_t* low = block.ql + 64 * half + 32 * (k % 2);
      const uint8_t* high = block.qh + 32 * half;
      GroupValues values;
      for (int c = 0; c < kGroup; ++c) {
        values[c] =
            static_cast<uint8_t>((low[c] >> (k / 2 * 4) & 15) | (high[c] >> (2 * k) & 3) << 4);
      }
      groups[g].low.Put(row, values);
      groups[g].upper.Put(row, values);
    }
  }
  Block Get(int row, int) const {
    Block block{};
    block.d = d[row];
    for (int i = 0; i < 16; ++i) block.scales[i] = scales[i][row];
    for (int g = 0; g < 8; ++g) {
      const int half = g / 4, k = g % 4;
      uint8_t* low = block.ql + 64 * half + 32 * (k % 2);
      uint8_t* high = block.qh + 32 * half;
      GroupValues values;
      groups[g].low.Get(row, values);
      groups[g].upper.Get(row, values);
      for (int c = 0; c < kGroup; ++c) {
        low[c] |= static_cast<uint8_t>((values[c] & 15) << (k / 2 * 4));
        high[c] |= static_cast<uint8_t>((values[c] >> 4) << (2 * k));
      }
    }
    return block;
  }
};

// Plain types: two columns a step. BF16 keeps a row's two side by side: a shift or a mask of 32
// bits makes either an f32.
template <class BlockType>
struct PlainStep {
  using Block = BlockType;
  static constexpr int kColumns = 2;

  Block values[2 * kPanelRows];

  static int Index(int row, int column) {
    return std::is_same_v<Block, BF16Block> ? 2 * row + column : column * kPanelRows + row;
  }
  void Put(int row, int column, const Block& block) { values[Index(row, column)] = block; }
  Block Get(int row, int column) const { return values[Index(row, column)]; }
};

// The step of each type: `VisitStep(dtype, []<class Step>() { return sizeof(Step); })`.
template <class Visitor>
constexpr decltype(auto) VisitStep(DType dtype, Visitor&& visitor) {
  return VisitBlock(dtype, [&]<class Block>() -> decltype(auto) {
    if constexpr (std::is_same_v<Block, Q8_0Block>) {
      return visitor.template operator()<Q8_0Step>();
    } else if constexpr (std::is_same_v<Block, Q4_0Block>) {
      return visitor.template operator()<Q4_0Step>();
    } else if constexpr (std::is_same_v<Block, Q6_KBlock>) {
      return visitor.template operator()<Q6_KStep>();
    } else if constexpr (Block::kValues == 256) {
      return visitor.template operator()<KStep<Block>>();
    } else {
      return visitor.template operator()<PlainStep<Block>>();
    }
  });
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_WEIGHT_PANELS_H_
