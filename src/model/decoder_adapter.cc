#include "model/decoder_adapter.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "kernels/matmul.h"
#include "model/layer_parts.h"

namespace jikji {
namespace {

// Values that a thread adds at a time: some microseconds' work.
constexpr int64_t kGrainValues = 1 << 13;

size_t RowGrain(int64_t cols) {
  return static_cast<size_t>(std::max<int64_t>(1, kGrainValues / std::max<int64_t>(1, cols)));
}

template <class T>
T* Fit(std::vector<T>& values, int64_t count) {
  if (values.size() < static_cast<size_t>(count)) values.resize(static_cast<size_t>(count));
  return values.data();
}

Result<std::vector<float>> Gains(const AdaptedMatrix& matrix, float scale,
                                 const kernels::WeightMatrix& base, ThreadPool& pool) {
  JIKJI_ASSIGN(const LowRankRows added, LowRankRows::Unpack(matrix, scale));
  return added.Gains(
      base.rows(), base.cols(),
      [&](int64_t r, std::span<float> row) {
        const auto id = static_cast<int32_t>(r);
        kernels::GatherRows(base, std::span(&id, 1), row.data());
      },
      pool);
}

}  // namespace

Result<DecoderAdapter> DecoderAdapter::Load(const PeftAdapter& adapter,
                                            const DecoderWeights& base) {
  DecoderAdapter out;
  out.scale = adapter.config.scale();
  out.layers.resize(base.layers.size());
  kernels::WeightMemory memory;
  ThreadPool pool(UsableCores());
  for (const AdaptedMatrix& matrix : adapter.matrices) {
    const auto layer = static_cast<size_t>(matrix.layer);
    LowRank& to = *ProjectionOf(out.layers[layer], matrix.role);
    JIKJI_ASSIGN(to.a, kernels::WeightMatrix::Prepare(matrix.a, memory, pool));
    JIKJI_ASSIGN(to.b, kernels::WeightMatrix::Prepare(matrix.b, memory, pool));
    if (matrix.magnitude.data.empty()) continue;
    const Linear& of = *ProjectionOf(base.layers[layer], matrix.role);
    JIKJI_ASSIGN(to.gain, Gains(matrix, out.scale, of.weight, pool));
  }
  if (!adapter.embedding.data.empty()) {
    JIKJI_ASSIGN(out.embedding, kernels::WeightMatrix::Prepare(adapter.embedding, memory, pool));
  }
  if (!adapter.head.data.empty()) {
    JIKJI_ASSIGN(out.head, kernels::WeightMatrix::Prepare(adapter.head, memory, pool));
  }
  return out;
}

void AdapterRows::Set(std::span<const int32_t> of_rows,
                      std::span<const std::unique_ptr<const DecoderAdapter>> adapters) {
  groups_.clear();
  std::vector<int32_t> rows(of_rows.size());
  std::iota(rows.begin(), rows.end(), 0);
  for (size_t i = 0; i < adapters.size(); ++i) {
    Group group;
    group.adapter = adapters[i].get();
    std::ranges::copy_if(rows, std::back_inserter(group.rows), [&](int32_t row) {
      return std::cmp_equal(of_rows[static_cast<size_t>(row)], i);
    });
    if (!group.rows.empty()) groups_.push_back(std::move(group));
  }
}

void AdapterRows::Add(size_t layer, std::span<const Part> parts, const float* x, int64_t cols,
                      ThreadPool& pool) {
  for (const Group& group : groups_) AddGroup(group, layer, parts, x, cols, pool);
}

void AdapterRows::AddGroup(const Group& group, size_t layer, std::span<const Part> parts,
                           const float* x, int64_t cols, ThreadPool& pool) {
  const auto count = static_cast<int64_t>(group.rows.size());
  const LayerAdapter& adapter = group.adapter->layers[layer];
  low_.resize(std::max(low_.size(), parts.size()));
  std::vector<kernels::MatMulOutput> first;
  for (size_t i = 0; i < parts.size(); ++i) {
    const LowRank& low_rank = adapter.*parts[i].projection;
    if (low_rank.a.rows() == 0) continue;
    first.push_back({&low_rank.a, Fit(low_[i], count * low_rank.a.rows())});
  }
  if (first.empty()) return;
  const float* in = x + group.rows.front() * cols;
  if (group.rows.back() - group.rows.front() + 1 != count) {
    float* to = Fit(gathered_, count * cols);
    for (const int32_t row : group.rows) to = std::copy_n(x + row * cols, cols, to);
    in = gathered_.data();
  }
  kernels::MatMul(first, in, count, pool);
  for (size_t i = 0; i < parts.size(); ++i) {
    const LowRank& low_rank = adapter.*parts[i].projection;
    if (low_rank.a.rows() == 0) continue;
    const int64_t width = low_rank.b.rows();
    const float* product = Fit(product_, count * width);
    kernels::MatMul(low_rank.b, low_[i].data(), count, product_.data(), pool);
    // Whole rows, so that a value's place in the loop is the same in every step.
    pool.ParallelFor(static_cast<size_t>(count), RowGrain(width), [&](size_t begin, size_t end) {
      for (size_t r = begin; r < end; ++r) {
        float* y = parts[i].y + group.rows[r] * width;
        const float* added = product + static_cast<int64_t>(r) * width;
        for (int64_t c = 0; c < width; ++c) y[c] += group.adapter->scale * added[c];
        if (low_rank.gain.empty()) continue;
        for (int64_t c = 0; c < width; ++c) y[c] *= low_rank.gain[static_cast<size_t>(c)];
      }
    });
  }
}

}  // namespace jikji
