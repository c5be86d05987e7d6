#include "kernels/gpu/math.h"
#include "kernels/gpu/stream.h"
#include "kernels/gpu/weight_kinds.h"

namespace jikji::kernels::gpu {

template <class Kind>
JIKJI_DEVICE void Embed(const EmbedArgs& args) {
  if (args.owners != nullptr && args.owners[device::BlockX()] != args.owner) return;
  const int32_t id = args.ids[device::BlockX()];
  const int32_t row = id % kTileRows;
  float* x = args.x + int64_t{device::BlockX()} * args.w.cols;
  // A thread takes the 8 values of a run of a tile.
  for (int32_t run = static_cast<int32_t>(device::ThreadX()); run < args.w.steps * 4;
       run += static_cast<int32_t>(kRowThreads)) {
    const int32_t step = run / 4, t = run % 4;
    const int64_t tile = int64_t{id / kTileRows} * args.w.steps + step;
    LanePairs pairs[Kind::kTerms];
    Kind::Load(args.w, tile, static_cast<uint32_t>(row % 8 * 4 + t), pairs);
    RowScale scale{1, 1, 0};
    if constexpr (Kind::kScaled) scale = Kind::Scale(args.w, tile, static_cast<uint32_t>(row));
    JIKJI_UNROLL
    for (int i = 0; i < 8; ++i) {
      float value = 0;
      JIKJI_UNROLL
      for (int term = Kind::kTerms - 1; term >= 0; --term) {
        const Pair pair = row < 8 ? pairs[term].of[0][i / 2] : pairs[term].of[1][i / 2];
        value += HalfOf(pair, i % 2);
      }
      int32_t column = step * kTileCols + 8 * t + i;
      float factor = scale.first;
      if constexpr (Kind::kSixteens) {
        column = step * kTileCols + (i < 4 ? 0 : 16) + 4 * t + i % 4;
        factor = i < 4 ? scale.first : scale.second;
      }
      if (column < args.w.cols) x[column] = (value * factor - scale.minimum) * args.scale;
    }
  }
}

JIKJI_KERNEL(jikji_embed_F32, EmbedArgs, 256) { Embed<KindF32>(args); }
JIKJI_KERNEL(jikji_embed_F16, EmbedArgs, 256) { Embed<KindF16>(args); }
JIKJI_KERNEL(jikji_embed_BF16, EmbedArgs, 256) { Embed<KindBF16>(args); }
JIKJI_KERNEL(jikji_embed_Q4_0, EmbedArgs, 256) { Embed<KindQ4_0>(args); }
JIKJI_KERNEL(jikji_embed_Q8_0, EmbedArgs, 256) { Embed<KindQ8_0>(args); }
JIKJI_KERNEL(jikji_embed_Q4_K, EmbedArgs, 256) { Embed<KindQ4_K>(args); }
JIKJI_KERNEL(jikji_embed_Q5_K, EmbedArgs, 256) { Embed<KindQ5_K>(args); }
JIKJI_KERNEL(jikji_embed_Q6_K, EmbedArgs, 256) { Embed<KindQ6_K>(args); }

JIKJI_DEVICE float NormScale(float squares, int32_t width, float eps) {
  return 1.0f / device::Sqrt(squares / static_cast<float>(width) + eps);
}

JIKJI_KERNEL(jikji_add_norm, AddNormArgs, 256) {
  JIKJI_SHARED(float, slots, kRowThreads / device::kWarp);
  const auto thread = static_cast<int32_t>(device::ThreadX());
  constexpr auto kStride = static_cast<int32_t>(kRowThreads);
  float* x = args.x + int64_t{device::BlockX()} * args.width;
  float squares = 0;  // of x
  if (args.added != nullptr) {
    float* added = args.added + int64_t{device::BlockX()} * args.width;
    float added_squares = 0;
    for (int32_t i = thread; i < args.width; i += kStride) {
      const float value = args.bias == nullptr ? added[i] : added[i] + args.bias[i];
      added[i] = value;
      added_squares = device::Fma(value, value, added_squares);
    }
    float scale = 1;
    if (args.post_norm != nullptr) {
      scale = NormScale(BlockSum<kRowThreads / device::kWarp>(added_squares, slots), args.width,
                        args.eps);
    }
    for (int32_t i = thread; i < args.width; i += kStride) {
      float value = added[i];
      if (args.post_norm != nullptr) value = value * scale * args.post_norm[i];
      const float sum = x[i] + value * args.residual_scale;
      x[i] = sum;
      squares = device::Fma(sum, sum, squares);
    }
  } else {
    for (int32_t i = thread; i < args.width; i += kStride) {
      squares = device::Fma(x[i], x[i], squares);
    }
  }
  if (args.out == nullptr) return;
  uint16_t* out = args.out + int64_t{device::BlockX()} * args.out_stride;
  float scale = 1;
  if (args.norm != nullptr) {
    scale = NormScale(BlockSum<kRowThreads / device::kWarp>(squares, slots), args.width, args.eps);
  }
  for (int32_t i = thread; i < args.width; i += kStride) {
    float value = x[i];
    if (args.norm != nullptr) value = value * scale * args.norm[i];
    out[i] = Bf16Bits(value);
  }
}

JIKJI_KERNEL(jikji_silu_multiply, SiluArgs, 256) {
  const auto i = static_cast<int32_t>(device::BlockX() * kRowThreads + device::ThreadX());
  if (i >= args.width) return;
  const int64_t at = int64_t{device::BlockY()} * args.width + i;
  float gate = args.gate[at], up = args.up[at];
  if (args.gate_bias != nullptr) gate += args.gate_bias[i];
  if (args.up_bias != nullptr) up += args.up_bias[i];
  // e^88 is near f32's end, and silu is as good as 0 from there on.
  const float silu = gate < -88.0f ? 0.0f : gate / (1.0f + Exp(-gate));
  args.out[int64_t{device::BlockY()} * args.out_stride + i] = Bf16Bits(silu * up);
}

JIKJI_KERNEL(jikji_keep_rows, KeepRowsArgs, 256) {
  const int64_t to = device::BlockX(), from = args.rows[device::BlockX()];
  for (auto i = static_cast<int32_t>(device::ThreadX()); i < args.x_width; i += 256) {
    args.x_out[to * args.x_width + i] = args.x[from * args.x_width + i];
  }
  for (auto i = static_cast<int32_t>(device::ThreadX()); i < args.attended_width; i += 256) {
    args.attended_out[to * args.attended_width + i] = args.attended[from * args.attended_width + i];
  }
}

}  // namespace jikji::kernels::gpu
