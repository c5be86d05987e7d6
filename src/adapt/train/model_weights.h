// The decoder's weights as they are trained: found in a checkpoint or made anew, all of them or the
// adapters beside them.
#ifndef JIKJI_ADAPT_TRAIN_MODEL_WEIGHTS_H_
#define JIKJI_ADAPT_TRAIN_MODEL_WEIGHTS_H_

#include <deque>
#include <memory>
#include <vector>

#include "adapt/train/layer.h"
#include "adapt/train/model_options.h"
#include "adapt/train/parameters.h"
#include "base/error.h"
#include "tensor/checkpoint.h"

namespace jikji::train {

struct ModelWeights {
  Parameters parameters;   // everything below that is trained lies in it
  Matrix embedding, head;  // the same where the head is tied
  Vector final_norm;
  std::vector<LayerWeights> layers;
  std::deque<std::vector<float>> frozen;         // vectors that are not trained
  std::shared_ptr<const Checkpoint> checkpoint;  // frozen matrices may lie in its mapping
};

// The checkpoint is a folder of Hugging Face's format: that is what a run writes, too. An error
// names the tensor that is missing or of another shape.
Result<std::unique_ptr<ModelWeights>> LoadModelWeights(std::shared_ptr<const Checkpoint> checkpoint,
                                                       const DecoderSpec& spec,
                                                       const ModelOptions& options);

// Matrices N(0, 0.02²), as Llama's configuration has it by default; norms 1, biases 0. Without
// LoRA.
Result<std::unique_ptr<ModelWeights>> NewModelWeights(const DecoderSpec& spec,
                                                      const ModelOptions& options);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_MODEL_WEIGHTS_H_
