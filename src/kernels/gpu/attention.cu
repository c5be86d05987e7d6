#include "kernels/gpu/attention.h"
#include "kernels/gpu/math.h"

namespace jikji::kernels::gpu {

using device::Pair;

inline constexpr int32_t kStep = 32;  // positions that are multiplied together
inline constexpr float kNothing = -__builtin_huge_valf();

// A row of a tile: which row and head of the batch, and up to which position it sees.
struct TileRow {
  int32_t row, head, position;
  bool valid;
};

JIKJI_DEVICE TileRow RowOf(const AttentionItem& item, int32_t index) {
  return {item.first_row + index / item.heads, item.first_head + index % item.heads,
          item.position + index / item.heads, index < item.rows * item.heads};
}

// What a row knows of the positions so far: the maximum of scores, and sums of weights.
struct RowSums {
  float most, weights;
};

// How much of two results is in the one that merges them.
struct Shares {
  float first, second;
  RowSums sums;
};

JIKJI_DEVICE Shares Merge(const RowSums& first, const RowSums& second) {
  if (second.most == kNothing) return {1, 0, first};
  if (first.most == kNothing) return {0, 1, second};
  const float most = first.most > second.most ? first.most : second.most;
  const float a = Exp(first.most - most), b = Exp(second.most - most);
  return {a, b, {most, first.weights * a + second.weights * b}};
}

JIKJI_DEVICE device::Words4 Load16(const uint16_t* from) {
  return *reinterpret_cast<const device::Words4*>(from);
}

// Zeros behind the first `stored` of 8: what was never stored may be no number.
JIKJI_DEVICE void KeepStored(device::Words4& words, int32_t stored) {
  JIKJI_UNROLL
  for (int i = 0; i < 4; ++i) {
    if (2 * i >= stored) words.v[i] = 0;
    if (2 * i + 1 == stored) words.v[i] &= 0xFFFFu;
  }
}

// How 8 values that lie together become F16, and what 8 consecutive slots' are multiplied by.
struct F16Cache {
  using Value = uint16_t;
  static constexpr bool kScaled = false;
  JIKJI_DEVICE static device::Words4 Load(const Value* from) { return Load16(from); }
};

// E4M3's bits are F16's of 2^-8 as much: its exponent has one bit more, and a bias of 15 for 7.
struct F8Cache {
  using Value = unsigned char;
  static constexpr bool kScaled = true;
  JIKJI_DEVICE static device::Words4 Load(const Value* from) {
    const auto codes = *reinterpret_cast<const device::Words2*>(from);
    device::Words4 out;
    JIKJI_UNROLL
    for (int i = 0; i < 4; ++i) {
      const uint32_t two = codes.v[i / 2] >> (16 * (i % 2));
      const uint32_t apart = (two & 0xFFu) << 8 | (two & 0xFF00u) << 16;
      out.v[i] = (apart & 0x80008000u) | (apart & 0x7F007F00u) >> 1;
    }
    return out;
  }
  // With that 2^8.
  JIKJI_DEVICE static device::Words4 Scales(const uint16_t* scales) {
    constexpr Pair kBy256 = 0x5C005C00u;
    device::Words4 out = Load16(scales);
    JIKJI_UNROLL
    for (int i = 0; i < 4; ++i) out.v[i] = device::MulF16(out.v[i], kBy256);
    return out;
  }
};

JIKJI_DEVICE float QuadMax(float value) {
  JIKJI_UNROLL
  for (uint32_t mask = 1; mask <= 2; mask *= 2) {
    const float other = device::ShuffleXor(value, mask);
    value = other > value ? other : value;
  }
  return value;
}
JIKJI_DEVICE float QuadSum(float value) {
  value += device::ShuffleXor(value, 1);
  return value + device::ShuffleXor(value, 2);
}

// Fragments are those of weight_tiles.h: a lane has rows g and g + 8 of the tile, and of every 32
// dimensions 8t to 8t + 7. In a step of 32 positions column n of product j is position
// 8 · (n / 2) + 2j + n % 2, so that a lane's weights are those of positions 8t to 8t + 7, which it
// then reads of the values.
template <int kDim, class Cache>
struct Tile {
  static constexpr int kDims = kDim / 32;
  static constexpr int kColumns = kDim / 8;

  Pair query[kDims][2][4];
  float out[kColumns][4];
  RowSums sums[2];

  JIKJI_DEVICE void LoadQuery(const AttentionArgs& args, const TileRow (&rows)[2], int32_t t) {
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      const uint16_t* from =
          args.query + (int64_t{rows[half].row} * args.heads + rows[half].head) * args.kv.head_dim;
      JIKJI_UNROLL
      for (int d = 0; d < kDims; ++d) {
        device::Words4 words = {};
        const int32_t at = 32 * d + 8 * t;
        if (rows[half].valid && at < args.kv.head_dim) words = Load16(from + at);
        JIKJI_UNROLL
        for (int i = 0; i < 4; ++i) query[d][half][i] = words.v[i];
      }
    }
  }

  JIKJI_DEVICE void Clear() {
    JIKJI_UNROLL
    for (int n = 0; n < kColumns; ++n) {
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) out[n][i] = 0;
    }
    sums[0] = sums[1] = {kNothing, 0};
  }

  // Scores of 32 positions from `begin` on: [product][value of the fragment].
  JIKJI_DEVICE void Scores(const AttentionArgs& args, const int32_t* pages, int32_t kv_head,
                           int32_t begin, int32_t last, uint32_t lane, float (&scores)[4][4]) {
    const auto g = static_cast<int32_t>(lane / 4), t = static_cast<int32_t>(lane % 4);
    const int32_t slots = args.kv.page_tokens, dim = args.kv.head_dim;
    JIKJI_UNROLL
    for (int j = 0; j < 4; ++j) {
      const int32_t position = begin + 8 * (g / 2) + 2 * j + g % 2;
      const bool stored = position <= last;
      const int64_t page = stored ? pages[position / slots] : 0;
      const auto* key = static_cast<const typename Cache::Value*>(args.kv.keys) +
                        ((page * args.kv.kv_heads + kv_head) * slots + position % slots) * dim;
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) scores[j][i] = 0;
      JIKJI_UNROLL
      for (int d = 0; d < kDims; ++d) {
        device::Words4 words = {};
        const int32_t at = 32 * d + 8 * t;
        if (stored && at < dim) words = Cache::Load(key + at);
        JIKJI_UNROLL
        for (int part = 0; part < 2; ++part) {
          const Pair a[4] = {query[d][0][2 * part], query[d][1][2 * part],
                             query[d][0][2 * part + 1], query[d][1][2 * part + 1]};
          const Pair b[2] = {words.v[2 * part], words.v[2 * part + 1]};
          device::MmaF16(scores[j], a, b);
        }
      }
    }
    if constexpr (Cache::kScaled) {
      // Where nobody sees them, any will do.
      const int32_t position = begin + 8 * t > last ? begin : begin + 8 * t;
      const uint16_t* scales = args.kv.key_scales + SlotOf(args, pages, kv_head, position);
      JIKJI_UNROLL
      for (int j = 0; j < 4; ++j) {
        const float first = device::F16Value(scales[2 * j]) * 256.0f;
        const float second = device::F16Value(scales[2 * j + 1]) * 256.0f;
        scores[j][0] *= first;
        scores[j][1] *= second;
        scores[j][2] *= first;
        scores[j][3] *= second;
      }
    }
  }

  // Where a position's scale lies; those of the 7 that follow a multiple of 8 lie behind it.
  JIKJI_DEVICE static int64_t SlotOf(const AttentionArgs& args, const int32_t* pages,
                                     int32_t kv_head, int32_t position) {
    const int32_t slots = args.kv.page_tokens;
    return (int64_t{pages[position / slots]} * args.kv.kv_heads + kv_head) * slots +
           position % slots;
  }

  // Scores to weights, against the maximum so far; what is summed already follows the new one.
  JIKJI_DEVICE void Weigh(const TileRow (&rows)[2], int32_t begin, int32_t window, uint32_t lane,
                          float (&scores)[4][4]) {
    const auto t = static_cast<int32_t>(lane % 4);
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      const TileRow& row = rows[half];
      float most = kNothing;
      JIKJI_UNROLL
      for (int j = 0; j < 4; ++j) {
        JIKJI_UNROLL
        for (int e = 0; e < 2; ++e) {
          float& score = scores[j][2 * half + e];
          const int32_t position = begin + 8 * t + 2 * j + e;
          const bool sees = row.valid && position <= row.position &&
                            (window == 0 || position > row.position - window);
          if (!sees) score = kNothing;
          most = score > most ? score : most;
        }
      }
      most = QuadMax(most);
      const float old = sums[half].most;
      most = most > old ? most : old;
      const float keep = old == kNothing ? 0.0f : Exp(old - most);
      float added = 0;
      JIKJI_UNROLL
      for (int j = 0; j < 4; ++j) {
        JIKJI_UNROLL
        for (int e = 0; e < 2; ++e) {
          float& score = scores[j][2 * half + e];
          score = score == kNothing ? 0.0f : Exp(score - most);
          added += score;
        }
      }
      sums[half] = {most, sums[half].weights * keep + added};
      JIKJI_UNROLL
      for (int n = 0; n < kColumns; ++n) {
        out[n][2 * half] *= keep;
        out[n][2 * half + 1] *= keep;
      }
    }
  }

  JIKJI_DEVICE void AddValues(const AttentionArgs& args, const int32_t* pages, int32_t kv_head,
                              int32_t begin, int32_t last, uint32_t lane,
                              const float (&weights)[4][4]) {
    const auto g = static_cast<int32_t>(lane / 4), t = static_cast<int32_t>(lane % 4);
    const int32_t slots = args.kv.page_tokens, dim = args.kv.head_dim;
    Pair a[2][4];
    JIKJI_UNROLL
    for (int part = 0; part < 2; ++part) {
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) {
        const float* from = weights[2 * part + i / 2] + 2 * (i % 2);
        a[part][i] = device::PackF16(from[0], from[1]);
      }
    }
    const int32_t position = begin + 8 * t;
    const int32_t stored = last + 1 - position;  // of the 8 positions
    const int64_t page = stored > 0 ? pages[position / slots] : 0;
    const auto* values = static_cast<const typename Cache::Value*>(args.kv.values) +
                         (page * args.kv.kv_heads + kv_head) * dim * slots + position % slots;
    device::Words4 scales = {};
    if constexpr (Cache::kScaled) {
      scales = Cache::Scales(args.kv.value_scales +
                             SlotOf(args, pages, kv_head, stored > 0 ? position : begin));
      KeepStored(scales, stored);  // any code is a number
    }
    JIKJI_UNROLL
    for (int n = 0; n < kColumns; ++n) {
      device::Words4 words = {};
      if (stored > 0 && 8 * n + g < dim) {
        words = Cache::Load(values + (8 * n + g) * int64_t{slots});
      }
      if constexpr (Cache::kScaled) {
        JIKJI_UNROLL
        for (int i = 0; i < 4; ++i) words.v[i] = device::MulF16(words.v[i], scales.v[i]);
      } else {
        KeepStored(words, stored);
      }
      JIKJI_UNROLL
      for (int part = 0; part < 2; ++part) {
        const Pair b[2] = {words.v[2 * part], words.v[2 * part + 1]};
        device::MmaF16(out[n], a[part], b);
      }
    }
  }
};

template <int kDim, class Cache>
JIKJI_DEVICE void Attend(const AttentionArgs& args) {
  const auto index =
      static_cast<int32_t>(device::BlockX() * kAttentionWarps + device::ThreadX() / device::kWarp);
  if (index >= args.item_count) return;  // a whole warp
  const AttentionItem item = args.items[index];
  const uint32_t lane = device::ThreadX() % device::kWarp;
  const auto g = static_cast<int32_t>(lane / 4), t = static_cast<int32_t>(lane % 4);
  const int32_t kv_head = item.first_head / (args.heads / args.kv.kv_heads);
  const int32_t dim = args.kv.head_dim;
  const int32_t* pages = args.pages + item.page_table;
  const int32_t last = item.position + item.rows - 1;
  const int32_t first_seen =
      args.window == 0 || item.position < args.window ? 0 : item.position - args.window + 1;
  const TileRow rows[2] = {RowOf(item, g), RowOf(item, g + 8)};
  using TileOf = Tile<kDim, Cache>;
  TileOf tile;
  tile.LoadQuery(args, rows, t);
  RowSums so_far[2] = {{kNothing, 0}, {kNothing, 0}};  // of all chunks but this one
  for (int32_t chunk = 0; chunk < item.chunks; ++chunk) {
    const int32_t chunk_begin = (item.first_chunk + chunk) * kChunk;
    int32_t begin = first_seen / kStep * kStep;
    if (begin < chunk_begin) begin = chunk_begin;
    int32_t end = chunk_begin + kChunk;
    if (end > last + 1) end = last + 1;
    tile.Clear();
    for (; begin < end; begin += kStep) {
      float scores[4][4];
      tile.Scores(args, pages, kv_head, begin, last, lane, scores);
      tile.Weigh(rows, begin, args.window, lane, scores);
      tile.AddValues(args, pages, kv_head, begin, last, lane, scores);
    }
    const bool to_out = item.whole != 0 && chunk + 1 == item.chunks;
    JIKJI_UNROLL
    for (int half = 0; half < 2; ++half) {
      RowSums sums = {tile.sums[half].most, QuadSum(tile.sums[half].weights)};
      if (!rows[half].valid) continue;
      float* part = args.parts + (int64_t{item.part} * kAttentionRows + g + 8 * half) * (dim + 2);
      Shares shares = {0, 1, sums};
      if (chunk > 0) shares = Merge(so_far[half], sums);
      so_far[half] = shares.sums;
      uint16_t* out = args.out + rows[half].row * args.out_stride + rows[half].head * dim;
      JIKJI_UNROLL
      for (int n = 0; n < TileOf::kColumns; ++n) {
        JIKJI_UNROLL
        for (int e = 0; e < 2; ++e) {
          const int32_t d = 8 * n + 2 * t + e;
          if (d >= dim) continue;
          float value = tile.out[n][2 * half + e];
          if (chunk > 0) value = part[d] * shares.first + value * shares.second;
          if (to_out) {
            out[d] = Bf16Bits(value / shares.sums.weights);
          } else {
            part[d] = value;
          }
        }
      }
      if (!to_out && t == 0) {
        part[dim] = shares.sums.most;
        part[dim + 1] = shares.sums.weights;
      }
    }
  }
}

// 128 threads, and two blocks on a processor: left alone, the assembler aims at three, and spills.
#ifdef __CUDA__
#define JIKJI_TWO_BLOCKS 128, 2
#else
#define JIKJI_TWO_BLOCKS 128
#endif

JIKJI_KERNEL(jikji_attention_32, AttentionArgs, 128) { Attend<32, F16Cache>(args); }
JIKJI_KERNEL(jikji_attention_64, AttentionArgs, 128) { Attend<64, F16Cache>(args); }
JIKJI_KERNEL(jikji_attention_96, AttentionArgs, 128) { Attend<96, F16Cache>(args); }
JIKJI_KERNEL(jikji_attention_128, AttentionArgs, 128) { Attend<128, F16Cache>(args); }
JIKJI_KERNEL(jikji_attention_F8_32, AttentionArgs, 128) { Attend<32, F8Cache>(args); }
JIKJI_KERNEL(jikji_attention_F8_64, AttentionArgs, JIKJI_TWO_BLOCKS) { Attend<64, F8Cache>(args); }
JIKJI_KERNEL(jikji_attention_F8_96, AttentionArgs, 128) { Attend<96, F8Cache>(args); }
JIKJI_KERNEL(jikji_attention_F8_128, AttentionArgs, 128) { Attend<128, F8Cache>(args); }

JIKJI_KERNEL(jikji_attention_merge, AttentionArgs, 128) {
  const AttentionItem item = args.items[device::BlockX()];
  const int32_t dim = args.kv.head_dim;
  for (auto at = static_cast<int32_t>(device::ThreadX()); at < kAttentionRows * dim; at += 128) {
    const TileRow row = RowOf(item, at / dim);
    if (!row.valid) continue;
    const float* part = args.parts + (int64_t{item.part} * kAttentionRows + at / dim) * (dim + 2);
    float value = part[at % dim];
    RowSums sums = {part[dim], part[dim + 1]};
    for (int32_t chunk = 1; chunk < item.chunks; ++chunk) {
      part += kAttentionRows * (dim + 2);
      const Shares shares = Merge(sums, {part[dim], part[dim + 1]});
      value = value * shares.first + part[at % dim] * shares.second;
      sums = shares.sums;
    }
    args.out[row.row * args.out_stride + row.head * dim + at % dim] =
        Bf16Bits(value / sums.weights);
  }
}

}  // namespace jikji::kernels::gpu
