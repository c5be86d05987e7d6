#include "text/tokenizer.h"

#include "base/utf8.h"

namespace jikji {

std::string Tokenizer::Decode(std::span<const TokenId> ids, bool skip_special) const {
  std::string bytes;
  bool at_start = strips_leading_space();
  for (const TokenId id : ids) {
    if (skip_special && IsSpecial(id)) continue;
    std::string_view token = TokenBytes(id);
    if (at_start && !token.empty()) {
      at_start = false;
      if (token.front() == ' ') token.remove_prefix(1);
    }
    bytes += token;
  }
  if (IsValidUtf8(bytes)) return bytes;
  return ReplaceInvalidUtf8(bytes);
}

}  // namespace jikji
