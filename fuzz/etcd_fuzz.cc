// Answers and watch lines of etcd's JSON gateway.
#include <boost/json.hpp>
#include <string_view>

#include "app/membership/etcd_messages.h"
#include "app/membership/node_watch.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)jikji::TellsChange(text);
  const auto parsed = jikji::ParseJson(text);
  if (parsed && parsed->is_object()) {
    const auto listing = jikji::ParseListing(parsed->as_object());
    if (listing) (void)jikji::UrlsOf(*listing);
  }
  return 0;
}
