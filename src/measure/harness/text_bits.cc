#include "measure/harness/text_bits.h"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

namespace jikji::measure {

Result<Metric> TextBits(Scorer& scorer, std::string_view text, size_t window,
                        const ShowProgress& progress) {
  const Engine& engine = scorer.engine();
  const Tokenizer& tokenizer = *engine.model().tokenizer;
  const auto context = static_cast<size_t>(engine.options().context);
  if (window < 2 || window > context) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a window of {} tokens; it must be from 2 to the context of {}", window,
                            context));
  }
  JIKJI_ASSIGN(const TokenId prefix, PrefixToken(tokenizer));
  const std::vector<TokenId> tokens = tokenizer.Encode(text);
  if (tokens.empty()) return Fail(ErrorCode::kInvalidArgument, "the text has no tokens");
  JIKJI_ASSIGN(const auto logprobs, scorer.Score(RollingWindows(tokens, prefix, window), progress));

  Metric bits{.name = "bits_per_byte",
              .kind = MetricKind::kRatio,
              .first = {},
              .second = {},
              .lower_is_better = true};
  const size_t stretches = (text.size() + kStretchBytes - 1) / kStretchBytes;
  bits.first.assign(stretches, 0);
  bits.second.assign(stretches, static_cast<double>(kStretchBytes));
  bits.second.back() = static_cast<double>(text.size() - (stretches - 1) * kStretchBytes);
  // A tokenizer that changes the text (a normaliser, a space before it) may give other bytes than
  // its own; then a token's place is near enough.
  size_t place = 0, token = 0;
  for (const auto& scored : logprobs) {
    for (const float logprob : scored) {
      bits.first[std::min(place / kStretchBytes, stretches - 1)] -=
          static_cast<double>(logprob) / std::numbers::ln2;
      place += tokenizer.TokenBytes(tokens[token++]).size();
    }
  }
  return bits;
}

}  // namespace jikji::measure
