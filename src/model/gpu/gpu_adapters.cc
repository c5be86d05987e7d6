#include "model/gpu/gpu_adapters.h"

#include <fmt/format.h>

#include <algorithm>

#include "device/staging.h"
#include "tensor/tensor.h"

namespace jikji {
namespace {

using kernels::gpu::DeviceMatrix;

uint64_t BytesOf(int64_t values) {
  return device::Arena::Rounded(static_cast<uint64_t>(values) * sizeof(float));
}

Result<const float*> Put(device::Device& device, device::Arena& memory,
                         std::span<const float> values) {
  JIKJI_ASSIGN(std::byte* const to, memory.Take(values.size() * sizeof(float)));
  JIKJI_RETURN_IF_ERROR(device.CopyToDevice(to, values.data(), values.size_bytes()));
  return reinterpret_cast<const float*>(to);
}

// [rows, cols] to [cols, rows].
std::vector<float> Transposed(std::span<const float> values, size_t rows, size_t cols) {
  std::vector<float> out(values.size());
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) out[c * rows + r] = values[r * cols + c];
  }
  return out;
}

// DoRA's gains, of the base's rows as they are multiplied with.
Result<std::vector<float>> GainsOf(const AdaptedMatrix& matrix, float scale,
                                   std::span<const WeightSource> base, ThreadPool& pool) {
  const auto of = std::ranges::find_if(base, [&](const WeightSource& source) {
    return source.need.role == matrix.role && source.need.layer == matrix.layer;
  });
  if (of == base.end()) {
    return Fail(ErrorCode::kInternal, "an adapter's matrix is of no projection of the base");
  }
  JIKJI_ASSIGN(const LowRankRows added, LowRankRows::Unpack(matrix, scale));
  const TensorView& stored = *of->tensor;
  return added.Gains(
      stored.rows(), stored.cols(),
      [&](int64_t r, std::span<float> row) {
        if (!of->row_order.empty()) r = of->row_order[static_cast<size_t>(r)];
        (void)UnpackRows(stored, r, 1, row);  // a row that there is
      },
      pool);
}

Result<kernels::gpu::AdapterPart> PutMatrix(device::Device& device, device::Arena& memory,
                                            const AdaptedMatrix& matrix, float scale,
                                            const GpuCut& cut, std::span<const WeightSource> base,
                                            ThreadPool& pool) {
  const auto rank = static_cast<size_t>(matrix.b.cols());
  const GpuCut::Rows own = cut.Of(matrix.role, matrix.b.rows());
  const auto first = static_cast<size_t>(own.first), rows = static_cast<size_t>(own.count);
  JIKJI_ASSIGN(const std::vector<float> a, UnpackTensor(matrix.a));
  JIKJI_ASSIGN(const std::vector<float> b, UnpackTensor(matrix.b));
  kernels::gpu::AdapterPart part;
  JIKJI_ASSIGN(part.a, Put(device, memory, a));
  JIKJI_ASSIGN(
      part.b,
      Put(device, memory, Transposed(std::span(b).subspan(first * rank, rows * rank), rows, rank)));
  part.rank = static_cast<int32_t>(rank);
  part.scale = scale;
  if (matrix.magnitude.data.empty()) return part;
  JIKJI_ASSIGN(const std::vector<float> gains, GainsOf(matrix, scale, base, pool));
  JIKJI_ASSIGN(part.gain, Put(device, memory, std::span(gains).subspan(first, rows)));
  return part;
}

// Copies the rows of an embedding or a head, where the adapter has them.
Result<> PutRows(device::Device& device, device::Arena& memory, const TensorView& rows,
                 ThreadPool& pool, DeviceMatrix& to) {
  if (rows.data.empty()) return {};
  constexpr uint64_t kPieceBytes = 8ull << 20;
  const uint64_t bytes = DeviceMatrix::Bytes(rows.dtype, rows.rows(), rows.cols());
  const uint64_t least = DeviceMatrix::Bytes(rows.dtype, kernels::gpu::kTileRows, rows.cols());
  JIKJI_ASSIGN(device::Staging staging,
               device::Staging::Create(device, std::max(std::min(bytes, kPieceBytes), least)));
  JIKJI_ASSIGN(std::byte* const at, memory.Take(bytes));
  JIKJI_ASSIGN(to, DeviceMatrix::Upload(device, staging, at, rows, {}, pool));
  return {};
}

}  // namespace

Result<uint64_t> GpuAdapterBytes(const PeftAdapter& adapter, const GpuCut& cut) {
  if (!cut.whole() && (!adapter.embedding.data.empty() || !adapter.head.data.empty())) {
    return Fail(ErrorCode::kUnsupported,
                "an adapter with an embedding or a head of its own is not served yet by a model "
                "that is cut over several GPUs: merge it with `jikji adapt merge`, or leave "
                "--tensor-parallel out",
                adapter.path.string());
  }
  uint64_t bytes = 0;
  for (const AdaptedMatrix& matrix : adapter.matrices) {
    const int64_t rows = cut.Of(matrix.role, matrix.b.rows()).count;
    bytes += BytesOf(matrix.a.values()) + BytesOf(rows * matrix.b.cols());
    if (!matrix.magnitude.data.empty()) bytes += BytesOf(rows);
  }
  for (const TensorView* rows : {&adapter.embedding, &adapter.head}) {
    if (rows->data.empty()) continue;
    bytes += device::Arena::Rounded(DeviceMatrix::Bytes(rows->dtype, rows->rows(), rows->cols()));
  }
  return bytes;
}

uint64_t GpuAdapters::TableBytes(const DecoderSpec& spec, const GpuLimits& limits) {
  return spec.layers.size() * AdapterTargets().size() * static_cast<uint64_t>(limits.adapters) *
         sizeof(kernels::gpu::AdapterPart);
}

GpuAdapters::GpuAdapters(const DecoderSpec& spec, const GpuLimits& limits, const GpuCut& cut,
                         std::byte* table)
    : limits_(limits),
      cut_(cut),
      most_vocab_(std::max(spec.vocab, limits.adapter_vocab)),
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

Result<int32_t> GpuAdapters::Add(device::Device& device, const PeftAdapter& adapter,
                                 std::span<const WeightSource> base) {
  if (std::cmp_greater_equal(memory_.size(), limits_.adapters) ||
      adapter.config.rank > limits_.adapter_rank || adapter.vocab > most_vocab_) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("an adapter of rank {} for {} tokens is beyond what the GPU's memory "
                            "was planned for",
                            adapter.config.rank, adapter.vocab),
                adapter.path.string());
  }
  JIKJI_ASSIGN(const uint64_t bytes, GpuAdapterBytes(adapter, cut_));
  JIKJI_ASSIGN(device::Arena memory, device::Arena::Create(device, bytes));
  ThreadPool pool(UsableCores());
  std::vector<kernels::gpu::AdapterPart> parts = parts_;
  for (const AdaptedMatrix& matrix : adapter.matrices) {
    const size_t at = IndexOf(static_cast<size_t>(matrix.layer), matrix.role) + memory_.size();
    JIKJI_ASSIGN(parts[at],
                 PutMatrix(device, memory, matrix, adapter.config.scale(), cut_, base, pool));
  }
  GpuVocabulary own;
  JIKJI_RETURN_IF_ERROR(PutRows(device, memory, adapter.embedding, pool, own.embedding));
  JIKJI_RETURN_IF_ERROR(PutRows(device, memory, adapter.head, pool, own.head));
  JIKJI_RETURN_IF_ERROR(
      device.CopyToDevice(table_, parts.data(), parts.size() * sizeof(kernels::gpu::AdapterPart)));
  parts_ = std::move(parts);
  vocabularies_.push_back(own);
  memory_.push_back(std::move(memory));
  return static_cast<int32_t>(memory_.size()) - 1;
}

}  // namespace jikji
