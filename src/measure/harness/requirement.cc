#include "measure/harness/requirement.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace jikji::measure {
namespace {

constexpr std::string_view kAgainst = "against";

std::string_view Trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

Result<Requirement> ParseOne(std::string_view part) {
  const auto bad = [&](std::string_view why) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` {}; write `kobest>=0.45`, `bits_per_byte<=1.9` or "
                            "`kobest>=against`",
                            part, why),
                "--require");
  };
  const size_t sign = part.find_first_of("<>");
  if (sign == std::string_view::npos || sign + 1 >= part.size() || part[sign + 1] != '=') {
    return bad("has neither >= nor <=");
  }
  Requirement requirement;
  requirement.name = Trim(part.substr(0, sign));
  requirement.at_least = part[sign] == '>';
  if (requirement.name.empty()) return bad("names no score");
  const std::string_view bound = Trim(part.substr(sign + 2));
  if (bound == kAgainst) return requirement;
  double number = 0;
  const auto [end, error] = std::from_chars(bound.data(), bound.data() + bound.size(), number);
  if (error != std::errc() || end != bound.data() + bound.size() || !std::isfinite(number)) {
    return bad("ends in no number");
  }
  requirement.bound = number;
  return requirement;
}

std::optional<double> Find(std::span<const Score> scores, std::string_view name) {
  const auto found = std::ranges::find(scores, name, &Score::name);
  if (found == scores.end()) return std::nullopt;
  return found->estimate.value;
}

}  // namespace

Result<std::vector<Requirement>> ParseRequirements(std::string_view text) {
  std::vector<Requirement> out;
  for (bool more = true; more;) {
    const size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    JIKJI_ASSIGN(Requirement one, ParseOne(Trim(text.substr(0, comma))));
    out.push_back(std::move(one));
    if (more) text.remove_prefix(comma + 1);
  }
  return out;
}

std::vector<Verdict> Judge(std::span<const Requirement> requirements, std::span<const Score> ours,
                           std::span<const Score> theirs) {
  std::vector<Verdict> verdicts;
  for (const Requirement& requirement : requirements) {
    Verdict verdict{.requirement = requirement,
                    .value = Find(ours, requirement.name),
                    .bound = requirement.bound ? requirement.bound : Find(theirs, requirement.name),
                    .met = false};
    if (verdict.value && verdict.bound) {
      verdict.met = requirement.at_least ? *verdict.value >= *verdict.bound
                                         : *verdict.value <= *verdict.bound;
    }
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

std::string ToString(const Requirement& requirement) {
  return fmt::format(
      "{}{}{}", requirement.name, requirement.at_least ? ">=" : "<=",
      requirement.bound ? fmt::format("{}", *requirement.bound) : std::string(kAgainst));
}

}  // namespace jikji::measure
