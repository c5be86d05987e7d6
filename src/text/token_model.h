// What turns one piece of text into tokens: BPE (bpe.h) or Unigram (unigram.h).
#ifndef JIKJI_TEXT_TOKEN_MODEL_H_
#define JIKJI_TEXT_TOKEN_MODEL_H_

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace jikji {

// Thread-safe once made.
class TokenModel {
 public:
  virtual ~TokenModel() = default;
  // Appends the tokens of `piece`: well-formed UTF-8, unless the model works on bytes.
  virtual void Encode(std::string_view piece, std::vector<TokenId>& out) const = 0;
};

// The tokens `<0x00>` to `<0xFF>` that stand for what the vocabulary lacks; -1 where one is absent.
using ByteTokens = std::array<TokenId, 256>;

inline constexpr ByteTokens kNoByteTokens = [] {
  ByteTokens tokens{};
  tokens.fill(-1);
  return tokens;
}();

// The byte that `<0xHH>` writes, or -1.
int ParseByteToken(std::string_view written);

}  // namespace jikji

#endif  // JIKJI_TEXT_TOKEN_MODEL_H_
