#include "model/gpu/gpu_weights.h"

#include <algorithm>

#include "model/layer_parts.h"

namespace jikji {
namespace {

using kernels::gpu::DeviceMatrix;

uint64_t BytesOf(const WeightSource& source) {
  const TensorView& tensor = *source.tensor;
  return source.is_vector() ? static_cast<uint64_t>(tensor.values()) * sizeof(float)
                            : DeviceMatrix::Bytes(tensor.dtype, tensor.rows(), tensor.cols());
}

// Bytes of each of the two pieces that matrices go through: long enough for a copy to be at its
// full speed, and for 16 rows of any matrix; no longer than the largest.
uint64_t PieceBytes(std::span<const WeightSource> sources) {
  constexpr uint64_t kPieceBytes = 32ull << 20;
  uint64_t largest = 0, least = 0;
  for (const WeightSource& source : sources) {
    if (source.is_vector()) continue;
    const TensorView& tensor = *source.tensor;
    largest = std::max(largest, BytesOf(source));
    least =
        std::max(least, DeviceMatrix::Bytes(tensor.dtype, kernels::gpu::kTileRows, tensor.cols()));
  }
  return std::max(std::min(largest, kPieceBytes), least);
}

}  // namespace

uint64_t GpuWeightBytes(std::span<const WeightSource> sources) {
  uint64_t bytes = 0;
  for (const WeightSource& source : sources) bytes += device::Arena::Rounded(BytesOf(source));
  return bytes;
}

Result<GpuWeights> LoadGpuWeights(device::Device& device, const Checkpoint& checkpoint,
                                  const DecoderSpec& spec, std::span<const WeightSource> sources,
                                  const std::function<void(double)>& progress) {
  GpuWeights out;
  out.layers.resize(spec.layers.size());
  JIKJI_ASSIGN(out.memory, device::Arena::Create(device, GpuWeightBytes(sources)));
  uint64_t total = 0, done = 0;
  for (const WeightSource& source : sources) total += source.tensor->data.size();
  ThreadPool pool(UsableCores());
  JIKJI_ASSIGN(device::Staging staging, device::Staging::Create(device, PieceBytes(sources)));
  for (const WeightSource& source : sources) {
    JIKJI_ASSIGN(std::byte* const to, out.memory.Take(BytesOf(source)));
    if (source.is_vector()) {
      JIKJI_ASSIGN(const std::vector<float> values, ReadVector(source));
      JIKJI_RETURN_IF_ERROR(device.CopyToDevice(to, values.data(), BytesOf(source)));
      *VectorFor(out, source.need) = reinterpret_cast<const float*>(to);
    } else {
      JIKJI_ASSIGN(
          *MatrixFor(out, source.need),
          DeviceMatrix::Upload(device, staging, to, *source.tensor, source.row_order, pool));
      checkpoint.Release(*source.tensor);
    }
    done += source.tensor->data.size();
    if (progress) progress(static_cast<double>(done) / static_cast<double>(total));
  }
  if (spec.tied_head) out.head = out.embedding;
  JIKJI_RETURN_IF_ERROR(device.Synchronize());
  return out;
}

}  // namespace jikji
