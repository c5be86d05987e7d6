// A checksum against damage, not against people: XXH64 (github.com/Cyan4973/xxHash, its
// doc/xxhash_spec.md), which costs a tenth of SHA-256.
#ifndef JIKJI_STORE_CHECKSUM_H_
#define JIKJI_STORE_CHECKSUM_H_

#include <cstdint>
#include <string_view>

namespace jikji {

uint64_t Xxh64(std::string_view bytes, uint64_t seed = 0);

}  // namespace jikji

#endif  // JIKJI_STORE_CHECKSUM_H_
