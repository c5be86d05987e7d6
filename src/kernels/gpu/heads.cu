#include "kernels/gpu/heads.h"
#include "kernels/gpu/math.h"
#include "tensor/quant/f8.h"

namespace jikji::kernels::gpu {

JIKJI_KERNEL(jikji_rope_table, RopeTableArgs, 256) {
  const auto i = static_cast<int32_t>(device::BlockX() * 256 + device::ThreadX());
  if (i >= args.rows * args.half) return;
  const float angle =
      static_cast<float>(args.positions[i / args.half]) * args.inv_freq[i % args.half];
  float cosine, sine;
  CosSin(angle, cosine, sine);
  args.cosines[i] = cosine * args.magnitude;
  args.sines[i] = sine * args.magnitude;
}

// A head's values one by one, as a lane reads them.
struct HeadIn {
  const float* values;
  const float* bias;
  JIKJI_DEVICE float operator[](int32_t d) const {
    return bias == nullptr ? values[d] : values[d] + bias[d];
  }
};

// Puts a head where its plane has it, value d at `at` + d · step: as F16, or, where there is a
// place for a scale, as E4M3. `each` calls what it is given with every d of the lane and its value.
template <class Each>
JIKJI_DEVICE void PutHead(const Each& each, void* plane, int64_t at, int64_t step,
                          uint16_t* scale) {
  if (scale == nullptr) {
    auto* out = static_cast<uint16_t*>(plane) + at;
    each([&](int32_t d, float value) { out[d * step] = F16Bits(value); });
    return;
  }
  uint32_t most = 0;  // bits of magnitudes rise with them, NaN's beyond all
  each([&](int32_t, float value) {
    const uint32_t bits = __builtin_bit_cast(uint32_t, value) & 0x7FFFFFFFu;
    most = bits > most ? bits : most;
  });
  JIKJI_UNROLL
  for (uint32_t mask = 16; mask > 0; mask /= 2) {
    const uint32_t other = device::ShuffleXor(most, mask);
    most = other > most ? other : most;
  }
  const float by = F8Scale(__builtin_bit_cast(float, most));
  const bool has = by == by;
  const float inverse = has ? 1.0f / by : 0.0f;
  auto* out = static_cast<uint8_t*>(plane) + at;
  each(
      [&](int32_t d, float value) { out[d * step] = has ? F32ToF8(value * inverse) : uint8_t{0}; });
  if (device::ThreadX() % device::kWarp == 0) *scale = has ? F16Bits(by) : uint16_t{0x7E00};
}

JIKJI_KERNEL(jikji_heads, HeadsArgs, 128) {
  const int32_t kv_heads = args.kv.kv_heads, dim = args.kv.head_dim;
  const int32_t queries = args.query == nullptr ? 0 : args.heads;
  const int32_t of_row = queries + 2 * kv_heads;
  const auto item =
      static_cast<int32_t>(device::BlockX() * kHeadsWarps + device::ThreadX() / device::kWarp);
  if (item >= args.rows * of_row) return;  // a whole warp
  const auto lane = static_cast<int32_t>(device::ThreadX() % device::kWarp);
  const int32_t row = item / of_row, index = item % of_row;
  const int32_t slot = args.slots[row];
  if (slot < 0 && index >= queries) return;  // a whole warp
  const int64_t page = slot / args.kv.page_tokens;
  const int32_t in_page = slot % args.kv.page_tokens;
  if (index >= queries + kv_heads) {
    const int32_t head = index - queries - kv_heads;
    const HeadIn in{args.value + (int64_t{row} * kv_heads + head) * dim,
                    args.value_bias == nullptr ? nullptr : args.value_bias + head * dim};
    const int64_t first_slot = (page * kv_heads + head) * args.kv.page_tokens;
    PutHead(
        [&](const auto& use) {
          for (int32_t d = lane; d < dim; d += 32) use(d, in[d]);
        },
        args.kv.values, first_slot * dim + in_page, args.kv.page_tokens,
        args.kv.value_scales == nullptr ? nullptr : args.kv.value_scales + first_slot + in_page);
    return;
  }
  const bool is_query = index < queries;
  const int32_t head = is_query ? index : index - queries;
  const float* bias = is_query ? args.query_bias : args.key_bias;
  const float* norm = is_query ? args.query_norm : args.key_norm;
  const HeadIn in{is_query ? args.query + (int64_t{row} * args.heads + head) * dim
                           : args.key + (int64_t{row} * kv_heads + head) * dim,
                  bias == nullptr ? nullptr : bias + head * dim};
  const float factor = is_query ? args.query_scale : 1.0f;
  float scale = 1;
  if (norm != nullptr) {
    float squares = 0;
    for (int32_t d = lane; d < dim; d += 32) squares = device::Fma(in[d], in[d], squares);
    scale = 1.0f / device::Sqrt(WarpSum(squares) / static_cast<float>(dim) + args.eps);
  }
  const auto value = [&](int32_t d) { return norm == nullptr ? in[d] : in[d] * scale * norm[d]; };
  const int32_t half = dim / 2;
  const float* cosines = args.cosines == nullptr ? nullptr : args.cosines + int64_t{row} * half;
  const float* sines = args.sines == nullptr ? nullptr : args.sines + int64_t{row} * half;
  const auto each = [&](const auto& use) {
    if (cosines == nullptr) {
      for (int32_t d = lane; d < dim; d += 32) use(d, value(d) * factor);
      return;
    }
    for (int32_t d = lane; d < half; d += 32) {
      const float a = value(d), b = value(d + half);
      const float c = cosines[d], s = sines[d];
      use(d, (a * c - b * s) * factor);
      use(d + half, (b * c + a * s) * factor);
    }
  };
  if (is_query) {
    PutHead(each, args.query_out, (int64_t{row} * args.heads + head) * dim, 1, nullptr);
    return;
  }
  const int64_t at = (page * kv_heads + head) * args.kv.page_tokens + in_page;
  PutHead(each, args.kv.keys, at * dim, 1,
          args.kv.key_scales == nullptr ? nullptr : args.kv.key_scales + at);
}

}  // namespace jikji::kernels::gpu
