#include "kernels/gpu/heads.h"
#include "kernels/gpu/math.h"

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
    uint16_t* out = args.kv.values + (page * kv_heads + head) * dim * args.kv.page_tokens + in_page;
    for (int32_t d = lane; d < dim; d += 32) out[int64_t{d} * args.kv.page_tokens] = F16Bits(in[d]);
    return;
  }
  const bool is_query = index < queries;
  const int32_t head = is_query ? index : index - queries;
  const float* bias = is_query ? args.query_bias : args.key_bias;
  const float* norm = is_query ? args.query_norm : args.key_norm;
  const HeadIn in{is_query ? args.query + (int64_t{row} * args.heads + head) * dim
                           : args.key + (int64_t{row} * kv_heads + head) * dim,
                  bias == nullptr ? nullptr : bias + head * dim};
  uint16_t* out =
      is_query ? args.query_out + (int64_t{row} * args.heads + head) * dim
               : args.kv.keys + ((page * kv_heads + head) * args.kv.page_tokens + in_page) * dim;
  const float factor = is_query ? args.query_scale : 1.0f;
  float scale = 1;
  if (norm != nullptr) {
    float squares = 0;
    for (int32_t d = lane; d < dim; d += 32) squares = device::Fma(in[d], in[d], squares);
    scale = 1.0f / device::Sqrt(WarpSum(squares) / static_cast<float>(dim) + args.eps);
  }
  const auto value = [&](int32_t d) { return norm == nullptr ? in[d] : in[d] * scale * norm[d]; };
  if (args.cosines == nullptr) {
    for (int32_t d = lane; d < dim; d += 32) out[d] = F16Bits(value(d) * factor);
    return;
  }
  const int32_t half = dim / 2;
  for (int32_t d = lane; d < half; d += 32) {
    const float a = value(d), b = value(d + half);
    const float c = args.cosines[int64_t{row} * half + d], s = args.sines[int64_t{row} * half + d];
    out[d] = F16Bits((a * c - b * s) * factor);
    out[d + half] = F16Bits((b * c + a * s) * factor);
  }
}

}  // namespace jikji::kernels::gpu
