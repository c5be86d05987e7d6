// One layer of the decoder in training: its weights, what its forward pass keeps for the backward
// pass, and both passes, for every form that DecoderSpec describes.
#ifndef JIKJI_ADAPT_TRAIN_LAYER_H_
#define JIKJI_ADAPT_TRAIN_LAYER_H_

#include <cstdint>
#include <vector>

#include "adapt/train/batch.h"
#include "adapt/train/linear.h"
#include "base/thread_pool.h"
#include "model/decoder_spec.h"
#include "model/rope.h"

namespace jikji::train {

// Norms that the spec does not have are empty.
struct LayerWeights {
  Vector attention_norm, query_norm, key_norm, attention_post_norm;
  Vector mlp_norm, mlp_post_norm;
  Linear query, key, value, output;
  Linear gate, up, down;
};

// [rows, width] each; what the spec has no use for is empty.
struct LayerActivations {
  std::vector<float> attention_in;        // normed
  std::vector<float> query_raw, key_raw;  // before their norms
  std::vector<float> query, key, value;   // rotated
  std::vector<float> log_sum_exp, attended;
  std::vector<float> attention_out;  // before its norm
  std::vector<float> middle;         // the residual stream between the halves
  std::vector<float> mlp_in, gate, up, activated;
  std::vector<float> mlp_out;  // before its norm

  void Fit(const DecoderSpec& spec, int64_t rows);
  // f32 values of one row.
  static int64_t ValuesPerRow(const DecoderSpec& spec);
};

// What both passes work with, one for all layers.
struct LayerScratch {
  std::vector<float> added;              // [rows, hidden]
  std::vector<float> hidden;             // [rows, hidden]
  std::vector<float> query, key, value;  // gradients
  std::vector<float> attended;
  std::vector<float> wide;  // [rows, intermediate]

  void Fit(const DecoderSpec& spec, int64_t rows);
  static int64_t ValuesPerRow(const DecoderSpec& spec);
};

class Layer {
 public:
  Layer(const DecoderSpec& spec, size_t index, const RopeTable& rope);

  LayerWeights weights;

  // The residual stream `in` to `out` ([rows, hidden]; not the same), keeping `kept`. Where `out`
  // is nullptr only what the backward pass needs is computed.
  void Forward(const Batch& batch, const float* in, float* out, LayerActivations& kept,
               LayerScratch& scratch, ThreadPool& pool) const;

  // d_x: the gradient of the stream, of out to that of in. Adds to the gradients of weights; uses
  // `kept` up.
  void Backward(const Batch& batch, const float* in, LayerActivations& kept, float* d_x,
                LayerScratch& scratch, ThreadPool& pool) const;

 private:
  kernels::AttentionShape Shape() const;
  void Norm(const float* x, int64_t rows, const Vector& weight, float* y, ThreadPool& pool) const;
  void NormBackward(const float* x, int64_t rows, const Vector& weight, const float* d_y,
                    float* d_x, bool accumulate, ThreadPool& pool) const;
  // out = in + residual_scale · norm(added).
  void AddToStream(const float* in, std::vector<float>& added, const Vector& norm,
                   std::vector<float>& before_norm, int64_t rows, float* out,
                   ThreadPool& pool) const;
  // The gradient of `added`, given that of the sum.
  const float* AddedBackward(const float* d_x, const Vector& norm,
                             const std::vector<float>& before_norm, int64_t rows,
                             std::vector<float>& d_added, ThreadPool& pool) const;
  void AttentionHalf(const Batch& batch, const float* in, LayerActivations& kept,
                     LayerScratch& scratch, ThreadPool& pool) const;
  void AttentionHalfBackward(const Batch& batch, const float* in, LayerActivations& kept,
                             float* d_x, LayerScratch& scratch, ThreadPool& pool) const;
  void Project(const Batch& batch, const Linear& linear, const Vector& norm, int64_t heads,
               const float* in, std::vector<float>& raw, std::vector<float>& out,
               ThreadPool& pool) const;
  void ProjectBackward(const Batch& batch, const Vector& norm, int64_t heads,
                       const std::vector<float>& raw, std::vector<float>& d,
                       ThreadPool& pool) const;

  const DecoderSpec& spec_;
  const LayerSpec& layer_;
  const RopeTable& rope_;
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_LAYER_H_
