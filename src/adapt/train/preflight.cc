#include "adapt/train/preflight.h"

#include <algorithm>

#include "base/utf8.h"

namespace jikji::train {
namespace {

// Of the example: enough for a conversation, and no more than a screen.
constexpr size_t kExampleTokens = 400;

bool TrainsAStop(const Document& document, std::span<const TokenId> stops) {
  for (size_t i = 1; i < document.tokens.size(); ++i) {
    if (document.trained[i] && std::ranges::binary_search(stops, document.tokens[i])) return true;
  }
  return false;
}

}  // namespace

std::string MaskedText(const Document& document, const Tokenizer& tokenizer) {
  std::string text;
  bool inside = false;
  const size_t count = std::min(document.tokens.size(), kExampleTokens);
  for (size_t i = 0; i < count; ++i) {
    if (document.trained[i] != inside) text += inside ? "⟧" : "⟦";
    inside = document.trained[i];
    text += tokenizer.TokenBytes(document.tokens[i]);
  }
  if (inside) text += "⟧";
  if (count < document.tokens.size()) text += " …";
  return ReplaceInvalidUtf8(text);
}

Result<Preflight> Inspect(std::span<const Document> documents, const ModelDescription& model,
                          bool must_stop) {
  Preflight out;
  int64_t stopping = 0;
  for (const Document& document : documents) {
    ++out.documents;
    out.tokens += static_cast<int64_t>(document.tokens.size());
    out.longest = std::max(out.longest, static_cast<int64_t>(document.tokens.size()) - 1);
    for (size_t i = 1; i < document.trained.size(); ++i) out.targets += document.trained[i] ? 1 : 0;
    stopping += TrainsAStop(document, model.stop_ids) ? 1 : 0;
  }
  if (out.targets == 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "the data has nothing to learn: no token is trained on");
  }
  if (must_stop && stopping == 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "no sample trains a token that stops generation: the model would never end an "
                "answer");
  }
  out.example = MaskedText(documents.front(), *model.tokenizer);
  return out;
}

}  // namespace jikji::train
