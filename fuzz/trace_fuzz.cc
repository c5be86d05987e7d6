// Any bytes as a recorded trace, an archive, measured points or watts: an error or what it says.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "twin/archive.h"
#include "twin/power_table.h"
#include "twin/servegen.h"
#include "twin/serving_points.h"
#include "twin/trace.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jikji::twin;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const auto& trace : {ParseAzureTrace(text, "t"), ParseMooncakeTrace(text, "t")}) {
    if (!trace) continue;
    double last = 0;
    for (const TraceRequest& request : trace->requests) {
      if (request.time < last || request.output == 0 || request.prompt == 0) std::abort();
      if (request.blocks_end > trace->blocks.size()) std::abort();
      last = request.time;
    }
  }
  (void)Decompress(text, "z", 1 << 20);
  (void)ParseServeGen(text, text, "g", "s");
  (void)ParseSiliconPoints(text, "p");
  (void)ParsePowerRows(text, "w");
  return 0;
}
