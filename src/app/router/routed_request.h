// What routing needs to know of a request: its model, the beginning of its prompt, and what it will
// cost, from the body of an OpenAI or Anthropic call.
#ifndef JIKJI_APP_ROUTER_ROUTED_REQUEST_H_
#define JIKJI_APP_ROUTER_ROUTED_REQUEST_H_

#include <cstddef>

#include "app/router/node_table.h"
#include "net/http.h"

namespace jikji {

// Bytes of text for a token: between English (four) and Korean (three).
inline constexpr size_t kBytesPerToken = 3;

struct RoutedRequest {
  NodeTable::Request wanted;
  bool stream = false;
};

// `block_bytes`: of prompt text, that a hash stands for. A body that is not understood is the
// node's to refuse.
RoutedRequest ReadRoutedRequest(const net::Request& request, size_t block_bytes);

}  // namespace jikji

#endif  // JIKJI_APP_ROUTER_ROUTED_REQUEST_H_
