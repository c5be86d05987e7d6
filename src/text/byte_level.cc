#include "text/byte_level.h"

#include <array>
#include <cstdint>

#include "base/utf8.h"

namespace jikji {
namespace {

// Printable Latin-1 writes itself; the other bytes take U+0100, U+0101, ... in order.
struct ByteLevelMap {
  std::array<char32_t, 256> character{};
  std::array<int16_t, 0x144> byte{};

  constexpr ByteLevelMap() {
    byte.fill(-1);
    char32_t next = 0x100;
    for (uint32_t b = 0; b < 256; ++b) {
      const bool printable =
          (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xAC) || (b >= 0xAE && b <= 0xFF);
      character[b] = printable ? b : next++;
      byte[character[b]] = static_cast<int16_t>(b);
    }
  }
};

constexpr ByteLevelMap kMap;

}  // namespace

std::optional<std::string> DecodeByteLevel(std::string_view written) {
  std::string bytes;
  while (!written.empty()) {
    const Utf8Char c = DecodeUtf8(written);
    if (!c.valid || c.code_point >= kMap.byte.size() || kMap.byte[c.code_point] < 0) {
      return std::nullopt;
    }
    bytes += static_cast<char>(kMap.byte[c.code_point]);
    written.remove_prefix(c.length);
  }
  return bytes;
}

std::string EncodeByteLevel(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) AppendUtf8(kMap.character[static_cast<uint8_t>(c)], out);
  return out;
}

}  // namespace jikji
