#include "net/out_queue.h"

#include <charconv>
#include <utility>

namespace jikji::net {
namespace {

// Below this, copying beats one more entry in a gathered write.
constexpr size_t kSmallPiece = 4096;
// How far small pieces are joined into one.
constexpr size_t kJoinedPiece = 16384;

}  // namespace

void OutQueue::AppendCopy(std::string_view text) {
  if (text.empty()) return;
  bytes_ += text.size();
  if (pieces_.size() > first_ && pieces_.back().size() + text.size() <= kJoinedPiece) {
    pieces_.back().append(text);
  } else {
    pieces_.emplace_back(text);
  }
}

void OutQueue::Append(std::string piece) {
  if (piece.size() <= kSmallPiece && pieces_.size() > first_) return AppendCopy(piece);
  if (piece.empty()) return;
  bytes_ += piece.size();
  pieces_.push_back(std::move(piece));
}

void OutQueue::AppendChunk(std::string piece) {
  char size[20];
  char* end = std::to_chars(size, size + 16, piece.size(), 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  AppendCopy({size, end});
  Append(std::move(piece));
  AppendCopy("\r\n");
}

void OutQueue::Splice(OutQueue& other) {
  if (empty() && other.offset_ == 0) {
    std::swap(*this, other);
  } else {
    for (size_t i = 0; i < other.pieces(); ++i) {
      if (i == 0 && other.offset_ > 0) {
        AppendCopy(other.piece(0));
      } else {
        Append(std::move(other.pieces_[other.first_ + i]));
      }
    }
  }
  other.Clear();
}

std::string_view OutQueue::piece(size_t i) const {
  std::string_view text = pieces_[first_ + i];
  if (i == 0) text.remove_prefix(offset_);
  return text;
}

void OutQueue::Consume(size_t count) {
  bytes_ -= count;
  while (count > 0) {
    const size_t left = pieces_[first_].size() - offset_;
    if (count < left) {
      offset_ += count;
      return;
    }
    count -= left;
    offset_ = 0;
    pieces_[first_++] = {};
  }
  if (bytes_ == 0) {
    Clear();
  } else if (first_ >= 64 && first_ * 2 > pieces_.size()) {
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<ptrdiff_t>(first_));
    first_ = 0;
  }
}

void OutQueue::Clear() {
  // The memory goes back: an idle connection must cost little.
  *this = OutQueue();
}

}  // namespace jikji::net
