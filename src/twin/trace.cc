#include "twin/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/json.h"
#include "fleet/prefix.h"
#include "twin/archive.h"
#include "twin/csv.h"

namespace jikji::twin {
namespace {

// Longer than any context of today; a larger number is a broken file.
constexpr double kMostTokens = 100e6;

// Seconds within a day of "2023-11-16 18:17:03.9799600", with the day of the month counted in.
std::optional<double> Seconds(std::string_view text) {
  const auto number = [&](size_t at, size_t count) -> double {
    double value = 0;
    const char* begin = text.data() + at;
    const auto [end, error] = std::from_chars(begin, begin + count, value);
    return error == std::errc() && end == begin + count ? value : NAN;
  };
  if (text.size() < 19 || text[10] != ' ' || text[13] != ':' || text[16] != ':') return {};
  const double seconds = number(8, 2) * 86400 + number(11, 2) * 3600 + number(14, 2) * 60 +
                         number(17, text.size() - 17);
  return std::isfinite(seconds) ? std::optional(seconds) : std::nullopt;
}

Result<uint32_t> Tokens(double value, const std::string& where) {
  if (value >= 0 && value <= kMostTokens) return static_cast<uint32_t>(std::max(1.0, value));
  return Fail(ErrorCode::kMalformed, fmt::format("{} is no number of tokens", value), where);
}

Result<Trace> Finish(Trace trace, const std::string& where) {
  if (trace.requests.empty()) return Fail(ErrorCode::kMalformed, "holds no request", where);
  std::ranges::stable_sort(trace.requests, {}, &TraceRequest::time);
  const double first = trace.requests.front().time;
  for (TraceRequest& request : trace.requests) request.time -= first;
  const double last = trace.requests.back().time;
  trace.seconds = last + std::max(1e-3, last / static_cast<double>(trace.requests.size()));
  return trace;
}

}  // namespace

Result<Trace> ParseAzureTrace(std::string_view text, std::string where) {
  JIKJI_ASSIGN(CsvReader csv, CsvReader::Open(text, where));
  JIKJI_ASSIGN(const size_t time, csv.Column("TIMESTAMP"));
  JIKJI_ASSIGN(const size_t prompt, csv.Column("ContextTokens"));
  JIKJI_ASSIGN(const size_t output, csv.Column("GeneratedTokens"));
  Trace trace;
  for (;;) {
    JIKJI_ASSIGN(const bool more, csv.Next());
    if (!more) return Finish(std::move(trace), where);
    const auto at = Seconds(csv.Field(time));
    if (!at) {
      return Fail(ErrorCode::kMalformed,
                  fmt::format("`{}` is not a time", csv.Field(time).substr(0, 40)),
                  where + ": TIMESTAMP");
    }
    TraceRequest request{.time = *at};
    JIKJI_ASSIGN(const double prompt_tokens, csv.Number(prompt));
    JIKJI_ASSIGN(const double output_tokens, csv.Number(output));
    JIKJI_ASSIGN(request.prompt, Tokens(prompt_tokens, where + ": ContextTokens"));
    JIKJI_ASSIGN(request.output, Tokens(output_tokens, where + ": GeneratedTokens"));
    trace.requests.push_back(request);
  }
}

Result<Trace> ParseMooncakeTrace(std::string_view text, std::string where) {
  Trace trace;
  size_t line = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view row = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (row.empty()) continue;
    const std::string at = fmt::format("{}:{}", where, line);
    JIKJI_ASSIGN(const boost::json::value value, ParseJson(row, at));
    if (!value.is_object()) return Fail(ErrorCode::kMalformed, "is not a JSON object", at);
    const boost::json::object& object = value.as_object();
    JIKJI_ASSIGN(const auto time, OptionalNumber(object, "timestamp", at));
    JIKJI_ASSIGN(const auto prompt, OptionalNumber(object, "input_length", at));
    JIKJI_ASSIGN(const auto output, OptionalNumber(object, "output_length", at));
    JIKJI_ASSIGN(const boost::json::array* hashes, OptionalArray(object, "hash_ids", at));
    if (!time || !prompt || !output || !std::isfinite(*time)) {
      return Fail(ErrorCode::kMalformed, "needs timestamp, input_length and output_length", at);
    }
    TraceRequest request{.time = *time / 1000};
    JIKJI_ASSIGN(request.prompt, Tokens(*prompt, at + ".input_length"));
    JIKJI_ASSIGN(request.output, Tokens(*output, at + ".output_length"));
    request.blocks_begin = static_cast<uint32_t>(trace.blocks.size());
    if (hashes != nullptr) {
      for (const boost::json::value& hash : *hashes) {
        if (!hash.is_int64()) {
          return Fail(ErrorCode::kMalformed, "must hold whole numbers", at + ".hash_ids");
        }
        trace.blocks.push_back(fleet::Mix(static_cast<uint64_t>(hash.as_int64())));
      }
    }
    request.blocks_end = static_cast<uint32_t>(trace.blocks.size());
    trace.requests.push_back(request);
  }
  return Finish(std::move(trace), where);
}

Result<Trace> ReadTrace(const std::filesystem::path& path) {
  JIKJI_ASSIGN(const std::string text, ReadData(path));
  std::filesystem::path name = path;
  if (name.extension() == ".zst") name = name.stem();
  if (name.extension() == ".csv") return ParseAzureTrace(text, path.string());
  if (name.extension() == ".jsonl") return ParseMooncakeTrace(text, path.string());
  return Fail(ErrorCode::kUnsupported,
              "is no trace that is known: .csv (Azure) or .jsonl (Mooncake), or either with .zst",
              path.string());
}

}  // namespace jikji::twin
