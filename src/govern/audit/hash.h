// SHA-256 and HMAC-SHA-256 (OpenSSL), and the checksum of frames.
#ifndef JIKJI_GOVERN_AUDIT_HASH_H_
#define JIKJI_GOVERN_AUDIT_HASH_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji::audit {

using Hash = std::array<uint8_t, 32>;

// Of the parts one after the other. Thread-safe.
Hash Sha256(std::initializer_list<std::string_view> parts);

Hash HmacSha256(std::string_view key, std::initializer_list<std::string_view> parts);

// CRC-32 (IEEE 802.3): tells a torn or rotten frame; no defence against a person, who can compute
// it too.
uint32_t Crc32(std::string_view bytes);

inline std::string_view BytesOf(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::string ToHex(std::string_view bytes);
// kMalformed unless `hex` is as many pairs of hexadecimal digits.
Result<std::string> FromHex(std::string_view hex);
Result<Hash> HashFromHex(std::string_view hex);

std::string ToBase64(std::string_view bytes);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_HASH_H_
