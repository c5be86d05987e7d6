#include "api/rate_headers.h"

#include <fmt/format.h>

#include <optional>

namespace jikji {
namespace {

struct Names {
  const char *limit, *remaining, *reset;
};
constexpr Names kRequests = {"x-ratelimit-limit-requests", "x-ratelimit-remaining-requests",
                             "x-ratelimit-reset-requests"};
constexpr Names kTokens = {"x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens",
                           "x-ratelimit-reset-tokens"};

void Append(const Names& names, const std::optional<RateStatus>& status, net::Headers& out) {
  if (!status) return;
  out.emplace_back(names.limit, std::to_string(status->limit));
  out.emplace_back(names.remaining, std::to_string(status->remaining));
  out.emplace_back(names.reset, FormatReset(status->reset_microseconds));
}

}  // namespace

std::string FormatReset(int64_t microseconds) {
  const int64_t milliseconds = (microseconds + 999) / 1000;
  if (milliseconds < 1000) return fmt::format("{}ms", milliseconds);
  const int64_t seconds = milliseconds / 1000;
  if (seconds >= 60) return fmt::format("{}m{}s", seconds / 60, seconds % 60);
  const int64_t rest = milliseconds % 1000;
  if (rest == 0) return fmt::format("{}s", seconds);
  std::string text = fmt::format("{}.{:03}", seconds, rest);
  while (text.back() == '0') text.pop_back();
  return text + "s";
}

net::Headers RateHeaders(const LedgerStatus& status) {
  net::Headers headers;
  Append(kRequests, status.requests, headers);
  Append(kTokens, status.tokens, headers);
  if (status.over_soft_budget) {
    headers.emplace_back("X-Jikji-Budget-Exceeded",
                         std::string(ScopeKindName(*status.over_soft_budget)));
  }
  return headers;
}

}  // namespace jikji
