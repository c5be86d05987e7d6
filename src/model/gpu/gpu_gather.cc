#include "model/gpu/gpu_gather.h"

#include <algorithm>
#include <utility>

#include "device/arena.h"
#include "kernels/gpu/ops.h"
#include "kernels/gpu/parts.h"

namespace jikji {

using kernels::gpu::RowStride;

namespace {

template <class T>
Result<> PlaceParts(device::Device& device,
                    const device::Kernel<kernels::gpu::PlacePartsArgs<T>>& kernel, int64_t rows,
                    const kernels::gpu::PlacePartsArgs<T>& args) {
  constexpr int32_t kBlock = 256;
  return device.Launch(
      kernel,
      {static_cast<uint32_t>((args.width + kBlock - 1) / kBlock), static_cast<uint32_t>(rows)},
      args);
}

}  // namespace

uint64_t GpuGather::Place(std::byte* base, const DecoderSpec& spec, const GpuLimits& limits,
                          const GpuCut& cut) {
  if (cut.whole()) return 0;
  cut_ = cut;
  hidden_ = spec.hidden;
  vocab_ = spec.vocab;
  attended_width_ = spec.heads * spec.head_dim;
  activated_width_ = spec.intermediate;
  const int64_t rows = limits.rows;
  const int64_t sums = std::max(rows * cut.Part(hidden_), kGpuLogitRows * cut.Part(vocab_));
  const int64_t vectors = rows * std::max(RowStride(attended_width_ / cut.ranks),
                                          RowStride(cut.Part(activated_width_)));
  uint64_t used = 0;
  const auto place = [&]<class T>(T*& to, int64_t count) {
    to = reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(base) + used);
    used += device::Arena::Rounded(static_cast<uint64_t>(count) * sizeof(T));
  };
  place(part_, sums);
  place(gathered_, cut.ranks * std::max<int64_t>(sums * int64_t{sizeof(float)},
                                                 vectors * int64_t{sizeof(uint16_t)}));
  place(attended_, rows * RowStride(attended_width_));
  place(activated_, rows * RowStride(activated_width_));
  return used;
}

uint64_t GpuGather::Bytes(const DecoderSpec& spec, const GpuLimits& limits, const GpuCut& cut) {
  return GpuGather().Place(nullptr, spec, limits, cut);
}

Result<> GpuGather::Create(device::Device& device, const DecoderSpec& spec, const GpuLimits& limits,
                           const GpuCut& cut) {
  if (cut.whole()) return {};
  JIKJI_ASSIGN(memory_, device.Allocate(Bytes(spec, limits, cut)));
  Place(memory_.data(), spec, limits, cut);
  device_ = &device;
  // The columns that fill a row up to whole tiles stay zero.
  for (const auto& [vectors, width] :
       {std::pair{attended_, attended_width_}, {activated_, activated_width_}}) {
    JIKJI_RETURN_IF_ERROR(
        device.Fill(reinterpret_cast<std::byte*>(vectors), 0,
                    static_cast<uint64_t>(limits.rows * RowStride(width)) * sizeof(uint16_t)));
  }
  return {};
}

Result<> GpuGather::Sums(int64_t rows, int64_t width, float* to) {
  if (device_ == nullptr) return {};
  const int64_t part = cut_.Part(width);
  JIKJI_RETURN_IF_ERROR(device_->AllGather(reinterpret_cast<const std::byte*>(part_), gathered_,
                                           static_cast<uint64_t>(rows * part) * sizeof(float)));
  return PlaceParts<float>(*device_, kernels::gpu::jikji_place_parts_32, rows,
                           {.from = reinterpret_cast<const float*>(gathered_),
                            .to = to,
                            .slot = rows * part,
                            .part_stride = 0,
                            .stride = width,
                            .part = static_cast<int32_t>(part),
                            .width = static_cast<int32_t>(width)});
}

Result<> GpuGather::Vectors(const uint16_t* part, int64_t rows, int64_t part_width, int64_t width,
                            uint16_t* to) {
  const int64_t stride = RowStride(part_width);
  JIKJI_RETURN_IF_ERROR(
      device_->AllGather(reinterpret_cast<const std::byte*>(part), gathered_,
                         static_cast<uint64_t>(rows * stride) * sizeof(uint16_t)));
  return PlaceParts<uint16_t>(*device_, kernels::gpu::jikji_place_parts_16, rows,
                              {.from = reinterpret_cast<const uint16_t*>(gathered_),
                               .to = to,
                               .slot = rows * stride,
                               .part_stride = stride,
                               .stride = RowStride(width),
                               .part = static_cast<int32_t>(part_width),
                               .width = static_cast<int32_t>(width)});
}

Result<const uint16_t*> GpuGather::Attended(const uint16_t* part, int64_t rows) {
  if (device_ == nullptr) return part;
  JIKJI_RETURN_IF_ERROR(
      Vectors(part, rows, attended_width_ / cut_.ranks, attended_width_, attended_));
  return attended_;
}

Result<const uint16_t*> GpuGather::Activated(const uint16_t* part, int64_t rows) {
  if (device_ == nullptr) return part;
  JIKJI_RETURN_IF_ERROR(
      Vectors(part, rows, cut_.Part(activated_width_), activated_width_, activated_));
  return activated_;
}

}  // namespace jikji
