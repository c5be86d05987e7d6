#include "kernels/weight_matrix.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>

#include "kernels/weight_panels.h"

namespace jikji::kernels {
namespace {

// Room for many matrices of a small model, and a few large pages at least.
constexpr uint64_t kSlabBytes = 64ull << 20;
constexpr uint64_t kLargePage = 2ull << 20;

struct Unmap {
  std::byte* mapped;
  uint64_t bytes;
  void operator()(std::byte*) const { munmap(mapped, bytes); }
};

constexpr int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class Step>
constexpr int64_t kBlocks = Step::kColumns / Step::Block::kValues;

template <class Step>
Step* StepAt(std::byte* panel, int64_t step) {
  return reinterpret_cast<Step*>(panel) + step;
}

// Packs the rows whose first bytes are `rows` (null: none) into a panel.
template <class Step>
void PackPanel(const std::byte* const (&rows)[kPanelRows], int64_t cols, std::byte* panel) {
  using Block = typename Step::Block;
  const int64_t blocks = cols / Block::kValues;
  for (int64_t b = 0; b < blocks; ++b) {
    Step& step = *StepAt<Step>(panel, b / kBlocks<Step>);
    for (int row = 0; row < kPanelRows; ++row) {
      if (rows[row] == nullptr) break;
      Block block;  // copied, since a file may hold it at any address
      std::memcpy(&block, rows[row] + b * sizeof(Block), sizeof(Block));
      step.Put(row, static_cast<int>(b % kBlocks<Step>), block);
    }
  }
}

}  // namespace

Result<std::shared_ptr<std::byte[]>> WeightMemory::Allocate(uint64_t bytes) {
  bytes = (bytes + 63) / 64 * 64;
  if (slab_ == nullptr || slab_bytes_ - used_ < bytes) {
    const uint64_t size = std::max(kSlabBytes, bytes) + kLargePage;
    void* mapped = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
      return Fail(ErrorCode::kResourceExhausted,
                  "no memory for " + std::to_string(bytes) + " bytes of weights");
    }
    // Advice only: where large pages are not to be had, small ones do.
    madvise(mapped, size, MADV_HUGEPAGE);
    auto* const start = static_cast<std::byte*>(mapped);
    const uint64_t skip =
        (kLargePage - reinterpret_cast<uintptr_t>(start) % kLargePage) % kLargePage;
    slab_ = std::shared_ptr<std::byte[]>(start + skip, Unmap{start, size});
    slab_bytes_ = size - skip;
    used_ = 0;
  }
  std::shared_ptr<std::byte[]> part(slab_, slab_.get() + used_);
  used_ += bytes;
  return part;
}

uint64_t WeightMatrix::PackedBytes(DType dtype, int64_t rows, int64_t cols) {
  return VisitStep(dtype, [&]<class Step>() {
    return static_cast<uint64_t>(CeilDiv(rows, kPanelRows)) *
           static_cast<uint64_t>(CeilDiv(cols, Step::kColumns)) * sizeof(Step);
  });
}

int64_t WeightMatrix::panels() const { return CeilDiv(rows_, kPanelRows); }

int64_t WeightMatrix::steps() const {
  return VisitStep(dtype_, [&]<class Step>() { return CeilDiv(cols_, Step::kColumns); });
}

Result<WeightMatrix> WeightMatrix::Prepare(const TensorView& weights, WeightMemory& memory,
                                           ThreadPool& pool, std::span<const int32_t> row_order) {
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
  for (int32_t row : row_order) {
    if (row < 0 || row >= out.rows_) return fail("row order names row " + std::to_string(row));
  }
  if (!row_order.empty()) out.rows_ = static_cast<int64_t>(row_order.size());
  const uint64_t bytes = PackedBytes(out.dtype_, out.rows_, out.cols_);
  out.panel_bytes_ = static_cast<int64_t>(bytes) / out.panels();
  JIKJI_ASSIGN(out.data_, memory.Allocate(bytes));
  const auto source = [&](int64_t row) -> const std::byte* {
    if (row >= out.rows_) return nullptr;
    const int64_t from = row_order.empty() ? row : row_order[static_cast<size_t>(row)];
    return weights.data.data() + static_cast<uint64_t>(from) * *row_bytes;
  };
  VisitStep(out.dtype_, [&]<class Step>() {
    pool.ParallelFor(static_cast<size_t>(out.panels()), 1, [&](size_t begin, size_t end) {
      for (auto panel = static_cast<int64_t>(begin); panel < static_cast<int64_t>(end); ++panel) {
        const std::byte* rows[kPanelRows];
        for (int row = 0; row < kPanelRows; ++row) rows[row] = source(panel * kPanelRows + row);
        PackPanel<Step>(rows, out.cols_, out.data_.get() + panel * out.panel_bytes_);
      }
    });
  });
  return out;
}

void GatherRows(const WeightMatrix& w, std::span<const int32_t> ids, float* out) {
  VisitStep(w.dtype(), [&]<class Step>() {
    using Block = typename Step::Block;
    const int64_t blocks = w.cols() / Block::kValues;
    for (const int32_t id : ids) {
      const auto* steps = reinterpret_cast<const Step*>(w.Panel(id / kPanelRows));
      for (int64_t b = 0; b < blocks; ++b, out += Block::kValues) {
        const Step& step = steps[b / kBlocks<Step>];
        step.Get(id % kPanelRows, static_cast<int>(b % kBlocks<Step>)).Unpack(out);
      }
    }
  });
}

}  // namespace jikji::kernels
