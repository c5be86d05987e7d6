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

// After a vocabulary was extended, its new rows are taught first, so that what is random does not
// spoil what is not (EEVE, Kim et al. 2024).
enum class Stage {
  kNewRows,  // of embedding and head
  kHead,     // all of its rows, and the new ones of the embedding
  kAll,
};

struct ModelOptions {
  std::optional<LoraOptions> lora;  // without: every weight of the stage is trained
  Stage stage = Stage::kAll;        // without LoRA
  int64_t old_vocab = 0;            // of the other stages: rows before the vocabulary was extended
  // LoRA: what the frozen matrices become in memory (QLoRA, Dettmers et al. 2023, with blocks of
  // ours); without: as they lie in the file.
  std::optional<DType> base_type;
  // Compute each layer's activations again in the backward pass instead of keeping them (Chen et
  // al. 2016): a third more work, and memory of one layer instead of all.
  bool recompute = false;
  uint64_t seed = 1;  // of an adapter's first weights, or a new model's
};

// Rows of the tensor from which on it is trained, without LoRA; all of its rows where none is.
int64_t FirstTrainedRow(const TensorNeed& need, const DecoderSpec& spec,
                        const ModelOptions& options);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_MODEL_OPTIONS_H_
