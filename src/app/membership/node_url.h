// Where a node of a fleet is reached: http://HOST:PORT, with nothing after it.
#ifndef JIKJI_APP_MEMBERSHIP_NODE_URL_H_
#define JIKJI_APP_MEMBERSHIP_NODE_URL_H_

#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

// The URL without slashes at its end; an error where it is anything else.
Result<std::string> NodeUrl(std::string url);

// "HOST:PORT" of such a URL.
std::string_view EndpointOf(std::string_view url);

}  // namespace jikji

#endif  // JIKJI_APP_MEMBERSHIP_NODE_URL_H_
