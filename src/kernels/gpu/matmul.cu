#include "kernels/gpu/matmul.h"
#include "kernels/gpu/weight_kinds.h"

namespace jikji::kernels::gpu {

using device::kWarp;

// A lane's part of 8 tokens and 32 columns of x.
struct TokenPairs {
  Pair of[4];
};

template <class Kind>
JIKJI_DEVICE TokenPairs LoadTokens(const MatMulArgs& args, int32_t token, int32_t step,
                                   uint32_t t) {
  if (token >= args.tokens) return {};
  const uint16_t* x = args.x + token * args.x_stride + step * kTileCols;
  TokenPairs out;
  if constexpr (Kind::kSixteens) {
    const auto first = *reinterpret_cast<const Words2*>(x + 4 * t);
    const auto second = *reinterpret_cast<const Words2*>(x + 16 + 4 * t);
    out = {{first.v[0], first.v[1], second.v[0], second.v[1]}};
  } else {
    const auto words = *reinterpret_cast<const device::Words4*>(x + 8 * t);
    JIKJI_UNROLL
    for (int i = 0; i < 4; ++i) out.of[i] = words.v[i];
  }
  return out;
}

// c += columns 0-15 (part 0) or 16-31 (part 1) of a tile, in the kind's own order of columns.
JIKJI_DEVICE void MultiplyHalf(float (&c)[4], const LanePairs& w, const TokenPairs& x, int part) {
  const Pair a[4] = {w.of[0][2 * part], w.of[1][2 * part], w.of[0][2 * part + 1],
                     w.of[1][2 * part + 1]};
  const Pair b[2] = {x.of[2 * part], x.of[2 * part + 1]};
  device::MmaBf16(c, a, b);
}

// sums += one tile times 8 · kColumns tokens.
template <class Kind, int kColumns>
JIKJI_DEVICE void AddTile(const WeightTiles& w, int64_t tile, uint32_t lane,
                          const TokenPairs (&x)[kColumns], float (&sums)[kColumns][4]) {
  LanePairs pairs[Kind::kTerms];
  Kind::Load(w, tile, lane, pairs);
  if constexpr (!Kind::kScaled) {
    JIKJI_UNROLL
    for (int term = 0; term < Kind::kTerms; ++term) {
      JIKJI_UNROLL
      for (int part = 0; part < 2; ++part) {
        JIKJI_UNROLL
        for (int n = 0; n < kColumns; ++n) MultiplyHalf(sums[n], pairs[term], x[n], part);
      }
    }
  } else {
    const RowScale scales[2] = {Kind::Scale(w, tile, lane / 4), Kind::Scale(w, tile, lane / 4 + 8)};
    JIKJI_UNROLL
    for (int n = 0; n < kColumns; ++n) {
      float first[4] = {}, second[4] = {};
      MultiplyHalf(first, pairs[0], x[n], 0);
      if constexpr (Kind::kSixteens) {
        MultiplyHalf(second, pairs[0], x[n], 1);
      } else {
        MultiplyHalf(first, pairs[0], x[n], 1);
      }
      if constexpr (Kind::kMinimum) {
        // Σx of each token, in every row: x times ones.
        constexpr Pair kOnes = 0x3F803F80u;
        constexpr LanePairs kAllOnes = {
            {{kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes, kOnes, kOnes}}};
        MultiplyHalf(second, kAllOnes, x[n], 0);
        MultiplyHalf(second, kAllOnes, x[n], 1);
      }
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) {
        const RowScale& scale = scales[i / 2];
        sums[n][i] = device::Fma(scale.first, first[i], sums[n][i]);
        if constexpr (Kind::kSixteens) {
          sums[n][i] = device::Fma(scale.second, second[i], sums[n][i]);
        }
        if constexpr (Kind::kMinimum) {
          sums[n][i] = device::Fma(-scale.minimum, second[i], sums[n][i]);
        }
      }
    }
  }
}

JIKJI_DEVICE int32_t SegmentBegin(int32_t steps, int32_t segment) {
  return static_cast<int32_t>(int64_t{steps} * segment / kSegments);
}

template <class Kind, int kColumns>
JIKJI_DEVICE void SmallProduct(const MatMulArgs& args) {
  JIKJI_SHARED(float, partial, kSegments* kColumns * 128);
  const uint32_t warp = device::ThreadX() / kWarp, lane = device::ThreadX() % kWarp;
  const uint32_t g = lane / 4, t = lane % 4;
  const auto row_tile = static_cast<int32_t>(device::BlockX());
  const int32_t first_token = static_cast<int32_t>(device::BlockY()) * 8 * kColumns;
  float sums[kColumns][4] = {};
  const auto add = [&](int32_t step) __attribute__((always_inline)) {
    TokenPairs x[kColumns];
    JIKJI_UNROLL
    for (int n = 0; n < kColumns; ++n) {
      x[n] = LoadTokens<Kind>(args, first_token + 8 * n + static_cast<int32_t>(g), step, t);
    }
    AddTile<Kind, kColumns>(args.w, int64_t{row_tile} * args.w.steps + step, lane, x, sums);
  };
  // Several tiles at once, so that their loads are under way together.
  constexpr int kAhead = kColumns == 1 && !Kind::kMinimum ? 4 : 2;
  int32_t step = SegmentBegin(args.w.steps, static_cast<int32_t>(warp));
  const int32_t end = SegmentBegin(args.w.steps, static_cast<int32_t>(warp) + 1);
  for (; step + kAhead <= end; step += kAhead) {
    JIKJI_UNROLL
    for (int i = 0; i < kAhead; ++i) add(step + i);
  }
  for (; step < end; ++step) add(step);
  // [segment][token][row]
  JIKJI_UNROLL
  for (int n = 0; n < kColumns; ++n) {
    JIKJI_UNROLL
    for (int i = 0; i < 4; ++i) {
      partial[(warp * kColumns + n) * 128 + (2 * t + i % 2) * 16 + g + 8 * (i / 2)] = sums[n][i];
    }
  }
  device::SyncBlock();
  for (uint32_t at = device::ThreadX(); at < kColumns * 128; at += kMatMulThreads) {
    const int32_t token = first_token + static_cast<int32_t>(at / 16);
    const int32_t row = row_tile * kTileRows + static_cast<int32_t>(at % 16);
    if (token >= args.tokens || row >= args.w.rows) continue;
    float total = partial[at];
    JIKJI_UNROLL
    for (int segment = 1; segment < kSegments; ++segment) {
      total += partial[segment * kColumns * 128 + at];
    }
    args.y[token * args.y_stride + row] = total * args.scale;
  }
}

// A warp has 32 rows and 32 tokens; a block 4 by 2 warps.
template <class Kind>
JIKJI_DEVICE void WideProduct(const MatMulArgs& args) {
  constexpr int kRowTiles = 2, kColumns = 4;
  const uint32_t warp = device::ThreadX() / kWarp, lane = device::ThreadX() % kWarp;
  const uint32_t g = lane / 4, t = lane % 4;
  const int32_t row_tile =
      static_cast<int32_t>(device::BlockX() * (kWideRows / kTileRows) + warp % 4 * kRowTiles);
  const int32_t first_token = static_cast<int32_t>(device::BlockY() * kWideTokens + warp / 4 * 32);
  if (row_tile >= args.w.row_tiles || first_token >= args.tokens) return;
  const int32_t last_tile = args.w.row_tiles - 1;
  float totals[kRowTiles][kColumns][4] = {};
  for (int32_t segment = 0; segment < kSegments; ++segment) {
    float sums[kRowTiles][kColumns][4] = {};
    const int32_t end = SegmentBegin(args.w.steps, segment + 1);
    for (int32_t step = SegmentBegin(args.w.steps, segment); step < end; ++step) {
      TokenPairs x[kColumns];
      JIKJI_UNROLL
      for (int n = 0; n < kColumns; ++n) {
        x[n] = LoadTokens<Kind>(args, first_token + 8 * n + static_cast<int32_t>(g), step, t);
      }
      JIKJI_UNROLL
      for (int m = 0; m < kRowTiles; ++m) {
        const int32_t tile = row_tile + m < last_tile ? row_tile + m : last_tile;
        AddTile<Kind, kColumns>(args.w, int64_t{tile} * args.w.steps + step, lane, x, sums[m]);
      }
    }
    JIKJI_UNROLL
    for (int m = 0; m < kRowTiles; ++m) {
      JIKJI_UNROLL
      for (int n = 0; n < kColumns; ++n) {
        JIKJI_UNROLL
        for (int i = 0; i < 4; ++i) {
          totals[m][n][i] = segment == 0 ? sums[m][n][i] : totals[m][n][i] + sums[m][n][i];
        }
      }
    }
  }
  JIKJI_UNROLL
  for (int m = 0; m < kRowTiles; ++m) {
    JIKJI_UNROLL
    for (int n = 0; n < kColumns; ++n) {
      JIKJI_UNROLL
      for (int i = 0; i < 4; ++i) {
        const int32_t token = first_token + 8 * n + static_cast<int32_t>(2 * t) + i % 2;
        const int32_t row = (row_tile + m) * kTileRows + static_cast<int32_t>(g) + 8 * (i / 2);
        if (token < args.tokens && row < args.w.rows) {
          args.y[token * args.y_stride + row] = totals[m][n][i] * args.scale;
        }
      }
    }
  }
}

#define JIKJI_MATMUL_KERNELS(Name)                                                               \
  JIKJI_KERNEL(jikji_matmul_##Name##_8, MatMulArgs, 256) { SmallProduct<Kind##Name, 1>(args); }  \
  JIKJI_KERNEL(jikji_matmul_##Name##_32, MatMulArgs, 256) { SmallProduct<Kind##Name, 4>(args); } \
  JIKJI_KERNEL(jikji_matmul_##Name##_wide, MatMulArgs, 256) { WideProduct<Kind##Name>(args); }
JIKJI_MATMUL_KERNELS(F32)
JIKJI_MATMUL_KERNELS(F16)
JIKJI_MATMUL_KERNELS(BF16)
JIKJI_MATMUL_KERNELS(Q4_0)
JIKJI_MATMUL_KERNELS(Q8_0)
JIKJI_MATMUL_KERNELS(Q4_K)
JIKJI_MATMUL_KERNELS(Q5_K)
JIKJI_MATMUL_KERNELS(Q6_K)

}  // namespace jikji::kernels::gpu
