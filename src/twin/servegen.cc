#include "twin/servegen.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "base/json.h"
#include "twin/archive.h"

namespace jikji::twin {
namespace {

constexpr size_t kMostSteps = 1 << 20;

std::optional<double> TakeNumber(std::string_view& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

// Lines of "seconds,rate,...": adds the rates to `sum`; the client's mean rate.
Result<double> AddRates(std::string_view text, const std::string& where, double step_s,
                        std::vector<double>& sum) {
  double total = 0;
  size_t lines = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) continue;
    ++lines;
    const auto seconds = TakeNumber(line);
    if (!seconds || !line.starts_with(',')) {
      return Fail(ErrorCode::kMalformed, "must begin with seconds and a rate",
                  fmt::format("{}:{}", where, lines));
    }
    line.remove_prefix(1);
    const auto rate = TakeNumber(line);
    const double step = *seconds / step_s;
    if (!rate || !(*rate >= 0) || !(step >= 0) || step >= kMostSteps) {
      return Fail(ErrorCode::kMalformed, "is not a rate at a time",
                  fmt::format("{}:{}", where, lines));
    }
    const auto index = static_cast<size_t>(step);
    if (sum.size() <= index) sum.resize(index + 1, 0);
    sum[index] += *rate;
    total += *rate;
  }
  return lines > 0 ? total / static_cast<double>(lines) : 0;
}

using Weights = std::map<double, double>;

// "{102: 0.0011, 103: 0.0119}"
Result<> AddHistogram(std::string_view text, const std::string& where, double weight,
                      Weights& weights) {
  const auto skip = [&text](std::string_view these) {
    const size_t at = text.find_first_not_of(these);
    text.remove_prefix(std::min(at, text.size()));
  };
  skip("{ ");
  while (!text.empty() && text.front() != '}') {
    const auto value = TakeNumber(text);
    skip(": ");
    const auto share = value ? TakeNumber(text) : std::nullopt;
    if (!share || !(*share >= 0)) {
      return Fail(ErrorCode::kMalformed, "is not a histogram {tokens: share, ...}", where);
    }
    weights[*value] += *share * weight;
    skip(", ");
  }
  return {};
}

Result<> AddLengths(std::string_view json, const std::string& where, double weight,
                    Weights& prompts, Weights& outputs) {
  JIKJI_ASSIGN(const boost::json::value value, ParseJson(json, where));
  if (!value.is_object()) return Fail(ErrorCode::kMalformed, "is not a JSON object", where);
  for (const auto& [time, entry] : value.as_object()) {
    if (!entry.is_object()) return Fail(ErrorCode::kMalformed, "is not a JSON object", where);
    JIKJI_ASSIGN(const auto prompt, OptionalString(entry.as_object(), "input_tokens", where));
    JIKJI_ASSIGN(const auto output, OptionalString(entry.as_object(), "output_tokens", where));
    JIKJI_RETURN_IF_ERROR(AddHistogram(prompt.value_or("{}"), where, weight, prompts));
    JIKJI_RETURN_IF_ERROR(AddHistogram(output.value_or("{}"), where, weight, outputs));
  }
  return {};
}

LengthTable Cumulated(const Weights& weights) {
  double total = 0;
  for (const auto& [value, weight] : weights) total += weight;
  LengthTable table;
  double below = 0;
  for (const auto& [value, weight] : weights) {
    below += weight;
    table.emplace_back(value, below / total);
  }
  return table;
}

// "x/language/m-small/chunk-7-trace.csv" is client "chunk-7" where the group is in the path; the
// group that there is goes to `groups`.
std::optional<std::string> ClientOf(std::string_view name, std::string_view group,
                                    std::string_view ending, std::set<std::string>& groups) {
  const size_t slash = name.rfind('/');
  if (slash == std::string_view::npos || !name.ends_with(ending)) return std::nullopt;
  const std::string_view folder = name.substr(0, slash);
  const size_t parent = folder.rfind('/', folder.rfind('/') - 1);
  groups.emplace(folder.substr(parent == std::string_view::npos ? 0 : parent + 1));
  if (!folder.ends_with(group)) return std::nullopt;
  return std::string(name.substr(slash + 1, name.size() - slash - 1 - ending.size()));
}

}  // namespace

Result<ServeGen> ParseServeGen(std::string_view traces, std::string_view lengths,
                               std::string_view group, std::string_view where) {
  ServeGen found;
  std::map<std::string, double> rates;
  std::set<std::string> groups;
  JIKJI_RETURN_IF_ERROR(ForEachFile(traces, where, [&](auto name, auto content) -> Result<> {
    const auto client = ClientOf(name, group, "-trace.csv", groups);
    if (!client) return {};
    JIKJI_ASSIGN(rates[*client], AddRates(content, std::string(name), found.step_s, found.rates));
    return {};
  }));
  Weights prompts, outputs;
  JIKJI_RETURN_IF_ERROR(ForEachFile(lengths, where, [&](auto name, auto content) -> Result<> {
    const auto client = ClientOf(name, group, "-dataset.json", groups);
    if (!client) return {};
    return AddLengths(content, std::string(name), rates[*client], prompts, outputs);
  }));
  found.prompts = Cumulated(prompts);
  found.outputs = Cumulated(outputs);
  if (found.rates.empty() || found.prompts.empty() || found.outputs.empty()) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("has no group `{}`; it has: {}", group, fmt::join(groups, ", ")),
                std::string(where));
  }
  return found;
}

double LengthAt(const LengthTable& table, double share) {
  const auto at = std::ranges::lower_bound(table, share, {}, &std::pair<double, double>::second);
  return at == table.end() ? table.back().first : at->first;
}

}  // namespace jikji::twin
