// Any bytes as adapter_config.json: an error, or numbers that an adapter can have.
#include <boost/json.hpp>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/json.h"
#include "model/peft_adapter.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto json = jikji::ParseJson({reinterpret_cast<const char*>(data), size});
  if (!json || !json->is_object()) return 0;
  const auto config = jikji::ReadPeftConfig(json->get_object(), "fuzz");
  if (!config) {
    if (config.error().message.empty()) std::abort();
    return 0;
  }
  if (config->rank < 1 || !std::isfinite(config->alpha)) std::abort();
  return 0;
}
