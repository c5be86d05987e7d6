// Any bytes as a provider's keys and as an ID token: read whole or refused. Nothing that is not
// signed is ever taken.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "govern/login/id_token.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  // A set of keys, a line break, a token.
  const size_t line = std::min(text.find('\n'), text.size());
  const auto keys = jikji::login::ParseJwks(text.substr(0, line));
  if (!keys) return 0;
  for (const auto& key : *keys) {
    if (key.key == nullptr || key.algorithm.empty()) std::abort();
  }
  const std::string_view token = text.substr(std::min(line + 1, text.size()));
  const auto identity = jikji::login::CheckIdToken(
      token, *keys,
      {.issuer = "https://id.example", .client = "jikji", .nonce = "n", .now = 1'800'000'000});
  if (identity && (keys->empty() || identity->subject.empty())) std::abort();
  (void)jikji::login::AsksForUnknownKey(token, *keys);
  return 0;
}
