// What a person hands to `jikji eval`: a line of a task's file, or a list of requirements. Whatever
// is taken is whole, and a requirement is written as it can be read.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "measure/harness/items.h"
#include "measure/harness/requirement.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto item = jikji::measure::ParseChoiceItem(text, "line")) {
    if (item->choices.size() < 2 || item->gold >= item->choices.size()) std::abort();
  }
  if (const auto requirements = jikji::measure::ParseRequirements(text)) {
    for (const auto& requirement : *requirements) {
      const auto again = jikji::measure::ParseRequirements(jikji::measure::ToString(requirement));
      if (!again || again->size() != 1 || again->front().bound != requirement.bound) std::abort();
    }
  }
  return 0;
}
