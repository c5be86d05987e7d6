// Bytes of a known length that are read from anywhere: an open file, or what is put together from
// files when it is asked for.
#ifndef JIKJI_BASE_BYTE_SOURCE_H_
#define JIKJI_BASE_BYTE_SOURCE_H_

#include <cstdint>
#include <span>

#include "base/error.h"

namespace jikji {

// Thread-safe to read.
class ByteSource {
 public:
  virtual ~ByteSource() = default;

  virtual uint64_t size() const = 0;
  // Exactly `into.size()` bytes from `offset` on.
  virtual Result<> Read(uint64_t offset, std::span<char> into) const = 0;
  // An open file that holds these bytes at these places, for who can send one by itself; -1: none.
  virtual int descriptor() const { return -1; }

 protected:
  ByteSource() = default;
  ByteSource(const ByteSource&) = default;
  ByteSource& operator=(const ByteSource&) = default;
};

}  // namespace jikji

#endif  // JIKJI_BASE_BYTE_SOURCE_H_
