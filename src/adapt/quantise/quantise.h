// Quantises a model: its matrices to blocks of few bits, in a GGUF file that Jikji and llama.cpp
// read.
//
// Contract: streams (weights/weight_plan.h); the file appears under its name whole or not at all
// (tensor/file_writer.h). Vectors (norms, biases) become F32. The head, or the embedding where it
// is the head, is the tensor whose error shows in every token: of the types below Q6_K it gets
// Q6_K, unless `pure`. A matrix whose rows do not divide into the type's blocks gets Q8_0, or F16
// where they do not divide into 32 either. Non-goals: importance matrices, types below four bits.
#ifndef JIKJI_ADAPT_QUANTISE_QUANTISE_H_
#define JIKJI_ADAPT_QUANTISE_QUANTISE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/thread_pool.h"
#include "tensor/dtype.h"

namespace jikji {

struct QuantiseOptions {
  DType type = DType::kQ8_0;  // F32 is not one to ask for: see adapt/convert
  bool pure = false;
  // Quantise what is quantised already, adding this type's error to the other's. Without it that is
  // an error, except where a tensor has its type already.
  bool requantise = false;
};

struct QuantiseReport {
  struct Use {
    int64_t tensors = 0;
    uint64_t bytes = 0;
  };
  uint64_t bytes_in = 0, bytes_out = 0;  // of tensors
  std::map<DType, Use> types;            // of the new file
};

// `in` is a GGUF file or a Hugging Face folder (adapt/convert says which).
Result<QuantiseReport> Quantise(const std::filesystem::path& in, const std::filesystem::path& out,
                                const QuantiseOptions& options, ThreadPool& pool,
                                const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_ADAPT_QUANTISE_QUANTISE_H_
