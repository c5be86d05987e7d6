// All bytes of a source, in order, a megabyte at a time.
#ifndef JIKJI_STORE_READ_PIECES_H_
#define JIKJI_STORE_READ_PIECES_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/byte_source.h"

namespace jikji {

// Calls `take` (Result<>(std::string_view)) with each piece; the first error ends it.
template <class Take>
Result<> ReadPieces(const ByteSource& source, Take take) {
  constexpr uint64_t kPieceBytes = 1u << 20;
  std::string piece;
  for (uint64_t at = 0; at < source.size(); at += piece.size()) {
    piece.resize(std::min(kPieceBytes, source.size() - at));
    JIKJI_RETURN_IF_ERROR(source.Read(at, piece));
    JIKJI_RETURN_IF_ERROR(take(std::string_view(piece)));
  }
  return {};
}

}  // namespace jikji

#endif  // JIKJI_STORE_READ_PIECES_H_
