// The chunked transfer coding (RFC 9112, 7.1): bytes to body, piece by piece, keeping nothing.
//
// Strict: sizes are hexadecimal digits alone, lines end with CRLF. Extensions and trailers are read
// over, and bounded. Internal to net/.
#ifndef JIKJI_NET_CHUNKED_H_
#define JIKJI_NET_CHUNKED_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace jikji::net {

class ChunkDecoder {
 public:
  enum class Status {
    kMore,      // all of `input` was taken; more must come
    kPiece,     // `piece` holds the next bytes of the body
    kDone,      // the body ended; what is left of `input` follows it
    kBad,       // not chunked coding
    kTooLarge,  // the sizes add up to more than max_body_bytes
  };

  explicit ChunkDecoder(uint64_t max_body_bytes) : left_(max_body_bytes) {}

  // Takes bytes off the front of `input`; `piece` points into it. Once kDone, kBad or kTooLarge was
  // returned it must not be called again.
  Status Next(std::string_view& input, std::string_view& piece);

 private:
  enum class State : uint8_t {
    kSizeStart,
    kSize,
    kExtension,
    kSizeLf,
    kData,
    kDataCr,
    kDataLf,
    kTrailerStart,
    kTrailer,
    kTrailerLf,
    kLastLf,
  };

  uint64_t left_;          // how much body may still come
  uint64_t size_ = 0;      // of this chunk, what is to come
  uint32_t overhead_ = 0;  // bytes of extensions and trailers so far
  State state_ = State::kSizeStart;
};

}  // namespace jikji::net

#endif  // JIKJI_NET_CHUNKED_H_
