#include "adapt/tokenizer/train_tokenizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/utf8.h"

namespace jikji {
namespace {

constexpr size_t kBytes = 256;

// Syllables, and the letters that ㅋㅋ and ㅠㅠ are written with.
bool IsHangul(char32_t c) {
  return (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x3131 && c <= 0x318E) ||
         (c >= 0x1100 && c <= 0x11FF);
}

bool HasHangul(std::string_view text) {
  while (!text.empty()) {
    const Utf8Char c = DecodeUtf8(text);
    if (IsHangul(c.code_point)) return true;
    text.remove_prefix(c.length);
  }
  return false;
}

}  // namespace

Result<TrainedTokenizer> TrainTokenizer(const WordCounts& counts, std::string_view pattern,
                                        const std::vector<std::string>& special, int64_t vocabulary,
                                        const std::function<void(double)>& progress) {
  const auto least = static_cast<int64_t>(special.size() + kBytes);
  if (vocabulary < least) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a vocabulary of {} has no place for {} special tokens and 256 bytes",
                            vocabulary, special.size()));
  }
  if (counts.words().empty()) {
    return Fail(ErrorCode::kInvalidArgument, "the text has nothing to learn a tokenizer from");
  }
  // Special tokens take ids and no part in the learning.
  std::vector<std::string> tokens(special.size());
  for (size_t byte = 0; byte < kBytes; ++byte) {
    tokens.emplace_back(1, static_cast<char>(byte));
  }
  BpeTrainer trainer(std::move(tokens));
  std::vector<TokenId> symbols;
  for (const WordCounts::Word& word : counts.words()) {
    symbols.clear();
    for (const char byte : word.text) {
      symbols.push_back(static_cast<TokenId>(special.size() + static_cast<uint8_t>(byte)));
    }
    trainer.AddWord(symbols, word.count);
  }
  const auto merges = trainer.Train(vocabulary - least, kLeastPairCount, progress);
  return TrainedTokenizer{NewTokenizerJson(pattern, special, trainer.tokens(), merges),
                          static_cast<int64_t>(trainer.tokens().size())};
}

Result<ExtendedTokenizer> ExtendTokenizer(const TokenizerFile& base, const WordCounts& counts,
                                          int64_t new_tokens,
                                          const std::function<void(double)>& progress) {
  const Tokenizer& tokenizer = *base.tokenizer;
  ExtendedTokenizer out;
  out.first = tokenizer.vocab_size();
  std::vector<std::string> tokens(static_cast<size_t>(out.first));
  for (TokenId id = 0; id < out.first; ++id) {
    if (!tokenizer.IsSpecial(id)) tokens[static_cast<size_t>(id)] = tokenizer.TokenBytes(id);
  }
  BpeTrainer trainer(std::move(tokens));
  for (const WordCounts::Word& word : counts.words()) {
    if (HasHangul(word.text)) trainer.AddWord(tokenizer.Encode(word.text), word.count);
  }
  const auto merges = trainer.Train(new_tokens, kLeastPairCount, progress);
  const auto& all = trainer.tokens();
  if (std::cmp_equal(all.size(), out.first)) {
    return Fail(ErrorCode::kInvalidArgument,
                "the text has no words with Hangul that would become tokens of their own");
  }
  out.parts.resize(all.size() - static_cast<size_t>(out.first));
  for (const LearntMerge& merge : merges) {
    if (merge.merged < out.first) continue;
    std::vector<TokenId>& parts = out.parts[static_cast<size_t>(merge.merged - out.first)];
    if (!parts.empty()) continue;  // a second way to the same token
    for (const TokenId half : {merge.left, merge.right}) {
      if (half < out.first) {
        parts.push_back(half);
      } else {
        const auto& inner = out.parts[static_cast<size_t>(half - out.first)];
        parts.insert(parts.end(), inner.begin(), inner.end());
      }
    }
  }
  out.root = base.root;
  JIKJI_RETURN_IF_ERROR(AppendTokens(out.root, all, static_cast<size_t>(out.first), merges));
  return out;
}

}  // namespace jikji
