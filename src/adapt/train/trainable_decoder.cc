#include "adapt/train/trainable_decoder.h"

#include <algorithm>
#include <numeric>

#include "kernels/cross_entropy.h"
#include "kernels/pointwise.h"
#include "kernels/pointwise_backward.h"

namespace jikji::train {
namespace {

// Logits that exist at a time. A wide vocabulary's head is unpacked and packed anew for each chunk
// of rows, so that there should be many rows to it: 160 MiB are 276 rows of 152,000.
constexpr int64_t kLogitValues = 40 << 20;

int64_t ChunkRows(const DecoderSpec& spec) {
  return std::clamp<int64_t>(kLogitValues / spec.vocab, 1, 1024);
}

double Sum(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

// What it held is let go of first: both at once would be the peak of a run's memory.
void Fit(std::vector<float>& values, int64_t count) {
  if (values.size() >= static_cast<size_t>(count)) return;
  std::vector<float>().swap(values);
  values.resize(static_cast<size_t>(count));
}

}  // namespace

TrainableDecoder::TrainableDecoder(DecoderSpec spec, const ModelOptions& options,
                                   std::unique_ptr<ModelWeights> weights)
    : spec_(std::move(spec)),
      recompute_(options.recompute),
      weights_(std::move(weights)),
      rope_(MakeRopeTable(spec_.rope, spec_.head_dim)),
      streams_(spec_.layers.size() + 1),
      kept_(recompute_ ? 1 : spec_.layers.size()) {
  for (size_t i = 0; i < spec_.layers.size(); ++i) {
    layers_.emplace_back(spec_, i, rope_).weights = std::move(weights_->layers[i]);
  }
}

Result<std::unique_ptr<TrainableDecoder>> TrainableDecoder::Load(
    std::shared_ptr<const Checkpoint> checkpoint, DecoderSpec spec, const ModelOptions& options) {
  JIKJI_ASSIGN(auto weights, LoadModelWeights(std::move(checkpoint), spec, options));
  return std::unique_ptr<TrainableDecoder>(
      new TrainableDecoder(std::move(spec), options, std::move(weights)));
}

Result<std::unique_ptr<TrainableDecoder>> TrainableDecoder::New(DecoderSpec spec,
                                                                const ModelOptions& options) {
  JIKJI_ASSIGN(auto weights, NewModelWeights(spec, options));
  return std::unique_ptr<TrainableDecoder>(
      new TrainableDecoder(std::move(spec), options, std::move(weights)));
}

void TrainableDecoder::ForwardLayers(const Batch& batch, bool keep, ThreadPool& pool) {
  const int64_t rows = batch.rows();
  for (size_t i = 0; i <= layers_.size(); ++i) Fit(streams_[i], rows * spec_.hidden);
  for (LayerActivations& kept : kept_) {
    kept.Fit(spec_, rows);
    if (!keep) break;
  }
  scratch_.Fit(spec_, rows);
  weights_->embedding.Gather(batch.tokens, spec_.embedding_scale, streams_[0].data(), pool);
  for (size_t i = 0; i < layers_.size(); ++i) {
    layers_[i].Forward(batch, streams_[i].data(), streams_[i + 1].data(), keep ? Kept(i) : kept_[0],
                       scratch_, pool);
  }
}

std::vector<double> TrainableDecoder::HeadLoss(const Batch& batch, std::span<const float> factors,
                                               ThreadPool& pool) {
  const int64_t hidden = spec_.hidden, vocab = spec_.vocab;
  // Only rows with a target: in an answer after a long prompt they are few.
  std::vector<int32_t> targets, rows;
  std::vector<float> row_factors;
  std::vector<size_t> row_documents;
  for (size_t d = 0; d < batch.documents.size(); ++d) {
    const auto [first, length] = batch.documents[d];
    for (int32_t r = first; r < first + length; ++r) {
      const int32_t target = batch.targets[static_cast<size_t>(r)];
      if (target == kNoTarget) continue;
      targets.push_back(target);
      rows.push_back(r);
      row_documents.push_back(d);
      row_factors.push_back(factors.empty() ? 0.0f : factors[d]);
    }
  }
  const auto count = static_cast<int64_t>(rows.size());
  const int64_t chunk = std::min(count, ChunkRows(spec_));
  for (std::vector<float>* values : {&head_in_, &head_normed_, &head_gradient_}) {
    Fit(*values, count * hidden);
  }
  Fit(logits_, chunk * vocab);
  const float* stream = streams_.back().data();
  for (int64_t i = 0; i < count; ++i) {
    std::copy_n(stream + rows[static_cast<size_t>(i)] * hidden, hidden,
                head_in_.data() + i * hidden);
  }
  const std::span<const float> norm = weights_->final_norm.value;
  kernels::RmsNorm(head_in_.data(), count, norm, spec_.norm_eps, head_normed_.data(), pool);
  kernels::Scale(head_normed_.data(), count * hidden, spec_.logit_scale, pool);
  std::vector<float> losses(static_cast<size_t>(count));
  const Matrix& head = weights_->head;
  for (int64_t first = 0; first < count; first += chunk) {
    const int64_t part = std::min(chunk, count - first);
    const float* in = head_normed_.data() + first * hidden;
    head.Forward(in, part, logits_.data(), false, pool);
    const auto of_chunk = [&](auto& values) {
      return std::span(values).subspan(static_cast<size_t>(first), static_cast<size_t>(part));
    };
    kernels::CrossEntropy(logits_.data(), vocab, of_chunk(targets), of_chunk(row_factors),
                          of_chunk(losses), pool);
    if (factors.empty()) continue;
    head.BackwardWeight(in, logits_.data(), part, pool);
    head.BackwardInput(logits_.data(), part, head_gradient_.data() + first * hidden, false, pool);
  }
  if (!factors.empty()) {
    float* gradient = head_gradient_.data();
    kernels::Scale(gradient, count * hidden, spec_.logit_scale, pool);
    const std::span<float> d_norm = weights_->final_norm.gradient;
    kernels::RmsNormBackward(head_in_.data(), count, norm, spec_.norm_eps, gradient, gradient,
                             false, d_norm.empty() ? nullptr : d_norm.data(), pool);
    d_x_.assign(static_cast<size_t>(batch.rows() * hidden), 0.0f);
    for (int64_t i = 0; i < count; ++i) {
      std::copy_n(gradient + i * hidden, hidden,
                  d_x_.data() + rows[static_cast<size_t>(i)] * hidden);
    }
  }
  std::vector<double> sums(batch.documents.size(), 0.0);
  for (size_t i = 0; i < losses.size(); ++i) {
    sums[row_documents[i]] += static_cast<double>(losses[i]);
  }
  return sums;
}

std::vector<double> TrainableDecoder::DocumentLosses(const Batch& batch, ThreadPool& pool) {
  if (batch.rows() == 0) return {};
  ForwardLayers(batch, false, pool);
  return HeadLoss(batch, {}, pool);
}

double TrainableDecoder::Loss(const Batch& batch, ThreadPool& pool) {
  return Sum(DocumentLosses(batch, pool));
}

double TrainableDecoder::AddGradients(const Batch& batch, float factor, ThreadPool& pool) {
  return AddGradients(batch, std::vector<float>(batch.documents.size(), factor), pool);
}

double TrainableDecoder::AddGradients(const Batch& batch, std::span<const float> factors,
                                      ThreadPool& pool) {
  if (batch.rows() == 0) return 0.0;
  ForwardLayers(batch, true, pool);
  const double loss = Sum(HeadLoss(batch, factors, pool));
  for (size_t i = layers_.size(); i-- > 0;) {
    const float* in = streams_[i].data();
    if (recompute_) layers_[i].Forward(batch, in, nullptr, Kept(i), scratch_, pool);
    layers_[i].Backward(batch, in, Kept(i), d_x_.data(), scratch_, pool);
  }
  weights_->embedding.GatherBackward(d_x_.data(), batch.tokens, spec_.embedding_scale, pool);
  return loss;
}

uint64_t TrainableDecoder::ActivationBytes(const DecoderSpec& spec, const ModelOptions& options,
                                           int64_t rows, size_t threads) {
  const auto layers = static_cast<int64_t>(spec.layers.size());
  const int64_t values =
      rows * ((layers + 1 + 4) * spec.hidden +
              (options.recompute ? 1 : layers) * LayerActivations::ValuesPerRow(spec) +
              LayerScratch::ValuesPerRow(spec)) +
      std::min(rows, ChunkRows(spec)) * spec.vocab;
  const kernels::AttentionShape shape{.heads = static_cast<int32_t>(spec.heads),
                                      .kv_heads = static_cast<int32_t>(spec.kv_heads),
                                      .head_dim = static_cast<int32_t>(spec.head_dim)};
  return static_cast<uint64_t>(values) * sizeof(float) +
         kernels::DocumentAttentionScratch(shape, rows, rows, threads);
}

}  // namespace jikji::train
