#include "adapt/train/layer.h"

#include <algorithm>
#include <cmath>

#include "kernels/pointwise.h"
#include "kernels/pointwise_backward.h"

namespace jikji::train {

Layer::Layer(const DecoderSpec& spec, size_t index, const RopeTable& rope)
    : spec_(spec), layer_(spec.layers[index]), rope_(rope) {}

kernels::AttentionShape Layer::Shape() const {
  return {.heads = static_cast<int32_t>(spec_.heads),
          .kv_heads = static_cast<int32_t>(spec_.kv_heads),
          .head_dim = static_cast<int32_t>(spec_.head_dim),
          .scale = spec_.attention_scale != 0
                       ? spec_.attention_scale
                       : static_cast<float>(1.0 / std::sqrt(static_cast<double>(spec_.head_dim))),
          .window = layer_.window};
}

void Layer::Norm(const float* x, int64_t rows, const Vector& weight, float* y,
                 ThreadPool& pool) const {
  kernels::RmsNorm(x, rows, weight.value, spec_.norm_eps, y, pool);
}

void Layer::NormBackward(const float* x, int64_t rows, const Vector& weight, const float* d_y,
                         float* d_x, bool accumulate, ThreadPool& pool) const {
  kernels::RmsNormBackward(x, rows, weight.value, spec_.norm_eps, d_y, d_x, accumulate,
                           weight.gradient.empty() ? nullptr : weight.gradient.data(), pool);
}

void Layer::AddToStream(const float* in, std::vector<float>& added, const Vector& norm,
                        std::vector<float>& before_norm, int64_t rows, float* out,
                        ThreadPool& pool) const {
  if (!norm.value.empty()) {
    std::copy_n(added.data(), rows * spec_.hidden, before_norm.data());
    if (out == nullptr) return;
    Norm(added.data(), rows, norm, added.data(), pool);
  }
  if (out == nullptr) return;
  kernels::Scale(added.data(), rows * spec_.hidden, spec_.residual_scale, pool);
  std::copy_n(in, rows * spec_.hidden, out);
  kernels::Add(out, added.data(), rows * spec_.hidden, pool);
}

const float* Layer::AddedBackward(const float* d_x, const Vector& norm,
                                  const std::vector<float>& before_norm, int64_t rows,
                                  std::vector<float>& d_added, ThreadPool& pool) const {
  if (norm.value.empty() && spec_.residual_scale == 1.0f) return d_x;
  std::copy_n(d_x, rows * spec_.hidden, d_added.data());
  kernels::Scale(d_added.data(), rows * spec_.hidden, spec_.residual_scale, pool);
  if (!norm.value.empty()) {
    NormBackward(before_norm.data(), rows, norm, d_added.data(), d_added.data(), false, pool);
  }
  return d_added.data();
}

// Queries or keys: projected, normed by head, rotated.
void Layer::Project(const Batch& batch, const Linear& linear, const Vector& norm, int64_t heads,
                    const float* in, std::vector<float>& raw, std::vector<float>& out,
                    ThreadPool& pool) const {
  const int64_t rows = batch.rows();
  if (norm.value.empty()) {
    linear.Forward(in, rows, out.data(), pool);
  } else {
    linear.Forward(in, rows, raw.data(), pool);
    Norm(raw.data(), rows * heads, norm, out.data(), pool);
  }
  if (layer_.rope) {
    kernels::Rope(out.data(), batch.positions, static_cast<int32_t>(heads),
                  static_cast<int32_t>(spec_.head_dim), rope_.inv_freq, rope_.magnitude, pool);
  }
}

void Layer::ProjectBackward(const Batch& batch, const Vector& norm, int64_t heads,
                            const std::vector<float>& raw, std::vector<float>& d,
                            ThreadPool& pool) const {
  if (layer_.rope) {
    kernels::RopeBackward(d.data(), batch.positions, static_cast<int32_t>(heads),
                          static_cast<int32_t>(spec_.head_dim), rope_.inv_freq, rope_.magnitude,
                          pool);
  }
  if (!norm.value.empty()) {
    NormBackward(raw.data(), batch.rows() * heads, norm, d.data(), d.data(), false, pool);
  }
}

void Layer::AttentionHalf(const Batch& batch, const float* in, LayerActivations& kept,
                          LayerScratch& scratch, ThreadPool& pool) const {
  const int64_t rows = batch.rows();
  const float* normed = in;
  if (spec_.pre_norm) {
    Norm(in, rows, weights.attention_norm, kept.attention_in.data(), pool);
    normed = kept.attention_in.data();
  }
  Project(batch, weights.query, weights.query_norm, spec_.heads, normed, kept.query_raw, kept.query,
          pool);
  Project(batch, weights.key, weights.key_norm, spec_.kv_heads, normed, kept.key_raw, kept.key,
          pool);
  weights.value.Forward(normed, rows, kept.value.data(), pool);
  kernels::DocumentAttention(Shape(), batch.documents, kept.query.data(), kept.key.data(),
                             kept.value.data(), kept.attended.data(), kept.log_sum_exp.data(),
                             pool);
  weights.output.Forward(kept.attended.data(), rows, scratch.added.data(), pool);
  AddToStream(in, scratch.added, weights.attention_post_norm, kept.attention_out, rows,
              kept.middle.data(), pool);
}

void Layer::Forward(const Batch& batch, const float* in, float* out, LayerActivations& kept,
                    LayerScratch& scratch, ThreadPool& pool) const {
  const int64_t rows = batch.rows();
  AttentionHalf(batch, in, kept, scratch, pool);
  const float* normed = kept.middle.data();
  if (spec_.pre_norm) {
    Norm(kept.middle.data(), rows, weights.mlp_norm, kept.mlp_in.data(), pool);
    normed = kept.mlp_in.data();
  }
  weights.gate.Forward(normed, rows, kept.gate.data(), pool);
  weights.up.Forward(normed, rows, kept.up.data(), pool);
  kernels::SiluMultiply(kept.gate.data(), kept.up.data(), rows * spec_.intermediate,
                        kept.activated.data(), pool);
  if (out == nullptr && !spec_.post_norm) return;
  weights.down.Forward(kept.activated.data(), rows, scratch.added.data(), pool);
  AddToStream(kept.middle.data(), scratch.added, weights.mlp_post_norm, kept.mlp_out, rows, out,
              pool);
}

void Layer::Backward(const Batch& batch, const float* in, LayerActivations& kept, float* d_x,
                     LayerScratch& scratch, ThreadPool& pool) const {
  const int64_t rows = batch.rows();
  const float* d_added =
      AddedBackward(d_x, weights.mlp_post_norm, kept.mlp_out, rows, scratch.added, pool);
  float* d_wide = scratch.wide.data();
  weights.down.Backward(kept.activated.data(), d_added, rows, d_wide, false, pool);
  // The gradients of gate and up take the places of gate and up.
  kernels::SiluMultiplyBackward(kept.gate.data(), kept.up.data(), d_wide, rows * spec_.intermediate,
                                kept.gate.data(), kept.up.data(), pool);
  const float* normed = spec_.pre_norm ? kept.mlp_in.data() : kept.middle.data();
  float* d_normed = spec_.pre_norm ? scratch.hidden.data() : d_x;
  weights.gate.Backward(normed, kept.gate.data(), rows, d_normed, !spec_.pre_norm, pool);
  weights.up.Backward(normed, kept.up.data(), rows, d_normed, true, pool);
  if (spec_.pre_norm) {
    NormBackward(kept.middle.data(), rows, weights.mlp_norm, d_normed, d_x, true, pool);
  }
  AttentionHalfBackward(batch, in, kept, d_x, scratch, pool);
}

void Layer::AttentionHalfBackward(const Batch& batch, const float* in, LayerActivations& kept,
                                  float* d_x, LayerScratch& scratch, ThreadPool& pool) const {
  const int64_t rows = batch.rows();
  const float* d_added = AddedBackward(d_x, weights.attention_post_norm, kept.attention_out, rows,
                                       scratch.added, pool);
  weights.output.Backward(kept.attended.data(), d_added, rows, scratch.attended.data(), false,
                          pool);
  kernels::DocumentAttentionBackward(
      Shape(), batch.documents, rows, kept.query.data(), kept.key.data(), kept.value.data(),
      kept.attended.data(), kept.log_sum_exp.data(), scratch.attended.data(), scratch.query.data(),
      scratch.key.data(), scratch.value.data(), pool);
  ProjectBackward(batch, weights.query_norm, spec_.heads, kept.query_raw, scratch.query, pool);
  ProjectBackward(batch, weights.key_norm, spec_.kv_heads, kept.key_raw, scratch.key, pool);
  const float* normed = spec_.pre_norm ? kept.attention_in.data() : in;
  float* d_normed = spec_.pre_norm ? scratch.hidden.data() : d_x;
  weights.query.Backward(normed, scratch.query.data(), rows, d_normed, !spec_.pre_norm, pool);
  weights.key.Backward(normed, scratch.key.data(), rows, d_normed, true, pool);
  weights.value.Backward(normed, scratch.value.data(), rows, d_normed, true, pool);
  if (spec_.pre_norm) NormBackward(in, rows, weights.attention_norm, d_normed, d_x, true, pool);
}

}  // namespace jikji::train
