#include "model/adapter_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>

namespace jikji {

Result<> CheckAdapterTokenizer(const Tokenizer& own, const Tokenizer& base,
                               const PeftAdapter& adapter) {
  if (own.vocab_size() > adapter.vocab) {
    return Fail(ErrorCode::kMalformed,
                fmt::format("the tokenizer has {} tokens, but the adapter only {} embeddings: they "
                            "do not belong together",
                            own.vocab_size(), adapter.vocab),
                adapter.path.string());
  }
  if (!adapter.embedding.data.empty()) return {};  // its rows mean what it was taught
  const TokenId both = std::min(own.vocab_size(), base.vocab_size());
  for (TokenId id = 0; id < both; ++id) {
    if (own.IsSpecial(id) || base.IsSpecial(id)) continue;
    if (own.TokenBytes(id) == base.TokenBytes(id)) continue;
    return Fail(
        ErrorCode::kMalformed,
        fmt::format("the tokenizer is not the base's (token {} is another), and the adapter "
                    "has no embedding of its own: they do not belong together. Without "
                    "tokenizer.json in the folder the base's is used",
                    id),
        adapter.path.string());
  }
  return {};
}

}  // namespace jikji
