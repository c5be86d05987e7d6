// Any bytes as a node's /metrics: numbers within what a node could have.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/router/node_metrics.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const jikji::NodeMetrics metrics =
      jikji::ParseNodeMetrics({reinterpret_cast<const char*>(data), size});
  if (metrics.running < 0 || metrics.waiting < 0 || metrics.cache_tokens < 0) std::abort();
  if (!(metrics.cache_use >= 0 && metrics.cache_use <= 1)) std::abort();
  return 0;
}
