#include "tensor/gguf_limits.h"

#include <algorithm>
#include <bit>

#include "base/utf8.h"

namespace jikji {

bool IsGgufKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxGgufKeyBytes &&
         std::all_of(key.begin(), key.end(), [](char c) { return c >= 0x20 && c <= 0x7E; });
}

bool IsGgufName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxGgufNameBytes && IsValidUtf8(name) &&
         std::all_of(name.begin(), name.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte >= 0x20 && byte != 0x7F;
         });
}

bool IsGgufAlignment(uint64_t alignment) {
  return alignment >= 8 && alignment <= kMaxGgufAlignment && std::has_single_bit(alignment);
}

}  // namespace jikji
