// Any bytes as a key, a network, a peer, an amount and a day: an error or a value that means what
// was written.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "govern/ledger/calendar.h"
#include "govern/ledger/money.h"
#include "govern/tenancy/api_key.h"
#include "govern/tenancy/network.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto require = [](bool holds) {
    if (!holds) std::abort();
  };
  if (const auto prefix = jikji::KeyPrefix(text)) require(text.starts_with(*prefix));
  if (const auto amount = jikji::ParseMoney(text)) {
    require(*amount >= 0 && jikji::ParseMoney(jikji::FormatMoney(*amount)).value() == *amount);
  }
  if (const auto day = jikji::ParseDay(text)) {
    require(jikji::FormatTime(*day).substr(0, 10) == text);
  }
  const auto networks = jikji::ParseNetworks(text);
  if (networks) {
    require(std::ranges::count(text, ',') + (text.empty() ? 0 : 1) ==
            static_cast<long>(networks->size()));
  }
  if (const auto peer = jikji::ParsePeer(text); peer && networks) {
    for (const auto& network : *networks) (void)network.Contains(*peer);
  }
  return 0;
}
