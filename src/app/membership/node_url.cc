#include "app/membership/node_url.h"

#include <fmt/format.h>

namespace jikji {
namespace {

constexpr std::string_view kScheme = "http://";

}  // namespace

Result<std::string> NodeUrl(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  const bool plain = url.starts_with(kScheme) && url.size() > kScheme.size() &&
                     url.find_first_of("/?#@ \r\n\t\"", kScheme.size()) == std::string::npos;
  if (!plain) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` is not http://HOST:PORT", url));
  }
  return url;
}

std::string_view EndpointOf(std::string_view url) {
  return url.starts_with(kScheme) ? url.substr(kScheme.size()) : url;
}

}  // namespace jikji
