#include "net/chunked.h"

#include <algorithm>

namespace jikji::net {
namespace {

// Nobody needs extensions; a peer that sends more of them than this wastes our time.
constexpr uint32_t kMaxOverhead = 16u << 10;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool IsText(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7F) || c == '\t';
}

}  // namespace

ChunkDecoder::Status ChunkDecoder::Next(std::string_view& input, std::string_view& piece) {
  while (!input.empty()) {
    if (state_ == State::kData) {
      piece = input.substr(0, std::min<uint64_t>(size_, input.size()));
      input.remove_prefix(piece.size());
      size_ -= piece.size();
      if (size_ == 0) state_ = State::kDataCr;
      return Status::kPiece;
    }
    const char c = input.front();
    input.remove_prefix(1);
    switch (state_) {
      case State::kSizeStart:
      case State::kSize:
        if (const int digit = HexDigit(c); digit >= 0) {
          if (size_ >> 59 != 0) return Status::kTooLarge;
          size_ = size_ * 16 + static_cast<uint64_t>(digit);
          state_ = State::kSize;
          break;
        }
        if (state_ == State::kSizeStart) return Status::kBad;
        if (size_ > left_) return Status::kTooLarge;
        if (c == '\r') {
          state_ = State::kSizeLf;
        } else if (c == ';') {
          state_ = State::kExtension;
        } else {
          return Status::kBad;
        }
        break;
      case State::kExtension:
        if (++overhead_ > kMaxOverhead) return Status::kBad;
        if (c == '\r') {
          state_ = State::kSizeLf;
        } else if (!IsText(c)) {
          return Status::kBad;
        }
        break;
      case State::kSizeLf:
        if (c != '\n') return Status::kBad;
        left_ -= size_;
        state_ = size_ == 0 ? State::kTrailerStart : State::kData;
        break;
      case State::kDataCr:
        if (c != '\r') return Status::kBad;
        state_ = State::kDataLf;
        break;
      case State::kDataLf:
        if (c != '\n') return Status::kBad;
        state_ = State::kSizeStart;
        break;
      case State::kTrailerStart:
        if (c == '\r') {
          state_ = State::kLastLf;
          break;
        }
        state_ = State::kTrailer;
        [[fallthrough]];
      case State::kTrailer:
        if (++overhead_ > kMaxOverhead) return Status::kBad;
        if (c == '\r') {
          state_ = State::kTrailerLf;
        } else if (!IsText(c)) {
          return Status::kBad;
        }
        break;
      case State::kTrailerLf:
        if (c != '\n') return Status::kBad;
        state_ = State::kTrailerStart;
        break;
      case State::kLastLf:
        return c == '\n' ? Status::kDone : Status::kBad;
      case State::kData:
        break;  // Handled above.
    }
  }
  return Status::kMore;
}

}  // namespace jikji::net
