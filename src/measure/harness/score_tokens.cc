#include "measure/harness/score_tokens.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "base/utf8.h"
#include "text/unicode_table.h"

namespace jikji::measure {
namespace {

// White_Space and the four separators of ASCII, which Python counts as well.
bool IsPythonSpace(char32_t code) {
  return (UnicodeTable::Get().Flags(code) & kSpace) != 0 || (code >= 0x1C && code <= 0x1F);
}

}  // namespace

size_t EndOfText(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    size_t begin = end - 1;
    while (begin > 0 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80) --begin;
    const Utf8Char last = DecodeUtf8(text.substr(begin, end - begin));
    if (!last.valid || !IsPythonSpace(last.code_point)) break;
    end = begin;
  }
  return end;
}

Result<TokenId> PrefixToken(const Tokenizer& tokenizer) {
  if (const auto bos = tokenizer.bos()) return *bos;
  if (const auto eos = tokenizer.eos()) return *eos;
  return Fail(ErrorCode::kUnsupported,
              "the tokenizer has neither BOS nor EOS: a text without context cannot be scored");
}

Result<ScoreTokens> EncodePair(const Tokenizer& tokenizer, std::string_view context,
                               std::string_view continuation) {
  ScoreTokens out;
  if (context.empty()) {
    JIKJI_ASSIGN(const TokenId prefix, PrefixToken(tokenizer));
    const auto ids = tokenizer.Encode(continuation);
    out.tokens = {prefix};
    out.tokens.insert(out.tokens.end(), ids.begin(), ids.end());
    out.scored = ids.size();
  } else {
    const std::string whole = std::string(context) + std::string(continuation);
    const auto ids = tokenizer.Encode(whole);
    out.tokens = tokenizer.Encode(context.substr(0, EndOfText(context)));
    // The model reads the context's own tokens, also where the whole begins with others.
    if (ids.size() > out.tokens.size()) {
      out.scored = ids.size() - out.tokens.size();
      out.tokens.insert(out.tokens.end(), ids.end() - static_cast<ptrdiff_t>(out.scored),
                        ids.end());
    }
  }
  if (out.scored == 0 || out.scored == out.tokens.size()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("the {} `{}` has no token of its own",
                            out.scored == 0 ? "continuation" : "context of", continuation));
  }
  return out;
}

Result<> TruncateLeft(size_t most, ScoreTokens& tokens) {
  if (tokens.tokens.size() <= most) return {};
  if (tokens.scored >= most) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} tokens are to be scored, and the context holds {}: raise --context",
                            tokens.scored, most));
  }
  tokens.tokens.erase(tokens.tokens.begin(), tokens.tokens.end() - static_cast<ptrdiff_t>(most));
  return {};
}

std::vector<ScoreTokens> RollingWindows(std::span<const TokenId> tokens, TokenId prefix,
                                        size_t length) {
  std::vector<ScoreTokens> windows;
  for (size_t done = 0; done < tokens.size();) {
    ScoreTokens window;
    window.scored = std::min(length - 1, tokens.size() - done);
    const size_t end = done + window.scored;
    if (done == 0) {
      window.tokens = {prefix};
      window.tokens.insert(window.tokens.end(), tokens.begin(),
                           tokens.begin() + static_cast<ptrdiff_t>(end));
    } else {
      window.tokens.assign(tokens.begin() + static_cast<ptrdiff_t>(end - length),
                           tokens.begin() + static_cast<ptrdiff_t>(end));
    }
    windows.push_back(std::move(window));
    done = end;
  }
  return windows;
}

}  // namespace jikji::measure
