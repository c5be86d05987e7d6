// The tokens of pieces met lately: a fixed table per thread, one cache line an entry.
//
// Words repeat, and merging one costs several times a look-up. The table is direct-mapped, of one
// size whatever the text, and belongs to its thread, so it needs no lock; entries name the model
// they are of, so that models share it.
#ifndef JIKJI_TEXT_PIECE_CACHE_H_
#define JIKJI_TEXT_PIECE_CACHE_H_

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include "text/string_table.h"
#include "text/tokenizer.h"

namespace jikji {

class PieceCache {
 public:
  static constexpr size_t kMaxBytes = 34;
  static constexpr size_t kMaxTokens = 6;

  struct alignas(64) Entry {
    uint32_t owner = 0;
    uint8_t length = 0;
    uint8_t count = 0;
    char key[kMaxBytes];
    TokenId tokens[kMaxTokens];

    bool Holds(uint32_t of, std::string_view piece) const {
      return owner == of && length == piece.size() &&
             std::memcmp(key, piece.data(), piece.size()) == 0;
    }

    void Store(uint32_t of, std::string_view piece, std::span<const TokenId> ids) {
      owner = of;
      length = static_cast<uint8_t>(piece.size());
      count = static_cast<uint8_t>(ids.size());
      std::copy(piece.begin(), piece.end(), key);
      std::copy(ids.begin(), ids.end(), tokens);
    }
  };
  static_assert(sizeof(Entry) == 64);

  // The one place of `piece`, which may hold another; piece.size() ≤ kMaxBytes.
  static Entry& EntryOf(uint32_t owner, std::string_view piece);

  // A number for a new model, never given twice.
  static uint32_t NewOwner();

 private:
  static constexpr size_t kEntries = 1 << 15;  // 2 MiB a thread
  std::unique_ptr<Entry[]> entries_ = std::make_unique<Entry[]>(kEntries);
};

}  // namespace jikji

#endif  // JIKJI_TEXT_PIECE_CACHE_H_
