#include "govern/audit/hash.h"

#include <array>
#include <cstddef>

namespace jikji::audit {
namespace {

// Tables for eight bytes at a time (Kounavis and Berry 2005).
constexpr size_t kSlices = 8;
using CrcTables = std::array<std::array<uint32_t, 256>, kSlices>;
constexpr CrcTables kCrcTables = [] {
  constexpr uint32_t kPolynomial = 0xEDB88320;
  CrcTables tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][i] = crc;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t i = 0; i < 256; ++i) {
      const uint32_t crc = tables[slice - 1][i];
      tables[slice][i] = (crc >> 8) ^ tables[0][crc & 0xFF];
    }
  }
  return tables;
}();

}  // namespace

uint32_t Crc32(std::string_view bytes) {
  const auto at = [&](size_t i) { return static_cast<uint32_t>(static_cast<uint8_t>(bytes[i])); };
  uint32_t crc = ~0u;
  size_t i = 0;
  for (; i + kSlices <= bytes.size(); i += kSlices) {
    crc ^= at(i) | at(i + 1) << 8 | at(i + 2) << 16 | at(i + 3) << 24;
    crc = kCrcTables[7][crc & 0xFF] ^ kCrcTables[6][crc >> 8 & 0xFF] ^
          kCrcTables[5][crc >> 16 & 0xFF] ^ kCrcTables[4][crc >> 24] ^ kCrcTables[3][at(i + 4)] ^
          kCrcTables[2][at(i + 5)] ^ kCrcTables[1][at(i + 6)] ^ kCrcTables[0][at(i + 7)];
  }
  for (; i < bytes.size(); ++i) crc = (crc >> 8) ^ kCrcTables[0][(crc ^ at(i)) & 0xFF];
  return ~crc;
}

}  // namespace jikji::audit
