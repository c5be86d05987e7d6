#include "model/gpu/gpu_scratch.h"

#include <algorithm>

#include "device/arena.h"
#include "kernels/gpu/attention_plan.h"
#include "kernels/gpu/ops.h"
#include "model/gpu/gpu_adapters.h"
#include "model/gpu/gpu_inputs.h"

namespace jikji {
namespace {

// Parts beyond those of rows that are not split. A stream at 128k tokens has 256 chunks for each KV
// head; some thousand warps fill any chip.
constexpr int64_t kSplitParts = 4096;

}  // namespace

uint64_t GpuScratch::Place(std::byte* base, const DecoderSpec& spec, const GpuLimits& limits) {
  using kernels::gpu::RowStride;
  const int64_t rows = limits.rows;
  const auto heads = static_cast<int32_t>(spec.heads);
  const auto kv_heads = static_cast<int32_t>(spec.kv_heads);
  const auto head_dim = static_cast<int32_t>(spec.head_dim);
  const int64_t query_width = spec.heads * spec.head_dim;
  const int64_t key_width = spec.kv_heads * spec.head_dim;
  uint64_t used = 0;
  const auto place = [&]<class T>(T*& to, uint64_t count) {
    to = reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(base) + used);
    used += device::Arena::Rounded(count * sizeof(T));
  };
  const auto each_row = [&]<class T>(T*& to, int64_t width) {
    place(to, static_cast<uint64_t>(rows * width));
  };
  each_row(x, spec.hidden);
  each_row(kept_x, spec.hidden);
  each_row(normed, RowStride(spec.hidden));
  each_row(query, query_width);
  each_row(key, key_width);
  each_row(value, key_width);
  each_row(finished_query, query_width);
  each_row(attended, RowStride(query_width));
  each_row(kept_attended, RowStride(query_width));
  each_row(gate, spec.intermediate);
  each_row(up, spec.intermediate);
  each_row(activated, RowStride(spec.intermediate));
  each_row(added, spec.hidden);
  each_row(cosines, spec.head_dim / 2);
  each_row(sines, spec.head_dim / 2);
  place(inv_freq, static_cast<uint64_t>(spec.head_dim / 2));
  place(logits, static_cast<uint64_t>(kGpuLogitRows * std::max(spec.vocab, limits.adapter_vocab)));
  each_row(low, limits.adapter_rank);
  place(adapter_table, GpuAdapters::TableBytes(spec, limits));
  place(chosen, static_cast<uint64_t>(rows));
  most_parts = rows * kernels::gpu::UnsplitParts(1, heads, kv_heads) + kSplitParts;
  place(parts, kernels::gpu::PartBytes(most_parts, head_dim) / sizeof(float));
  input_bytes = GpuInputs::Bytes(spec, limits, most_parts);
  place(inputs, input_bytes);
  return used;
}

uint64_t GpuScratch::Bytes(const DecoderSpec& spec, const GpuLimits& limits) {
  return GpuScratch().Place(nullptr, spec, limits);
}

Result<> GpuScratch::Create(device::Device& device, const DecoderSpec& spec,
                            const GpuLimits& limits) {
  JIKJI_ASSIGN(memory_, device.Allocate(Bytes(spec, limits)));
  Place(memory_.data(), spec, limits);
  const auto clear = [&](uint16_t* from, int64_t width) {
    return device.Fill(reinterpret_cast<std::byte*>(from), 0,
                       static_cast<uint64_t>(limits.rows * kernels::gpu::RowStride(width)) * 2);
  };
  JIKJI_RETURN_IF_ERROR(clear(normed, spec.hidden));
  JIKJI_RETURN_IF_ERROR(clear(attended, spec.heads * spec.head_dim));
  JIKJI_RETURN_IF_ERROR(clear(kept_attended, spec.heads * spec.head_dim));
  return clear(activated, spec.intermediate);
}

}  // namespace jikji
