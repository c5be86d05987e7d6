#include "kernels/matmul.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <optional>
#include <string>

#include "kernels/isa.h"
#include "kernels/matmul_variant.h"
#include "tensor/quant/blocks.h"

namespace jikji::kernels {
namespace {

const MatMulVariant& Variant() {
#if defined(__x86_64__)
  switch (ActiveIsa()) {
    case Isa::kAvx512:
      return kMatMulAvx512;
    case Isa::kAvx2:
      return kMatMulAvx2;
    case Isa::kPortable:
      break;
  }
#endif
  return kMatMulPortable;
}

// A chunk of work must be worth handing to another thread, which costs about a microsecond: this
// many bytes of weights take several, even from cache.
constexpr int64_t kMinChunkBytes = 64 << 10;
// With many tokens a chunk of weights is read once per tile of tokens: it should stay in the
// second-level cache, of which servers' cores have 512 KiB or more. Larger chunks read the
// activations less often.
constexpr int64_t kMaxChunkBytes = 256 << 10;
constexpr int64_t kRowMultiple = 8;  // the widest row tile

int64_t RowsPerChunk(const WeightMatrix& w, int64_t tokens, int64_t threads) {
  const int64_t row_bytes = static_cast<int64_t>(w.bytes()) / w.rows();
  // Four tokens cost about as much as reading the weights once from memory.
  const int64_t row_cost = row_bytes * std::max<int64_t>(1, tokens / 4);
  const int64_t least = kMinChunkBytes / row_cost + 1;
  const int64_t most = tokens > 1 ? std::max<int64_t>(1, kMaxChunkBytes / row_bytes) : w.rows();
  // Several chunks for each thread, since threads are seldom equally fast.
  const int64_t even = w.rows() / (threads * 8) + 1;
  const int64_t chosen = std::max(least, std::min(even, most));
  return (chosen + kRowMultiple - 1) / kRowMultiple * kRowMultiple;
}

// Grows and is kept for the thread's next call.
struct Scratch {
  std::vector<int8_t> quants;
  std::vector<float> scales;
  std::vector<float> sums;
};

void QuantiseActivations(const MatMulVariant& variant, uint8_t flip, const float* x, int64_t tokens,
                         int64_t cols, Scratch& scratch, Activations& out, ThreadPool& pool) {
  const int64_t used = cols / kGroup;
  out.groups = (used + 1) / 2 * 2;
  const auto groups = static_cast<size_t>(tokens * out.groups);
  if (scratch.scales.size() < groups) {
    scratch.quants.resize(groups * kGroup);
    scratch.scales.resize(groups);
    scratch.sums.resize(groups);
  }
  const auto quantise = [&](size_t begin, size_t end) {
    for (auto t = static_cast<int64_t>(begin); t < static_cast<int64_t>(end); ++t) {
      const int64_t group = t * out.groups;
      variant.quantise(x + t * cols, used, flip, &scratch.quants[group * kGroup],
                       &scratch.scales[group], &scratch.sums[group]);
      if (used == out.groups) continue;
      std::fill_n(&scratch.quants[(group + used) * kGroup], kGroup, static_cast<int8_t>(flip));
      scratch.scales[group + used] = 0.0f;
      scratch.sums[group + used] = 0.0f;
    }
  };
  const int64_t grain = 16384 / cols + 1;  // tokens of several microseconds
  pool.ParallelFor(static_cast<size_t>(tokens), static_cast<size_t>(grain), quantise);
  out.quants = scratch.quants.data();
  out.scales = scratch.scales.data();
  out.sums = scratch.sums.data();
}

}  // namespace

Result<WeightMatrix> WeightMatrix::Prepare(const TensorView& weights,
                                           std::span<const int32_t> row_order) {
  const auto fail = [&](std::string message) {
    return Fail(ErrorCode::kMalformed, std::move(message), weights.name);
  };
  if (weights.shape.empty()) return fail("a weight matrix needs at least one dimension");
  for (int64_t size : weights.shape) {
    if (size <= 0) return fail("a weight matrix has a dimension of " + std::to_string(size));
  }
  WeightMatrix out;
  out.dtype_ = weights.dtype;
  out.cols_ = weights.cols();
  out.rows_ = weights.rows();
  const std::optional<uint64_t> row_bytes =
      RowBytes(weights.dtype, static_cast<uint64_t>(out.cols_));
  if (!row_bytes) {
    return fail("rows of " + std::to_string(out.cols_) + " values are no whole number of " +
                std::string(DTypeName(weights.dtype)) + " blocks");
  }
  const uint64_t size = weights.data.size();
  if (size % *row_bytes != 0 || size / *row_bytes != static_cast<uint64_t>(out.rows_)) {
    return fail("its bytes do not fit its shape");
  }
  out.row_bytes_ = static_cast<int64_t>(*row_bytes);
  if (row_order.empty()) {
    out.data_ = weights.data.data();
    return out;
  }
  for (int32_t row : row_order) {
    if (row < 0 || row >= out.rows_) return fail("row order names row " + std::to_string(row));
  }
  try {
    out.owned_ = std::make_shared_for_overwrite<std::byte[]>(row_order.size() * *row_bytes);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kResourceExhausted, "no memory to reorder its rows", weights.name);
  }
  for (size_t i = 0; i < row_order.size(); ++i) {
    std::memcpy(out.owned_.get() + i * *row_bytes,
                weights.data.data() + static_cast<size_t>(row_order[i]) * *row_bytes, *row_bytes);
  }
  out.rows_ = static_cast<int64_t>(row_order.size());
  out.data_ = out.owned_.get();
  return out;
}

uint64_t WeightMatrix::bytes() const { return static_cast<uint64_t>(rows_ * row_bytes_); }

void MatMul(const WeightMatrix& w, const float* x, int64_t tokens, float* y, ThreadPool& pool) {
  if (tokens <= 0 || w.rows() == 0) return;
  const MatMulVariant& variant = Variant();
  const MatMulKernel kernel = variant.kernel(w.dtype());
  Activations activations{.values = x, .cols = w.cols(), .tokens = tokens};
  if (IsQuantised(w.dtype())) {
    thread_local Scratch scratch;
    QuantiseActivations(variant, kernel.flip, x, tokens, w.cols(), scratch, activations, pool);
  }
  const int64_t row_bytes = static_cast<int64_t>(w.bytes()) / w.rows();
  const int64_t grain = RowsPerChunk(w, tokens, static_cast<int64_t>(pool.size()));
  pool.ParallelFor(
      static_cast<size_t>(w.rows()), static_cast<size_t>(grain), [&](size_t begin, size_t end) {
        const auto first = static_cast<int64_t>(begin);
        const WeightRows rows{w.Row(first), row_bytes, static_cast<int64_t>(end - begin)};
        kernel.rows(rows, activations, y + first, w.rows());
      });
}

void GatherRows(const WeightMatrix& w, std::span<const int32_t> ids, float* out) {
  VisitBlock(w.dtype(), [&]<class Block>() {
    for (size_t i = 0; i < ids.size(); ++i) {
      const std::byte* row = w.Row(ids[i]);
      float* to = out + static_cast<int64_t>(i) * w.cols();
      for (int64_t c = 0; c < w.cols(); c += Block::kValues) {
        Block block;  // copied, since a file may hold it at any address
        std::memcpy(&block, row + c / Block::kValues * sizeof(Block), sizeof(Block));
        block.Unpack(to + c);
      }
    }
  });
}

}  // namespace jikji::kernels
