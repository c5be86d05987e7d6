// Any bytes as a sample of a conversation: an error, or turns of known roles.
#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "adapt/data/chat_sample.h"
#include "base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto json = jikji::ParseJson({reinterpret_cast<const char*>(data), size});
  if (!json) return 0;
  const auto turns = jikji::ReadChatSample(*json);
  if (!turns) {
    if (turns.error().message.empty()) std::abort();
    return 0;
  }
  if (turns->empty()) std::abort();
  for (const jikji::ChatTurn& turn : *turns) {
    if (turn.role != "system" && turn.role != "user" && turn.role != "assistant" &&
        turn.role != "tool") {
      std::abort();
    }
  }
  return 0;
}
