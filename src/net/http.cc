#include "net/http.h"

#include "net/message.h"

namespace jikji::net {

std::string_view Request::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualIgnoringCase(key, name)) return value;
  }
  return {};
}

}  // namespace jikji::net
