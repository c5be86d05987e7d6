#include "measure/harness/text_bits.h"

#include <fmt/format.h>

#include <algorithm>
#include <numbers>

#include "base/file.h"
#include "base/line_reader.h"
#include "base/utf8.h"

namespace jikji::measure {
namespace {

Result<std::string> Decompressed(const std::filesystem::path& file) {
  JIKJI_ASSIGN(LineReader lines, LineReader::Open(file));
  std::string text;
  while (true) {
    JIKJI_ASSIGN(const auto line, lines.Next());
    if (!line) return text;
    text.append(*line).push_back('\n');
  }
}

}  // namespace

Result<std::string> ReadText(const std::filesystem::path& file) {
  JIKJI_ASSIGN(std::string text, file.extension() == ".zst" ? Decompressed(file) : ReadFile(file));
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  int64_t number = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    ++number;
    if (!IsValidUtf8(line)) {
      return Fail(ErrorCode::kMalformed, "is not UTF-8",
                  fmt::format("{}:{}", file.string(), number));
    }
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  if (text.empty()) return Fail(ErrorCode::kInvalidArgument, "the file is empty", file.string());
  return text;
}

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
