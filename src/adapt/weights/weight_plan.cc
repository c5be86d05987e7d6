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
  TensorCopy(const TensorSpec& spec, const TensorView& source, std::span<const int32_t> row_order,
             bool mapped, size_t index, TensorFileWriter& writer, ThreadPool& pool)
      : spec_(spec),
        source_(source),
        row_order_(row_order),
        mapped_(mapped),
        index_(index),
        writer_(writer),
        pool_(pool),
        rows_(source.rows()),
        cols_(source.cols()) {}

  Result<> Run(const std::function<void(uint64_t)>& read) {
    const auto from = RowBytes(source_.dtype, static_cast<uint64_t>(cols_));
    const auto to = RowBytes(spec_.dtype, static_cast<uint64_t>(cols_));
    if (!from || !to || *from * static_cast<uint64_t>(rows_) != source_.data.size() ||
        (!row_order_.empty() && std::cmp_not_equal(row_order_.size(), rows_))) {
      return Fail(ErrorCode::kInternal, "the plan's shape is not the source's", spec_.name);
    }
    row_in_ = *from;
    row_out_ = *to;
    const int64_t step = std::max<int64_t>(1, kChunkValues / std::max<int64_t>(1, cols_));
    for (int64_t row = 0; row < rows_; row += step) {
      const int64_t count = std::min(step, rows_ - row);
      JIKJI_RETURN_IF_ERROR(spec_.dtype == source_.dtype ? Copy(row, count) : Convert(row, count));
      if (mapped_ && row_order_.empty()) DropMappedPages(Source(row, count));
      read(static_cast<uint64_t>(count) * row_in_);
    }
    if (mapped_) DropMappedPages(source_.data);
    return {};
  }

 private:
  std::span<const std::byte> Source(int64_t row, int64_t count) const {
    return source_.data.subspan(static_cast<uint64_t>(row) * row_in_,
                                static_cast<uint64_t>(count) * row_in_);
  }
  int64_t SourceRow(int64_t row) const {
    return row_order_.empty() ? row : row_order_[static_cast<size_t>(row)];
  }

  Result<> Copy(int64_t first, int64_t count) {
    if (row_order_.empty()) return writer_.Append(index_, Source(first, count));
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
        auto done = UnpackRows(source_, SourceRow(row), 1, values);
        if (done) {
          done = PackInto(values, spec_.dtype, std::span(packed_).subspan(i * row_out_, row_out_));
        }
        if (!done) {
          error.Keep({done.error().code, fmt::format("row {}: {}", row, done.error().message),
                      spec_.name});
          return;
        }
      }
    });
    JIKJI_RETURN_IF_ERROR(error.Take());
    return writer_.Append(index_, packed_);
  }

  const TensorSpec& spec_;
  const TensorView& source_;
  std::span<const int32_t> row_order_;
  bool mapped_;
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
  for (const PlannedTensor& tensor : tensors) {
    total += tensor.source.data.size() + tensor.tail.data.size();
  }
  uint64_t done = 0;
  const auto read = [&](uint64_t bytes) {
    done += bytes;
    if (progress) progress(static_cast<double>(done) / static_cast<double>(total));
  };
  for (size_t i = 0; i < tensors.size(); ++i) {
    const PlannedTensor& tensor = tensors[i];
    if (tensor.make) {
      JIKJI_ASSIGN(const std::vector<float> values, tensor.make());
      if (!std::ranges::all_of(values, [](float value) { return std::isfinite(value); })) {
        return Fail(ErrorCode::kMalformed,
                    "comes out with values that are not finite: the weights are too large, or what "
                    "goes in is damaged",
                    tensor.spec.name);
      }
      const TensorView made{tensor.spec.name, DType::kF32, tensor.spec.shape,
                            std::as_bytes(std::span(values))};
      TensorCopy copy(tensor.spec, made, {}, false, i, writer, pool);
      JIKJI_RETURN_IF_ERROR(copy.Run([](uint64_t) {}));
      read(tensor.source.data.size());
      continue;
    }
    TensorCopy copy(tensor.spec, tensor.source, tensor.row_order, tensor.mapped, i, writer, pool);
    JIKJI_RETURN_IF_ERROR(copy.Run(read));
    if (tensor.tail.data.empty()) continue;
    TensorCopy rest(tensor.spec, tensor.tail, {}, false, i, writer, pool);
    JIKJI_RETURN_IF_ERROR(rest.Run(read));
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
