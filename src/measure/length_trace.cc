#include "measure/length_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <string>

namespace jikji::measure {
namespace {

constexpr std::string_view kHeader = "TIMESTAMP,ContextTokens,GeneratedTokens";
constexpr int64_t kMostTokens = 1 << 24;

// Takes what is before the next `end` off the front of `text`.
std::string_view Take(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return part;
}

bool ParseCount(std::string_view text, int64_t& count) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  return error == std::errc() && end == text.data() + text.size() && count >= 0 &&
         count <= kMostTokens;
}

}  // namespace

Result<std::vector<RequestLengths>> ParseLengthTrace(std::string_view text,
                                                     std::string_view where) {
  std::vector<RequestLengths> lengths;
  for (int64_t number = 1; !text.empty(); ++number) {
    std::string_view line = Take(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string place = fmt::format("{}:{}", where, number);
    if (number == 1) {
      if (line == kHeader) continue;
      return Fail(ErrorCode::kMalformed, fmt::format("the first line must be `{}`", kHeader),
                  place);
    }
    if (line.empty()) continue;
    Take(line, ',');
    const std::string_view prompt = Take(line, ',');
    RequestLengths row;
    if (!ParseCount(prompt, row.prompt) || !ParseCount(line, row.output) || row.prompt < 1) {
      return Fail(ErrorCode::kMalformed,
                  fmt::format("a row is a time and two numbers of tokens up to {}, the first at "
                              "least 1",
                              kMostTokens),
                  place);
    }
    row.output = std::max<int64_t>(row.output, 1);
    lengths.push_back(row);
  }
  if (lengths.empty()) {
    return Fail(ErrorCode::kMalformed, "the trace has no request", std::string(where));
  }
  return lengths;
}

void ScaleToContext(std::vector<RequestLengths>& lengths, int64_t context) {
  int64_t longest = 0;
  for (const RequestLengths& row : lengths) longest = std::max(longest, row.prompt + row.output);
  if (longest <= context) return;
  const double factor = static_cast<double>(context) / static_cast<double>(longest);
  for (RequestLengths& row : lengths) {
    row.output = std::clamp<int64_t>(static_cast<int64_t>(static_cast<double>(row.output) * factor),
                                     1, context - 1);
    row.prompt = std::clamp<int64_t>(static_cast<int64_t>(static_cast<double>(row.prompt) * factor),
                                     1, context - row.output);
  }
}

}  // namespace jikji::measure
