#include "api/access.h"

#include <algorithm>

namespace jikji {
namespace {

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

// Looks at every byte of `given`, wherever the first difference is.
bool ConstantTimeEqual(std::string_view given, std::string_view key) {
  volatile unsigned char difference = given.size() == key.size() ? 0 : 1;
  for (size_t i = 0; i < given.size(); ++i) {
    difference = difference | static_cast<unsigned char>(given[i] ^ key[i % key.size()]);
  }
  return difference == 0;
}

}  // namespace

std::string_view BearerToken(std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (!EqualIgnoringCase(authorization.substr(0, kScheme.size()), kScheme)) return {};
  authorization.remove_prefix(kScheme.size());
  while (authorization.starts_with(' ')) authorization.remove_prefix(1);
  while (authorization.ends_with(' ')) authorization.remove_suffix(1);
  return authorization;
}

std::string_view Cookie(const net::Request& request, std::string_view name) {
  std::string_view rest = request.Header("Cookie");
  while (!rest.empty()) {
    const size_t end = std::min(rest.find(';'), rest.size());
    std::string_view pair = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      return pair.substr(name.size() + 1);
    }
  }
  return {};
}

bool KeyGuard::Admits(std::string_view authorization) const {
  if (keys_.empty()) return true;
  const std::string_view token = BearerToken(authorization);
  bool admitted = false;
  for (const std::string& key : keys_) admitted |= ConstantTimeEqual(token, key);
  return admitted;
}

bool CorsPolicy::Lists(std::string_view origin) const {
  return std::ranges::any_of(
      origins_, [&](const std::string& listed) { return listed == "*" || listed == origin; });
}

bool CorsPolicy::Admits(const net::Request& request) const {
  const std::string_view origin = request.Header("Origin");
  if (origin.empty() || Lists(origin)) return true;
  const size_t scheme = origin.find("://");
  if (scheme == std::string_view::npos) return false;
  return EqualIgnoringCase(origin.substr(scheme + 3), request.Header("Host"));
}

net::Headers CorsPolicy::AnswerHeaders(const net::Request& request) const {
  const std::string_view origin = request.Header("Origin");
  if (origin.empty() || !Lists(origin)) return {};
  return {{"Access-Control-Allow-Origin", std::string(origin)},
          {"Access-Control-Expose-Headers",
           "X-Request-Id, Retry-After, x-ratelimit-limit-requests, "
           "x-ratelimit-remaining-requests, x-ratelimit-reset-requests, x-ratelimit-limit-tokens, "
           "x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"},
          {"Vary", "Origin"}};
}

net::Headers CorsPolicy::PreflightHeaders(const net::Request& request) const {
  net::Headers headers = AnswerHeaders(request);
  if (headers.empty()) return headers;
  headers.emplace_back("Access-Control-Allow-Methods", "GET, POST");
  headers.emplace_back("Access-Control-Max-Age", "600");
  // The wish is granted as it stands: keys travel in Authorization, never in cookies.
  const std::string_view wish = request.Header("Access-Control-Request-Headers");
  const bool plain = std::ranges::all_of(wish, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == ',' || c == ' ';
  });
  if (!wish.empty() && plain) {
    headers.emplace_back("Access-Control-Allow-Headers", std::string(wish));
  }
  return headers;
}

}  // namespace jikji
