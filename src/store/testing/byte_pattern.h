// Bytes for tests of what hashes and cuts them: no piece is like another.
#ifndef JIKJI_STORE_TESTING_BYTE_PATTERN_H_
#define JIKJI_STORE_TESTING_BYTE_PATTERN_H_

#include <cstddef>
#include <cstdint>
#include <string>

namespace jikji {

inline std::string BytePattern(size_t count, uint32_t seed) {
  std::string out(count, '\0');
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<char>((i + seed) * 2654435761u >> 13);
  return out;
}

}  // namespace jikji

#endif  // JIKJI_STORE_TESTING_BYTE_PATTERN_H_
