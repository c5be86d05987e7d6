// What a model is asked to score, as tokens: made exactly as lm-evaluation-harness makes it, so
// that scores can be compared with published ones.
//
// A pair is a context and a continuation. White space at the context's end belongs to the
// continuation; both are encoded as one text, and the tokens past as many as the context alone has
// are scored. No special tokens are added. Non-goals: encoder-decoder models, running the model
// (scorer.h).
#ifndef JIKJI_MEASURE_HARNESS_SCORE_TOKENS_H_
#define JIKJI_MEASURE_HARNESS_SCORE_TOKENS_H_

#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/tokenizer.h"

namespace jikji::measure {

struct ScoreTokens {
  std::vector<TokenId> tokens;
  size_t scored = 0;  // the last so many; at least 1, and fewer than all
};

// An empty context stands for the tokenizer's PrefixToken. An error where the continuation has no
// token of its own.
Result<ScoreTokens> EncodePair(const Tokenizer& tokenizer, std::string_view context,
                               std::string_view continuation);

// BOS, or EOS where there is none: what stands before a text without context.
Result<TokenId> PrefixToken(const Tokenizer& tokenizer);

// Keeps the last `most` tokens, at least 2. An error where that does not hold the scored ones and a
// token before them. The harness's max_length is most − 1, since it counts what a model reads, and
// the last token is never read.
Result<> TruncateLeft(size_t most, ScoreTokens& tokens);

// A text of any length in windows of `length` tokens, at least 2, context included: each token is
// scored once, the first after `prefix`; a window begins with the last token of the one before,
// and the last, with more context, is as long as the others.
std::vector<ScoreTokens> RollingWindows(std::span<const TokenId> tokens, TokenId prefix,
                                        size_t length);

// Where the white space at the end of `text` begins, as Python's str.rstrip sees it.
size_t EndOfText(std::string_view text);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_SCORE_TOKENS_H_
