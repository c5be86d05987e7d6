#include "adapt/train/matrix.h"

#include <algorithm>
#include <cstring>
#include <new>
#include <string>

#include "kernels/gemm.h"
#include "kernels/pointwise_backward.h"
#include "tensor/quant/blocks.h"

namespace jikji::train {
namespace {

// Values unpacked at a time: 4 MiB of f32 stay in the last-level cache until they are packed, and
// are enough rows that packing the activations for each block does not count.
constexpr int64_t kBlockValues = 1 << 20;

}  // namespace

Matrix Matrix::InF32(std::span<float> value, std::span<float> gradient, int64_t cols) {
  Matrix m;
  m.rows_ = static_cast<int64_t>(value.size()) / cols;
  m.cols_ = cols;
  m.value_ = value;
  m.gradient_ = gradient;
  return m;
}

Matrix Matrix::FrozenThenTrained(const TensorView& frozen, std::span<float> value,
                                 std::span<float> gradient) {
  Matrix m = Frozen(frozen);
  m.rows_ += static_cast<int64_t>(value.size()) / m.cols_;
  m.value_ = value;
  m.gradient_ = gradient;
  return m;
}

Matrix Matrix::Frozen(const TensorView& view) {
  Matrix m;
  m.rows_ = m.frozen_ = view.rows();
  m.cols_ = view.cols();
  m.view_ = view;
  return m;
}

Result<Matrix> Matrix::FrozenAs(const TensorView& view, DType dtype) {
  if (view.dtype == dtype) return Frozen(view);
  const auto row_bytes = RowBytes(dtype, static_cast<uint64_t>(view.cols()));
  if (!row_bytes) {
    return Fail(ErrorCode::kUnsupported,
                "rows of " + std::to_string(view.cols()) + " values cannot become " +
                    std::string(DTypeName(dtype)),
                view.name);
  }
  Matrix m = Frozen(view);
  const auto rows = static_cast<uint64_t>(m.rows_);
  try {
    m.owned_ = std::make_shared<std::vector<std::byte>>(rows * *row_bytes);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kResourceExhausted, "no memory to quantise it", view.name);
  }
  std::vector<float> row(static_cast<size_t>(m.cols_));
  for (int64_t r = 0; r < m.rows_; ++r) {
    JIKJI_RETURN_IF_ERROR(UnpackRows(view, r, 1, row));
    std::byte* to = m.owned_->data() + static_cast<uint64_t>(r) * *row_bytes;
    VisitBlock(dtype, [&]<class Block>() {
      for (size_t c = 0; c < row.size(); c += Block::kValues, to += sizeof(Block)) {
        const Block block = Block::Pack(&row[c]);
        std::memcpy(to, &block, sizeof block);
      }
    });
  }
  m.view_.dtype = dtype;
  m.view_.data = *m.owned_;
  return m;
}

template <class Body>
void Matrix::ForEachBlock(ThreadPool& pool, const Body& body) const {
  thread_local std::vector<float> kept;
  std::vector<float>& block = kept;
  const int64_t step = std::max<int64_t>(1, kBlockValues / cols_);
  const auto wanted = static_cast<size_t>(std::min(step, frozen_) * cols_);
  if (block.size() < wanted) block.resize(wanted);
  for (int64_t first = 0; first < frozen_; first += step) {
    const int64_t count = std::min(step, frozen_ - first);
    pool.ParallelFor(static_cast<size_t>(count), 16, [&](size_t begin, size_t end) {
      const auto at = static_cast<int64_t>(begin), rows = static_cast<int64_t>(end - begin);
      // It fails for rows that do not exist, which these do.
      (void)UnpackRows(view_, first + at, rows,
                       std::span(block).subspan(begin * static_cast<size_t>(cols_),
                                                static_cast<size_t>(rows * cols_)));
    });
    body(first, count, block.data());
  }
  if (frozen_ < rows_) body(frozen_, rows_ - frozen_, value_.data());
}

void Matrix::Forward(const float* x, int64_t tokens, float* y, bool accumulate,
                     ThreadPool& pool) const {
  ForEachBlock(pool, [&](int64_t first, int64_t count, const float* w) {
    kernels::Gemm({tokens, count, cols_}, kernels::Plain(x, cols_), kernels::Transposed(w, cols_),
                  y + first, rows_, accumulate, pool);
  });
}

void Matrix::BackwardInput(const float* d_y, int64_t tokens, float* d_x, bool accumulate,
                           ThreadPool& pool) const {
  ForEachBlock(pool, [&](int64_t first, int64_t count, const float* w) {
    kernels::Gemm({tokens, cols_, count}, kernels::Plain(d_y + first, rows_),
                  kernels::Plain(w, cols_), d_x, cols_, accumulate || first > 0, pool);
  });
}

void Matrix::BackwardWeight(const float* x, const float* d_y, int64_t tokens,
                            ThreadPool& pool) const {
  if (!trained()) return;
  kernels::Gemm({rows_ - frozen_, cols_, tokens}, kernels::Transposed(d_y + frozen_, rows_),
                kernels::Plain(x, cols_), gradient_.data(), cols_, true, pool);
}

void Matrix::SumNorms(const Matrix& a, const Matrix& b, float scale, float* out,
                      ThreadPool& pool) const {
  const int64_t rank = a.rows();
  std::vector<float> scaled(b.value_.begin(), b.value_.end());
  kernels::Scale(scaled.data(), static_cast<int64_t>(scaled.size()), scale, pool);
  std::vector<float> sum;
  ForEachBlock(pool, [&](int64_t first, int64_t count, const float* w) {
    sum.assign(w, w + count * cols_);
    kernels::Gemm({count, cols_, rank}, kernels::Plain(scaled.data() + first * rank, rank),
                  kernels::Plain(a.value_.data(), cols_), sum.data(), cols_, true, pool);
    kernels::RowNorms(sum.data(), count, cols_, out + first, pool);
  });
}

void Matrix::Gather(std::span<const int32_t> ids, float factor, float* out,
                    ThreadPool& pool) const {
  pool.ParallelFor(ids.size(), 16, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const std::span<float> to(out + static_cast<int64_t>(i) * cols_, static_cast<size_t>(cols_));
      if (ids[i] < frozen_) {
        (void)UnpackRows(view_, ids[i], 1, to);
      } else {
        std::copy_n(value_.data() + (ids[i] - frozen_) * cols_, cols_, to.data());
      }
    }
  });
  kernels::Scale(out, static_cast<int64_t>(ids.size()) * cols_, factor, pool);
}

void Matrix::GatherBackward(const float* d_x, std::span<const int32_t> ids, float factor,
                            ThreadPool& pool) const {
  if (!trained()) return;
  std::vector<int32_t> trained(ids.begin(), ids.end());  // below zero: of frozen rows
  for (int32_t& id : trained) id -= static_cast<int32_t>(frozen_);
  kernels::GatherRowsBackward(d_x, trained, cols_, factor, gradient_.data(), pool);
}

}  // namespace jikji::train
