// A model with the rows that an extended tokenizer asks for: each new token's row of the embedding,
// and of the head, is the mean of the rows of the old tokens it is made of (subword mean; EEVE, Kim
// et al. 2024).
//
// Contract: old rows keep their bits; the model answers as before to text without new tokens. The
// folder appears whole (weights/model_folder.h). Non-goals: other initialisations, GGUF.
#ifndef JIKJI_ADAPT_TOKENIZER_EXTEND_MODEL_H_
#define JIKJI_ADAPT_TOKENIZER_EXTEND_MODEL_H_

#include <filesystem>
#include <functional>

#include "adapt/tokenizer/train_tokenizer.h"
#include "base/error.h"
#include "base/thread_pool.h"

namespace jikji {

// `in` is a Hugging Face folder, with the tokenizer that was extended; `out` is to be one.
Result<> ExtendModel(const std::filesystem::path& in, const std::filesystem::path& out,
                     const ExtendedTokenizer& extended, ThreadPool& pool,
                     const std::function<void(double)>& progress = {});

}  // namespace jikji

#endif  // JIKJI_ADAPT_TOKENIZER_EXTEND_MODEL_H_
