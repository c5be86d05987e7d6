// Any bytes as a file of duties: an error, or duties that can be judged.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "govern/compliance/duty.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto duties =
      jikji::compliance::ReadDuties({reinterpret_cast<const char*>(data), size}, "duties");
  if (!duties) return 0;
  const auto findings = jikji::compliance::Judge(*duties, {}, 1'800'000'000);
  if (findings.size() != duties->size()) std::abort();
  for (const auto& duty : *duties) {
    if (duty.id.empty()) std::abort();
  }
  return 0;
}
