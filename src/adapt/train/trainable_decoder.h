// The decoder in training: the loss of a packed batch and its gradient, by hand-written backward
// passes, for every family that DecoderSpec describes; all weights, or LoRA adapters on frozen
// ones.
//
// Contract: the gradient is that of serving's decoder (model/decoder.h) with exact f32 products;
// every sum is added in a fixed order, so loss and gradients have the same bits for any number of
// threads. Called by one thread at a time.
#ifndef JIKJI_ADAPT_TRAIN_TRAINABLE_DECODER_H_
#define JIKJI_ADAPT_TRAIN_TRAINABLE_DECODER_H_

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "adapt/train/batch.h"
#include "adapt/train/layer.h"
#include "adapt/train/model_options.h"
#include "adapt/train/model_weights.h"
#include "base/error.h"
#include "base/thread_pool.h"

namespace jikji::train {

class TrainableDecoder {
 public:
  static Result<std::unique_ptr<TrainableDecoder>> Load(
      std::shared_ptr<const Checkpoint> checkpoint, DecoderSpec spec, const ModelOptions& options);
  // With weights made anew.
  static Result<std::unique_ptr<TrainableDecoder>> New(DecoderSpec spec,
                                                       const ModelOptions& options);

  const DecoderSpec& spec() const { return spec_; }
  Parameters& parameters() { return weights_->parameters; }
  // nullptr where the weights were made anew.
  const std::shared_ptr<const Checkpoint>& checkpoint() const { return weights_->checkpoint; }

  // The sum of −log p of the batch's targets; or of each document's.
  double Loss(const Batch& batch, ThreadPool& pool);
  std::vector<double> DocumentLosses(const Batch& batch, ThreadPool& pool);
  // The same; and adds the gradient of factor · loss to the parameters' gradients.
  double AddGradients(const Batch& batch, float factor, ThreadPool& pool);
  // With a factor for each document.
  double AddGradients(const Batch& batch, std::span<const float> factors, ThreadPool& pool);

  // Bytes of everything but weights that a batch of so many rows takes.
  static uint64_t ActivationBytes(const DecoderSpec& spec, const ModelOptions& options,
                                  int64_t rows, size_t threads);

 private:
  TrainableDecoder(DecoderSpec spec, const ModelOptions& options,
                   std::unique_ptr<ModelWeights> weights);

  LayerActivations& Kept(size_t layer) { return kept_[recompute_ ? 0 : layer]; }
  void ForwardLayers(const Batch& batch, bool keep, ThreadPool& pool);
  // Final norm, head and the loss of each document; the gradient of the stream to d_x_ if there are
  // factors (of documents).
  std::vector<double> HeadLoss(const Batch& batch, std::span<const float> factors,
                               ThreadPool& pool);

  DecoderSpec spec_;
  bool recompute_;
  std::unique_ptr<ModelWeights> weights_;
  RopeTable rope_;
  std::vector<Layer> layers_;

  std::vector<std::vector<float>> streams_;  // before each layer, and after the last
  std::vector<LayerActivations> kept_;       // of each layer, or one for all
  LayerScratch scratch_;
  std::vector<float> d_x_;
  std::vector<float> logits_;
  std::vector<float> head_in_, head_normed_, head_gradient_;
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_TRAINABLE_DECODER_H_
