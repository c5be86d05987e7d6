#include "adapt/weights/weight_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>
#include <optional>

#include "base/file.h"
#include "tensor/quant/blocks.h"

namespace jikji {
namespace {

// Values made at a time: enough to keep some threads busy, and 4 MiB as f32.
constexpr int64_t kChunkValues = 1 << 20;

// The first error of several threads.
class FirstError {
 public:
  void Keep(Error error) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = std::move(error);
  }
  Result<> Take() {
    if (error_) return std::unexpected(*std::move(error_));
    return {};
  }

 private:
  std::mutex mutex_;
  std::optional<Error> error_;
};

class TensorCopy {
 public:
  TensorCopy(const PlannedTensor& planned, size_t index, TensorFileWriter& writer, ThreadPool& pool)
      : planned_(planned),
        index_(index),
        writer_(writer),
        pool_(pool),
        rows_(planned.source.rows()),
        cols_(planned.source.cols()) {}

  Result<> Run(const std::function<void(uint64_t)>& read) {
    const auto from = RowBytes(planned_.source.dtype, static_cast<uint64_t>(cols_));
    const auto to = RowBytes(planned_.spec.dtype, static_cast<uint64_t>(cols_));
    JIKJI_ASSIGN(const uint64_t wanted, planned_.spec.Bytes());
    if (!from || !to || wanted != *to * static_cast<uint64_t>(rows_) ||
        (!planned_.row_order.empty() && std::cmp_not_equal(planned_.row_order.size(), rows_))) {
      return Fail(ErrorCode::kInternal, "the plan's shape is not the source's", planned_.spec.name);
    }
    row_in_ = *from;
    row_out_ = *to;
    const int64_t step = std::max<int64_t>(1, kChunkValues / std::max<int64_t>(1, cols_));
    for (int64_t row = 0; row < rows_; row += step) {
      const int64_t count = std::min(step, rows_ - row);
      JIKJI_RETURN_IF_ERROR(planned_.spec.dtype == planned_.source.dtype ? Copy(row, count)
                                                                         : Convert(row, count));
      if (planned_.row_order.empty()) DropMappedPages(Source(row, count));
      read(static_cast<uint64_t>(count) * row_in_);
    }
    DropMappedPages(planned_.source.data);
    return {};
  }

 private:
  std::span<const std::byte> Source(int64_t row, int64_t count) const {
    return planned_.source.data.subspan(static_cast<uint64_t>(row) * row_in_,
                                        static_cast<uint64_t>(count) * row_in_);
  }
  int64_t SourceRow(int64_t row) const {
    return planned_.row_order.empty() ? row : planned_.row_order[static_cast<size_t>(row)];
  }

  Result<> Copy(int64_t first, int64_t count) {
    if (planned_.row_order.empty()) return writer_.Append(index_, Source(first, count));
    packed_.resize(static_cast<size_t>(count) * row_out_);
    for (int64_t i = 0; i < count; ++i) {
      const auto row = Source(SourceRow(first + i), 1);
      std::memcpy(packed_.data() + static_cast<uint64_t>(i) * row_out_, row.data(), row.size());
    }
    return writer_.Append(index_, packed_);
  }

  Result<> Convert(int64_t first, int64_t count) {
    packed_.resize(static_cast<size_t>(count) * row_out_);
    const auto width = static_cast<size_t>(cols_);
    // A task of some thousand values costs more than handing it out.
    const size_t grain = std::max<size_t>(1, (1 << 14) / std::max<size_t>(1, width));
    FirstError error;
    pool_.ParallelFor(static_cast<size_t>(count), grain, [&](size_t begin, size_t end) {
      std::vector<float> values(width);
      for (size_t i = begin; i < end; ++i) {
        const auto row = static_cast<int64_t>(i) + first;
        auto done = UnpackRows(planned_.source, SourceRow(row), 1, values);
        if (done) {
          done = PackInto(values, planned_.spec.dtype,
                          std::span(packed_).subspan(i * row_out_, row_out_));
        }
        if (!done) {
          error.Keep({done.error().code, fmt::format("row {}: {}", row, done.error().message),
                      planned_.spec.name});
          return;
        }
      }
    });
    JIKJI_RETURN_IF_ERROR(error.Take());
    return writer_.Append(index_, packed_);
  }

  const PlannedTensor& planned_;
  size_t index_;
  TensorFileWriter& writer_;
  ThreadPool& pool_;
  int64_t rows_, cols_;
  uint64_t row_in_ = 0, row_out_ = 0;
  std::vector<std::byte> packed_;
};

}  // namespace

std::vector<TensorSpec> SpecsOf(std::span<const PlannedTensor> tensors) {
  std::vector<TensorSpec> specs;
  specs.reserve(tensors.size());
  for (const PlannedTensor& tensor : tensors) specs.push_back(tensor.spec);
  return specs;
}

Result<> WritePlanned(std::span<const PlannedTensor> tensors, TensorFileWriter& writer,
                      ThreadPool& pool, const std::function<void(double)>& progress) {
  uint64_t total = 0;
  for (const PlannedTensor& tensor : tensors) total += tensor.source.data.size();
  uint64_t done = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    TensorCopy copy(tensors[i], i, writer, pool);
    JIKJI_RETURN_IF_ERROR(copy.Run([&](uint64_t bytes) {
      done += bytes;
      if (progress) progress(static_cast<double>(done) / static_cast<double>(total));
    }));
  }
  return {};
}

Result<> PackInto(std::span<const float> values, DType dtype, std::span<std::byte> out) {
  if (IsQuantised(dtype)) {
    const auto bad = std::ranges::find_if_not(values, [](float x) { return std::isfinite(x); });
    if (bad != values.end()) {
      return Fail(
          ErrorCode::kMalformed,
          fmt::format("value {} is not finite and cannot be quantised", bad - values.begin()));
    }
  }
  return VisitBlock(dtype, [&]<class Block>() -> Result<> {
    const size_t blocks = values.size() / Block::kValues;
    if (values.size() % Block::kValues != 0 || out.size() != blocks * sizeof(Block)) {
      return Fail(ErrorCode::kInternal, "values and blocks do not agree");
    }
    for (size_t i = 0; i < blocks; ++i) {
      const Block block = Block::Pack(values.data() + i * Block::kValues);
      std::memcpy(out.data() + i * sizeof(Block), &block, sizeof(Block));
    }
    return {};
  });
}

}  // namespace jikji
