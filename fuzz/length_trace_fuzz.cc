// Any bytes as a trace of lengths: an error, or lengths that fit whatever context they are scaled
// to.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "measure/length_trace.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto lengths = jikji::measure::ParseLengthTrace(
      std::string_view(reinterpret_cast<const char*>(data), size), "trace.csv");
  if (!lengths) {
    if (lengths.error().where.empty()) std::abort();  // an error must say where
    return 0;
  }
  const int64_t context = 2 + static_cast<int64_t>(size % 512);
  ScaleToContext(*lengths, context);
  for (const auto& row : *lengths) {
    if (row.prompt < 1 || row.output < 1 || row.prompt + row.output > context) std::abort();
  }
  return 0;
}
