#include "text/piece_cache.h"

#include <atomic>

namespace jikji {

PieceCache::Entry& PieceCache::EntryOf(uint32_t owner, std::string_view piece) {
  static thread_local PieceCache cache;
  return cache.entries_[(HashBytes(piece) + owner) % kEntries];
}

uint32_t PieceCache::NewOwner() {
  static std::atomic<uint32_t> last = 0;
  return ++last;
}

}  // namespace jikji
