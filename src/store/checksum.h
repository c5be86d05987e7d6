// Checksums against damage, not against people: who changes bytes can compute these anew.
#ifndef JIKJI_STORE_CHECKSUM_H_
#define JIKJI_STORE_CHECKSUM_H_

#include <cstdint>
#include <string_view>

namespace jikji {

// XXH64, which costs a tenth of SHA-256.
uint64_t Xxh64(std::string_view bytes, uint64_t seed = 0);

// CRC-32 of IEEE 802.3, for records of some hundred bytes and what says its format wants it.
uint32_t Crc32(std::string_view bytes);

}  // namespace jikji

#endif  // JIKJI_STORE_CHECKSUM_H_
