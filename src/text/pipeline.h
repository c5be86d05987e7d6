// The one tokenizer behind every loader: added tokens, normalizer, splitter, model, special tokens
// around the whole.
#ifndef JIKJI_TEXT_PIPELINE_H_
#define JIKJI_TEXT_PIPELINE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "text/added_tokens.h"
#include "text/normalizer.h"
#include "text/splitter.h"
#include "text/string_table.h"
#include "text/token_model.h"
#include "text/tokenizer.h"

namespace jikji {

struct PipelineParts {
  StringTable written;                 // how the vocabulary writes each token
  StringTable decoded;                 // the bytes each token stands for
  std::vector<bool> special;           // by token
  AddedTokenMatcher added;             // looked for in the text as it comes
  AddedTokenMatcher added_normalized;  // and in the normalised text
  std::vector<NormalizerStep> normalizer;
  std::unique_ptr<Splitter> splitter;  // may be null: no pre-tokenizer
  std::unique_ptr<TokenModel> model;
  std::vector<TokenId> prefix;  // around the whole, with add_special
  std::vector<TokenId> suffix;
  std::optional<TokenId> bos;
  std::optional<TokenId> eos;
  bool strips_leading_space = false;
  std::string description;
};

std::shared_ptr<const Tokenizer> MakePipeline(PipelineParts parts);

}  // namespace jikji

#endif  // JIKJI_TEXT_PIPELINE_H_
