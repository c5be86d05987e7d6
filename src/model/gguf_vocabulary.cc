#include "model/gguf_vocabulary.h"

namespace jikji {

Result<GgufVocabulary> ReadGgufVocabulary(const GgufMetadata& metadata) {
  GgufVocabulary out;
  JIKJI_ASSIGN(auto model, metadata.String("tokenizer.ggml.model"));
  if (!model) {
    return Fail(ErrorCode::kNotFound, "the file has no vocabulary", "tokenizer.ggml.model");
  }
  out.model = *std::move(model);
  JIKJI_ASSIGN(auto pre, metadata.String("tokenizer.ggml.pre"));
  out.pre = std::move(pre).value_or("");
  JIKJI_ASSIGN(const auto* tokens, metadata.Strings("tokenizer.ggml.tokens"));
  if (tokens == nullptr) {
    return Fail(ErrorCode::kMalformed, "the vocabulary has no tokens", "tokenizer.ggml.tokens");
  }
  out.tokens = *tokens;
  JIKJI_ASSIGN(const auto* scores, metadata.Numbers("tokenizer.ggml.scores"));
  if (scores != nullptr) out.scores = *scores;
  JIKJI_ASSIGN(const auto* types, metadata.Ints("tokenizer.ggml.token_type"));
  if (types != nullptr) out.token_types = *types;
  JIKJI_ASSIGN(const auto* merges, metadata.Strings("tokenizer.ggml.merges"));
  if (merges != nullptr) out.merges = *merges;
  JIKJI_ASSIGN(out.bos, metadata.Int("tokenizer.ggml.bos_token_id"));
  JIKJI_ASSIGN(out.eos, metadata.Int("tokenizer.ggml.eos_token_id"));
  JIKJI_ASSIGN(out.unk, metadata.Int("tokenizer.ggml.unknown_token_id"));
  JIKJI_ASSIGN(out.add_bos, metadata.Bool("tokenizer.ggml.add_bos_token"));
  JIKJI_ASSIGN(out.add_eos, metadata.Bool("tokenizer.ggml.add_eos_token"));
  JIKJI_ASSIGN(out.add_space_prefix, metadata.Bool("tokenizer.ggml.add_space_prefix"));
  return out;
}

}  // namespace jikji
