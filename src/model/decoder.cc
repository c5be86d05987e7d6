#include "model/decoder.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "kernels/pointwise.h"
#include "model/decoder_adapter.h"
#include "model/decoder_scratch.h"
#include "model/decoder_weights.h"
#include "model/rope.h"

namespace jikji {
namespace {

// Values that one thread scales at a time: some microseconds' work.
constexpr size_t kScaleGrain = 1 << 14;

void Scale(float* values, int64_t count, float factor, ThreadPool& pool) {
  if (factor == 1.0f) return;
  pool.ParallelFor(static_cast<size_t>(count), kScaleGrain, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) values[i] *= factor;
  });
}

class SpecDecoder : public Decoder {
 public:
  SpecDecoder(DecoderSpec spec, DecoderWeights weights)
      : spec_(std::move(spec)),
        weights_(std::move(weights)),
        rope_(MakeRopeTable(spec_.rope, spec_.head_dim)) {
    attention_scale_ =
        spec_.attention_scale != 0
            ? spec_.attention_scale
            : static_cast<float>(1.0 / std::sqrt(static_cast<double>(spec_.head_dim)));
  }

  const DecoderSpec& spec() const override { return spec_; }

  Result<int32_t> AddAdapter(const PeftAdapter& adapter) override {
    JIKJI_ASSIGN(DecoderAdapter loaded, DecoderAdapter::Load(adapter, weights_));
    logit_stride_ = std::max(logit_stride_, adapter.vocab);
    own_heads_ = own_heads_ || loaded.head.rows() > 0;
    adapters_.push_back(std::make_unique<const DecoderAdapter>(std::move(loaded)));
    return static_cast<int32_t>(adapters_.size()) - 1;
  }

  int64_t logit_stride() const override { return logit_stride_; }

  Result<> Forward(const Batch& batch, KvCache& cache, std::span<float> logits,
                   ThreadPool& pool) override {
    const int64_t rows = static_cast<int64_t>(batch.tokens.size());
    const int64_t wanted = static_cast<int64_t>(batch.logit_rows.size());
    if (rows == 0) return {};
    s_.Fit(spec_, rows);
    row_adapters_.assign(static_cast<size_t>(rows), kBaseModel);
    for (size_t s = 0; s < batch.slices.size(); ++s) {
      const kernels::AttentionSlice& slice = batch.slices[s];
      for (int32_t i = 0; i < slice.tokens; ++i) {
        const auto row = static_cast<size_t>(slice.first_row + i);
        s_.positions[row] = slice.start + i;
        if (!batch.adapters.empty()) row_adapters_[row] = batch.adapters[s];
      }
    }
    adapter_rows_.Set(row_adapters_, adapters_);
    Embed(batch.tokens);
    Scale(s_.x.data(), rows * spec_.hidden, spec_.embedding_scale, pool);
    for (size_t i = 0; i < spec_.layers.size(); ++i) {
      const bool last = i + 1 == spec_.layers.size();
      Attend(i, batch.slices, rows, cache, /*store_only=*/last && wanted == 0, pool);
      int64_t left = rows;
      if (last) {
        // Past the last layer's keys and values, a row matters only for its own logits.
        if (wanted == 0) return {};
        KeepRows(batch.logit_rows);
        left = wanted;
      }
      FinishAttention(i, left, pool);
      Mlp(i, left, pool);
    }
    Norm(s_.x.data(), wanted, weights_.final_norm, s_.normed.data(), pool);
    Head(wanted, logits.data(), pool);
    return {};
  }

 private:
  // The one that an adapter has of its own, or the base's.
  const kernels::WeightMatrix& EmbeddingOf(int32_t adapter) const {
    if (adapter == kBaseModel) return weights_.embedding;
    const kernels::WeightMatrix& own = adapters_[static_cast<size_t>(adapter)]->embedding;
    return own.rows() > 0 ? own : weights_.embedding;
  }

  const kernels::WeightMatrix& HeadOf(int32_t adapter) const {
    if (adapter == kBaseModel) return weights_.head;
    const kernels::WeightMatrix& own = adapters_[static_cast<size_t>(adapter)]->head;
    return own.rows() > 0 ? own : weights_.head;
  }

  // The residual stream's beginning: each run of rows from the embedding it has.
  void Embed(std::span<const int32_t> tokens) {
    for (size_t begin = 0, end = 0; begin < tokens.size(); begin = end) {
      const kernels::WeightMatrix& embedding = EmbeddingOf(row_adapters_[begin]);
      while (end < tokens.size() && &EmbeddingOf(row_adapters_[end]) == &embedding) ++end;
      kernels::GatherRows(embedding, tokens.subspan(begin, end - begin),
                          s_.x.data() + static_cast<int64_t>(begin) * spec_.hidden);
    }
  }

  // s_.normed to logits. Rows of one head are multiplied together.
  void Head(int64_t rows, float* logits, ThreadPool& pool) {
    if (!own_heads_) {
      kernels::MatMul(weights_.head, s_.normed.data(), rows, logits, pool);
      Scale(logits, rows * spec_.vocab, spec_.logit_scale, pool);
      return;
    }
    HeadRows(weights_.head, rows, logits, pool);
    for (const auto& adapter : adapters_) {
      if (adapter->head.rows() > 0) HeadRows(adapter->head, rows, logits, pool);
    }
  }

  void HeadRows(const kernels::WeightMatrix& head, int64_t rows, float* logits, ThreadPool& pool) {
    own_rows_.clear();
    own_normed_.clear();
    for (int64_t row = 0; row < rows; ++row) {
      if (&HeadOf(row_adapters_[static_cast<size_t>(row)]) != &head) continue;
      own_rows_.push_back(row);
      const float* from = s_.normed.data() + row * spec_.hidden;
      own_normed_.insert(own_normed_.end(), from, from + spec_.hidden);
    }
    if (own_rows_.empty()) return;
    const auto count = static_cast<int64_t>(own_rows_.size());
    own_logits_.resize(static_cast<size_t>(count * head.rows()));
    kernels::MatMul(head, own_normed_.data(), count, own_logits_.data(), pool);
    Scale(own_logits_.data(), count * head.rows(), spec_.logit_scale, pool);
    const float* from = own_logits_.data();
    for (const int64_t row : own_rows_) {
      std::copy_n(from, head.rows(), logits + row * logit_stride_);
      from += head.rows();
    }
  }

  void Norm(const float* x, int64_t rows, const std::vector<float>& weight, float* y,
            ThreadPool& pool) {
    kernels::RmsNorm(x, rows, weight, spec_.norm_eps, y, pool);
  }

  // A projection of one layer, and where its product goes.
  struct Projection {
    Linear LayerWeights::*linear;
    LowRank LayerAdapter::*adapter;
    float* y;
  };

  // The products of projections that read the same rows, adapters included; without biases.
  void Multiply(size_t index, std::span<const Projection> projections, const float* x, int64_t rows,
                ThreadPool& pool) {
    constexpr size_t kMost = 3;
    std::array<kernels::MatMulOutput, kMost> outputs;
    std::array<AdapterRows::Part, kMost> parts;
    for (size_t i = 0; i < projections.size(); ++i) {
      const auto& [linear, adapter, y] = projections[i];
      outputs[i] = {&(weights_.layers[index].*linear).weight, y};
      parts[i] = {adapter, y};
    }
    kernels::MatMul(std::span(outputs).first(projections.size()), x, rows, pool);
    adapter_rows_.Add(index, std::span(parts).first(projections.size()), x,
                      outputs[0].weights->cols(), pool);
  }

  void AddBias(const Linear& linear, int64_t rows, float* y, ThreadPool& pool) {
    if (!linear.bias.empty()) kernels::AddBias(y, rows, linear.bias, pool);
  }

  // The residual stream as a half layer reads it.
  const float* Input(const std::vector<float>& norm, int64_t rows, ThreadPool& pool) {
    if (norm.empty()) return s_.x.data();
    Norm(s_.x.data(), rows, norm, s_.normed.data(), pool);
    return s_.normed.data();
  }

  // x += residual_scale · norm(added).
  void AddToStream(const std::vector<float>& norm, int64_t rows, ThreadPool& pool) {
    float* added = s_.added.data();
    if (!norm.empty()) Norm(added, rows, norm, added, pool);
    Scale(added, rows * spec_.hidden, spec_.residual_scale, pool);
    kernels::Add(s_.x.data(), added, rows * spec_.hidden, pool);
  }

  void Attend(size_t index, std::span<const kernels::AttentionSlice> slices, int64_t rows,
              KvCache& cache, bool store_only, ThreadPool& pool) {
    const LayerWeights& layer = weights_.layers[index];
    const LayerSpec& spec = spec_.layers[index];
    const float* in = Input(layer.attention_norm, rows, pool);
    const Projection projections[] = {
        {&LayerWeights::key, &LayerAdapter::key, s_.key.data()},
        {&LayerWeights::value, &LayerAdapter::value, s_.value.data()},
        {&LayerWeights::query, &LayerAdapter::query, s_.query.data()}};
    Multiply(index, std::span(projections).first(store_only ? 2 : 3), in, rows, pool);
    Finish(layer.key, layer.key_norm, spec_.kv_heads, rows, spec.rope, s_.key.data(), pool);
    AddBias(layer.value, rows, s_.value.data(), pool);
    if (!store_only) {
      Finish(layer.query, layer.query_norm, spec_.heads, rows, spec.rope, s_.query.data(), pool);
    }
    const kernels::KvPages pages = cache.Layer(index);
    kernels::StoreKv(pages, slices, s_.key.data(), s_.value.data(), pool);
    if (store_only) return;
    kernels::Attention(pages, slices, s_.query.data(), static_cast<int32_t>(spec_.heads),
                       attention_scale_, spec.window, s_.attended.data(), pool);
  }

  // Projected queries or keys: biased, normed by head, rotated.
  void Finish(const Linear& linear, const std::vector<float>& norm, int64_t heads, int64_t rows,
              bool rotate, float* out, ThreadPool& pool) {
    AddBias(linear, rows, out, pool);
    if (!norm.empty()) Norm(out, rows * heads, norm, out, pool);
    if (rotate) {
      kernels::Rope(out, std::span(s_.positions).first(static_cast<size_t>(rows)),
                    static_cast<int32_t>(heads), static_cast<int32_t>(spec_.head_dim),
                    rope_.inv_freq, rope_.magnitude, pool);
    }
  }

  // Moves the rows named (ascending) to the front of what the rest of the layer reads.
  void KeepRows(std::span<const int32_t> rows) {
    const auto keep = [&](std::vector<float>& values, int64_t width) {
      for (size_t i = 0; i < rows.size(); ++i) {
        if (static_cast<size_t>(rows[i]) == i) continue;
        const auto from = values.begin() + rows[i] * width;
        std::copy(from, from + width, values.begin() + static_cast<int64_t>(i) * width);
      }
    };
    keep(s_.x, spec_.hidden);
    keep(s_.attended, spec_.heads * spec_.head_dim);
    for (size_t i = 0; i < rows.size(); ++i) {
      row_adapters_[i] = row_adapters_[static_cast<size_t>(rows[i])];
    }
    adapter_rows_.Set(std::span(row_adapters_).first(rows.size()), adapters_);
  }

  void FinishAttention(size_t index, int64_t rows, ThreadPool& pool) {
    const LayerWeights& layer = weights_.layers[index];
    const Projection output{&LayerWeights::output, &LayerAdapter::output, s_.added.data()};
    Multiply(index, std::span(&output, 1), s_.attended.data(), rows, pool);
    AddBias(layer.output, rows, s_.added.data(), pool);
    AddToStream(layer.attention_post_norm, rows, pool);
  }

  void Mlp(size_t index, int64_t rows, ThreadPool& pool) {
    const LayerWeights& layer = weights_.layers[index];
    const float* in = Input(layer.mlp_norm, rows, pool);
    const Projection wide[] = {{&LayerWeights::gate, &LayerAdapter::gate, s_.gate.data()},
                               {&LayerWeights::up, &LayerAdapter::up, s_.up.data()}};
    Multiply(index, wide, in, rows, pool);
    AddBias(layer.gate, rows, s_.gate.data(), pool);
    AddBias(layer.up, rows, s_.up.data(), pool);
    kernels::SiluMultiply(s_.gate.data(), s_.up.data(), rows * spec_.intermediate, s_.gate.data(),
                          pool);
    const Projection down{&LayerWeights::down, &LayerAdapter::down, s_.added.data()};
    Multiply(index, std::span(&down, 1), s_.gate.data(), rows, pool);
    AddBias(layer.down, rows, s_.added.data(), pool);
    AddToStream(layer.mlp_post_norm, rows, pool);
  }

  DecoderSpec spec_;
  DecoderWeights weights_;
  RopeTable rope_;
  float attention_scale_ = 0;
  DecoderScratch s_;
  std::vector<std::unique_ptr<const DecoderAdapter>> adapters_;
  std::vector<int32_t> row_adapters_;  // of the step
  AdapterRows adapter_rows_;

  // Of adapters with a vocabulary of their own.
  int64_t logit_stride_ = spec_.vocab;
  bool own_heads_ = false;
  std::vector<int64_t> own_rows_;
  std::vector<float> own_normed_, own_logits_;
};

}  // namespace

Result<std::unique_ptr<Decoder>> Decoder::Load(std::shared_ptr<const Checkpoint> checkpoint,
                                               DecoderSpec spec,
                                               const std::function<void(double)>& progress) {
  JIKJI_ASSIGN(DecoderWeights weights, LoadWeights(*checkpoint, spec, progress));
  return std::make_unique<SpecDecoder>(std::move(spec), std::move(weights));
}

}  // namespace jikji
