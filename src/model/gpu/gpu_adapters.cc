#include "model/gpu/gpu_adapters.h"

#include <fmt/format.h>

#include <algorithm>

#include "tensor/tensor.h"

namespace jikji {
namespace {

uint64_t BytesOf(const TensorView& tensor) {
  return device::Arena::Rounded(static_cast<uint64_t>(tensor.values()) * sizeof(float));
}

Result<const float*> Put(device::Device& device, device::Arena& memory,
                         const std::vector<float>& values) {
  JIKJI_ASSIGN(std::byte* const to, memory.Take(values.size() * sizeof(float)));
  JIKJI_RETURN_IF_ERROR(device.CopyToDevice(to, values.data(), values.size() * sizeof(float)));
  return reinterpret_cast<const float*>(to);
}

// [rows, cols] to [cols, rows].
std::vector<float> Transposed(const std::vector<float>& values, size_t rows, size_t cols) {
  std::vector<float> out(values.size());
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) out[c * rows + r] = values[r * cols + c];
  }
  return out;
}

}  // namespace

Result<uint64_t> GpuAdapterBytes(const PeftAdapter& adapter) {
  if (adapter.config.dora || !adapter.embedding.data.empty() || !adapter.head.data.empty()) {
    return Fail(ErrorCode::kUnsupported,
                "adapters with DoRA, or with an embedding or a head of their own, are not served "
                "on a GPU yet: merge it with `jikji adapt merge`, or serve on the processor",
                adapter.path.string());
  }
  uint64_t bytes = 0;
  for (const AdaptedMatrix& matrix : adapter.matrices) {
    bytes += BytesOf(matrix.a) + BytesOf(matrix.b);
  }
  return bytes;
}

uint64_t GpuAdapters::TableBytes(const DecoderSpec& spec, const GpuLimits& limits) {
  return spec.layers.size() * AdapterTargets().size() * static_cast<uint64_t>(limits.adapters) *
         sizeof(kernels::gpu::AdapterPart);
}

GpuAdapters::GpuAdapters(const DecoderSpec& spec, const GpuLimits& limits, std::byte* table)
    : limits_(limits),
      table_(table),
      parts_(spec.layers.size() * AdapterTargets().size() * static_cast<size_t>(limits.adapters)) {}

size_t GpuAdapters::IndexOf(size_t layer, TensorRole projection) const {
  const auto targets = AdapterTargets();
  const auto found = std::ranges::find(targets, projection, &AdapterTarget::role);
  const auto number = static_cast<size_t>(found - targets.begin());
  return (layer * targets.size() + number) * static_cast<size_t>(limits_.adapters);
}

const kernels::gpu::AdapterPart* GpuAdapters::PartsOf(size_t layer, TensorRole projection) const {
  return reinterpret_cast<const kernels::gpu::AdapterPart*>(table_) + IndexOf(layer, projection);
}

Result<int32_t> GpuAdapters::Add(device::Device& device, const PeftAdapter& adapter) {
  JIKJI_ASSIGN(const uint64_t bytes, GpuAdapterBytes(adapter));
  if (std::cmp_greater_equal(memory_.size(), limits_.adapters) ||
      adapter.config.rank > limits_.adapter_rank) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("an adapter of rank {} is beyond what the GPU's memory was planned for",
                            adapter.config.rank),
                adapter.path.string());
  }
  JIKJI_ASSIGN(device::Arena memory, device::Arena::Create(device, bytes));
  for (const AdaptedMatrix& matrix : adapter.matrices) {
    const auto rank = static_cast<size_t>(matrix.b.cols());
    JIKJI_ASSIGN(const std::vector<float> a, UnpackTensor(matrix.a));
    JIKJI_ASSIGN(const std::vector<float> b, UnpackTensor(matrix.b));
    kernels::gpu::AdapterPart& part =
        parts_[IndexOf(static_cast<size_t>(matrix.layer), matrix.role) + memory_.size()];
    JIKJI_ASSIGN(part.a, Put(device, memory, a));
    JIKJI_ASSIGN(part.b,
                 Put(device, memory, Transposed(b, static_cast<size_t>(matrix.b.rows()), rank)));
    part.rank = static_cast<int32_t>(rank);
    part.scale = adapter.config.scale();
  }
  memory_.push_back(std::move(memory));
  JIKJI_RETURN_IF_ERROR(device.CopyToDevice(table_, parts_.data(),
                                            parts_.size() * sizeof(kernels::gpu::AdapterPart)));
  return static_cast<int32_t>(memory_.size()) - 1;
}

}  // namespace jikji
