// Any bytes as a file of engines or of events of a site: an error that says where, or what can be
// simulated.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "twin/engines.h"
#include "twin/site_model.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jikji::twin;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto engines = ReadEngines(text, "engines")) {
    for (const NamedEngine& named : *engines) {
      if (named.gpus < 1 || !(named.engine.step.DecodeSeconds(1, 1) > 0)) std::abort();
      if (named.engine.kv_tokens < 1 || named.engine.max_running < 1) std::abort();
    }
  } else if (engines.error().where.empty()) {
    std::abort();
  }
  const auto events = ReadSiteEvents(text, "events");
  if (!events) {
    if (events.error().where.empty()) std::abort();
    return 0;
  }
  SiteModel model;
  model.events = *events;
  for (const SiteEvent& event : *events) {
    if (!(event.at_hour >= 0) || !(event.hours >= 0)) std::abort();
  }
  if (const auto checked = Check(model); !checked && checked.error().where.empty()) std::abort();
  return 0;
}
