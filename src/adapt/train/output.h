// What a run leaves behind for others to read: a model's folder as transformers has it, or an
// adapter's as PEFT has it.
//
// Contract: the folder appears whole under its name or not at all.
#ifndef JIKJI_ADAPT_TRAIN_OUTPUT_H_
#define JIKJI_ADAPT_TRAIN_OUTPUT_H_

#include <filesystem>
#include <string>

#include "adapt/train/model_options.h"
#include "adapt/train/parameters.h"
#include "base/error.h"
#include "tensor/checkpoint.h"
#include "tensor/dtype.h"

namespace jikji::train {

// config.json and the tokenizer's files of `base`, the weights as model.safetensors of `dtype`
// (F32, F16 or BF16). `frozen`: where only a part was trained, the checkpoint that has the rest; of
// a tensor whose last rows were trained, the first.
Result<> WriteModelFolder(const std::filesystem::path& folder, const std::filesystem::path& base,
                          Parameters& parameters, DType dtype, const Checkpoint* frozen = nullptr);

// adapter_config.json and adapter_model.safetensors in F32; the tokenizer's files too.
Result<> WriteAdapterFolder(const std::filesystem::path& folder, const std::filesystem::path& base,
                            Parameters& parameters, const LoraOptions& lora);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_OUTPUT_H_
