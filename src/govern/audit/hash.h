// What the log is chained with, and the checksum of its frames.
#ifndef JIKJI_GOVERN_AUDIT_HASH_H_
#define JIKJI_GOVERN_AUDIT_HASH_H_

#include <cstdint>
#include <string_view>

#include "store/digest.h"

namespace jikji::audit {

using Hash = Digest;

// CRC-32 (IEEE 802.3): tells a torn or rotten frame; no defence against a person, who can compute
// it too.
uint32_t Crc32(std::string_view bytes);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_HASH_H_
