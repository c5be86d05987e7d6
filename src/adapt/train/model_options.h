// Which weights of a model are trained, and how.
#ifndef JIKJI_ADAPT_TRAIN_MODEL_OPTIONS_H_
#define JIKJI_ADAPT_TRAIN_MODEL_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "model/tensor_roles.h"
#include "tensor/dtype.h"

namespace jikji::train {

struct LoraOptions {
  int64_t rank = 8;
  double alpha = 16;  // what the adapter adds is multiplied by alpha / rank
  std::vector<TensorRole> targets = {TensorRole::kQuery,  TensorRole::kKey,  TensorRole::kValue,
                                     TensorRole::kOutput, TensorRole::kGate, TensorRole::kUp,
                                     TensorRole::kDown};
  bool dora = false;  // a magnitude for each row of the adapted matrix, too
};

struct ModelOptions {
  std::optional<LoraOptions> lora;  // without: every weight is trained
  // LoRA: what the frozen matrices become in memory (QLoRA, Dettmers et al. 2023, with blocks of
  // ours); without: as they lie in the file.
  std::optional<DType> base_type;
  // Compute each layer's activations again in the backward pass instead of keeping them (Chen et
  // al. 2016): a third more work, and memory of one layer instead of all.
  bool recompute = false;
  uint64_t seed = 1;  // of an adapter's first weights, or a new model's
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_MODEL_OPTIONS_H_
