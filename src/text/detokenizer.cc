#include "text/detokenizer.h"

#include <utility>

#include "base/utf8.h"

namespace jikji {

Detokenizer::Detokenizer(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special)
    : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

std::string Detokenizer::Push(TokenId id) {
  if (skip_special_ && tokenizer_->IsSpecial(id)) return {};
  std::string_view token = tokenizer_->TokenBytes(id);
  if (token.empty()) return {};
  if (at_start_ && tokenizer_->strips_leading_space() && token.front() == ' ') {
    token.remove_prefix(1);
  }
  at_start_ = false;
  held_ += token;
  const size_t ready = held_.size() - IncompleteUtf8Suffix(held_);
  std::string delta = ReplaceInvalidUtf8(std::string_view(held_).substr(0, ready));
  held_.erase(0, ready);
  return delta;
}

std::string Detokenizer::Finish() { return ReplaceInvalidUtf8(std::exchange(held_, {})); }

}  // namespace jikji
