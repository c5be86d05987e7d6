#include "text/bpe.h"

#include <algorithm>
#include <bit>
#include <queue>
#include <utility>

#include "base/utf8.h"
#include "text/piece_cache.h"
#include "text/unicode_table.h"

namespace jikji {
namespace {

constexpr std::string_view kMetaspace = "\xE2\x96\x81";

// From here on the heap beats scanning all pairs for the lowest rank.
constexpr size_t kLongPiece = 48;

uint64_t PairKey(SymbolId left, SymbolId right) {
  return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

int ParseByteToken(std::string_view written) {
  if (written.size() != 6 || !written.starts_with("<0x") || written[5] != '>') return -1;
  const int high = HexDigit(written[3]);
  const int low = HexDigit(written[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

struct Bpe::Scratch {
  std::vector<SymbolId> symbols;
  std::vector<uint32_t> ranks;   // of the pair that begins at each position
  std::vector<SymbolId> merged;  // what that pair becomes
  std::vector<uint32_t> next, previous;
  std::vector<uint64_t> heap;
  uint64_t work = 0;

  // Memory that one hostile piece made large is not kept by its thread.
  void Trim() {
    if (symbols.capacity() > (1u << 16)) *this = Scratch();
  }
};

Bpe::Bpe(BpeParts parts) : parts_(std::move(parts)), owner_(PieceCache::NewOwner()) {
  pairs_.resize(std::bit_ceil(parts_.merges.size() * 2 + 2));
  may_merge_.resize(std::bit_ceil(parts_.merges.size() / 8 + 1));
  for (const BpeMerge& merge : parts_.merges) AddPair(merge);
  parts_.merges = {};
  if (parts_.by_bytes) {
    for (size_t i = 0; i < 256; ++i) {
      const char byte = static_cast<char>(i);
      byte_symbols_[i] = parts_.symbols.Find({&byte, 1});
    }
  } else {
    bmp_symbols_.assign(0x10000, -1);
    std::string character;
    for (char32_t code = 0; code < 0x10000; ++code) {
      if (code >= 0xD800 && code < 0xE000) continue;
      character.clear();
      AppendUtf8(code, character);
      bmp_symbols_[code] = parts_.symbols.Find(character);
    }
    cut_at_spaces_ = bmp_symbols_[0x2581] >= 0 && MergesNeverCrossToSpace();
  }
}

void Bpe::AddPair(const BpeMerge& merge) {
  const uint64_t key = PairKey(merge.left, merge.right);
  const size_t mask = pairs_.size() - 1;
  const uint64_t hash = MixHash(key);
  may_merge_[FilterWord(hash)] |= FilterBit(hash);
  size_t slot = hash & mask;
  while (pairs_[slot].pair != UINT64_MAX && pairs_[slot].pair != key) slot = (slot + 1) & mask;
  pairs_[slot] = {key, merge.rank, merge.merged};
}

const Bpe::Slot& Bpe::Look(SymbolId left, SymbolId right) const {
  static constexpr Slot kNone;
  const uint64_t key = PairKey(left, right);
  const uint64_t hash = MixHash(key);
  if ((may_merge_[FilterWord(hash)] & FilterBit(hash)) == 0) return kNone;
  const size_t mask = pairs_.size() - 1;
  for (size_t slot = hash & mask;; slot = (slot + 1) & mask) {
    if (pairs_[slot].pair == key) return pairs_[slot];
    if (pairs_[slot].pair == UINT64_MAX) return kNone;
  }
}

bool Bpe::MergesNeverCrossToSpace() const {
  if (parts_.whole_pieces) return false;
  for (const Slot& slot : pairs_) {
    if (slot.pair == UINT64_MAX) continue;
    const auto left = parts_.symbols[static_cast<SymbolId>(slot.pair >> 32)];
    const auto right = parts_.symbols[static_cast<SymbolId>(slot.pair & UINT32_MAX)];
    if (right.starts_with(kMetaspace) && !left.ends_with(kMetaspace)) return false;
  }
  return true;
}

SymbolId Bpe::SymbolOf(std::string_view character, char32_t code) const {
  return code < 0x10000 ? bmp_symbols_[code] : parts_.symbols.Find(character);
}

bool Bpe::HaveByteTokens(std::string_view bytes) const {
  return std::all_of(bytes.begin(), bytes.end(), [&](char byte) { return ByteToken(byte) >= 0; });
}

void Bpe::Start(std::string_view piece, std::vector<SymbolId>& symbols) const {
  symbols.clear();
  bool unknown = false;  // one is waiting
  const auto flush = [&] {
    if (unknown) symbols.push_back(parts_.unknown);
    unknown = false;
  };
  while (!piece.empty()) {
    CharAt c{0, 1};
    SymbolId symbol;
    if (parts_.by_bytes) {
      symbol = byte_symbols_[static_cast<uint8_t>(piece[0])];
    } else {
      c = FirstChar(piece);
      symbol = SymbolOf(piece.substr(0, c.length), c.code);
    }
    const std::string_view character = piece.substr(0, c.length);
    piece.remove_prefix(c.length);
    if (symbol >= 0) {
      flush();
      symbols.push_back(symbol);
      continue;
    }
    if (HaveByteTokens(character)) {
      for (const char byte : character) symbols.push_back(ByteToken(byte));
      continue;
    }
    if (parts_.unknown < 0) continue;
    if (!parts_.fuse_unknown) flush();
    unknown = true;
  }
  flush();
}

void Bpe::MergeShort(Scratch& scratch) const {
  std::vector<SymbolId>& symbols = scratch.symbols;
  size_t count = symbols.size();
  if (count < 2) return;
  uint32_t ranks[kLongPiece];
  SymbolId merged[kLongPiece];
  const auto look = [&](size_t i) {
    const Slot& slot = Look(symbols[i], symbols[i + 1]);
    ranks[i] = slot.rank;
    merged[i] = slot.merged;
    ++scratch.work;
  };
  for (size_t i = 0; i + 1 < count; ++i) look(i);
  for (;;) {
    size_t best = 0;
    for (size_t i = 1; i + 1 < count; ++i) {
      if (ranks[i] < ranks[best]) best = i;
    }
    scratch.work += count;
    if (count < 2 || ranks[best] == kNoRank) break;
    symbols[best] = merged[best];
    --count;
    for (size_t i = best + 1; i < count; ++i) symbols[i] = symbols[i + 1];
    for (size_t i = best + 1; i + 1 < count; ++i) {
      ranks[i] = ranks[i + 1];
      merged[i] = merged[i + 1];
    }
    if (best > 0) look(best - 1);
    if (best + 1 < count) look(best);
  }
  symbols.resize(count);
}

void Bpe::MergeLong(Scratch& scratch) const {
  std::vector<SymbolId>& symbols = scratch.symbols;
  const auto count = static_cast<uint32_t>(symbols.size());
  scratch.ranks.assign(count, kNoRank);
  scratch.merged.resize(count);
  scratch.next.resize(count);
  scratch.previous.resize(count);
  scratch.heap.clear();
  const auto log = static_cast<uint64_t>(std::bit_width(count));
  // An entry (rank, position) is right as long as the pair at that position has that rank.
  const auto look = [&](uint32_t i) {
    ++scratch.work;
    const uint32_t right = scratch.next[i];
    if (right == count) {
      scratch.ranks[i] = kNoRank;
      return false;
    }
    const Slot& slot = Look(symbols[i], symbols[right]);
    scratch.ranks[i] = slot.rank;
    scratch.merged[i] = slot.merged;
    return slot.rank != kNoRank;
  };
  const auto entry = [&](uint32_t i) { return static_cast<uint64_t>(scratch.ranks[i]) << 32 | i; };
  for (uint32_t i = 0; i < count; ++i) {
    scratch.next[i] = i + 1;
    scratch.previous[i] = i - 1;
  }
  for (uint32_t i = 0; i < count; ++i) {
    if (look(i)) scratch.heap.push_back(entry(i));
  }
  std::make_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
  const auto push = [&](uint32_t i) {
    if (!look(i)) return;
    scratch.heap.push_back(entry(i));
    std::push_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
    scratch.work += log;
  };
  while (!scratch.heap.empty()) {
    const uint64_t top = scratch.heap.front();
    std::pop_heap(scratch.heap.begin(), scratch.heap.end(), std::greater<>());
    scratch.heap.pop_back();
    scratch.work += log;
    const auto at = static_cast<uint32_t>(top & UINT32_MAX);
    if (scratch.ranks[at] != top >> 32) continue;
    const uint32_t right = scratch.next[at];
    symbols[at] = scratch.merged[at];
    symbols[right] = -1;
    scratch.ranks[right] = kNoRank;
    scratch.next[at] = scratch.next[right];
    if (scratch.next[at] < count) scratch.previous[scratch.next[at]] = at;
    push(at);
    if (at > 0) push(scratch.previous[at]);
  }
  std::erase(symbols, -1);
}

void Bpe::Emit(SymbolId symbol, std::vector<TokenId>& out) const {
  if (symbol < parts_.vocab_size) {
    out.push_back(symbol);
    return;
  }
  // No token: its characters' own tokens, or their bytes.
  std::string_view rest = parts_.symbols[symbol];
  while (!rest.empty()) {
    const size_t length = parts_.by_bytes ? 1 : FirstChar(rest).length;
    const SymbolId own = parts_.symbols.Find(rest.substr(0, length));
    const std::string_view bytes = rest.substr(0, length);
    if (own >= 0 && own < parts_.vocab_size) {
      out.push_back(own);
    } else if (HaveByteTokens(bytes)) {
      for (const char byte : bytes) out.push_back(ByteToken(byte));
    } else if (parts_.unknown >= 0) {
      out.push_back(parts_.unknown);
    }
    rest.remove_prefix(length);
  }
}

void Bpe::EncodeUncached(std::string_view piece, Scratch& scratch,
                         std::vector<TokenId>& out) const {
  if (parts_.whole_pieces) {
    const SymbolId whole = parts_.symbols.Find(piece);
    const auto index = static_cast<size_t>(whole);
    if (whole >= 0 && whole < parts_.vocab_size &&
        (index >= parts_.not_whole.size() || !parts_.not_whole[index])) {
      out.push_back(whole);
      return;
    }
  }
  Start(piece, scratch.symbols);
  if (scratch.symbols.size() <= kLongPiece) {
    MergeShort(scratch);
  } else {
    MergeLong(scratch);
  }
  for (const SymbolId symbol : scratch.symbols) Emit(symbol, out);
}

void Bpe::EncodeCached(std::string_view piece, std::vector<TokenId>& out) const {
  static thread_local Scratch scratch;
  if (piece.size() > PieceCache::kMaxBytes) {
    EncodeUncached(piece, scratch, out);
    scratch.Trim();
    return;
  }
  PieceCache::Entry& entry = PieceCache::EntryOf(owner_, piece);
  if (entry.Holds(owner_, piece)) {
    out.insert(out.end(), entry.tokens, entry.tokens + entry.count);
    return;
  }
  const size_t before = out.size();
  EncodeUncached(piece, scratch, out);
  const std::span<const TokenId> made = std::span(out).subspan(before);
  if (made.size() <= PieceCache::kMaxTokens) entry.Store(owner_, piece, made);
}

void Bpe::Encode(std::string_view piece, std::vector<TokenId>& out) const {
  if (!cut_at_spaces_) return EncodeCached(piece, out);
  while (!piece.empty()) {
    size_t end = 0;
    while (piece.substr(end).starts_with(kMetaspace)) end += kMetaspace.size();
    end = std::min(piece.find(kMetaspace, end), piece.size());
    EncodeCached(piece.substr(0, end), out);
    piece.remove_prefix(end);
  }
}

uint64_t Bpe::EncodeCounted(std::string_view piece, std::vector<TokenId>& out) const {
  Scratch scratch;
  EncodeUncached(piece, scratch, out);
  return scratch.work;
}

}  // namespace jikji
