#include "app/membership/node_url.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

namespace jikji {
namespace {

constexpr std::string_view kScheme = "http://";

bool EndsWithPort(std::string_view endpoint) {
  const size_t colon = endpoint.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || endpoint.ends_with(']')) return false;
  const std::string_view digits = endpoint.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && port > 0;
}

}  // namespace

Result<std::string> NodeUrl(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  const bool plain = url.starts_with(kScheme) && url.size() > kScheme.size() &&
                     url.find_first_of("/?#@ \r\n\t\"", kScheme.size()) == std::string::npos &&
                     EndsWithPort(EndpointOf(url));
  if (!plain) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` is not http://HOST:PORT", url));
  }
  return url;
}

std::string_view EndpointOf(std::string_view url) {
  return url.starts_with(kScheme) ? url.substr(kScheme.size()) : url;
}

}  // namespace jikji
