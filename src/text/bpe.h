// Byte pair encoding: merges the pair of neighbours of the lowest rank, the leftmost first, until
// none is left (Sennrich et al. 2016; SentencePiece's BPE is the same with ranks from scores).
//
// Symbols are the vocabulary's tokens and, after them, texts that are no token but that merges
// start from or pass through. Cost: n log n in the piece. Non-goals: dropout, word prefixes and
// suffixes.
#ifndef JIKJI_TEXT_BPE_H_
#define JIKJI_TEXT_BPE_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/string_table.h"
#include "text/token_model.h"

namespace jikji {

// An index into BpeParts::symbols.
using SymbolId = int32_t;

struct BpeMerge {
  SymbolId left = 0;
  SymbolId right = 0;
  SymbolId merged = 0;
  uint32_t rank = 0;
};

struct BpeParts {
  StringTable symbols;     // the texts; tokens first, the token's id is the index
  int32_t vocab_size = 0;  // symbols from here on are no tokens
  // Of equal pairs the last counts, as in a dictionary that is filled in order.
  std::vector<BpeMerge> merges;
  bool by_bytes = false;  // pieces begin as single bytes, not as code points
  // A piece that is a token as a whole is that token, whatever the merges say.
  bool whole_pieces = false;
  std::vector<bool> not_whole;  // by token: never taken as a whole piece; may be empty
  ByteTokens byte_tokens = kNoByteTokens;
  TokenId unknown = -1;       // for a character without symbol or byte tokens; -1: left out
  bool fuse_unknown = false;  // one token for neighbouring unknown characters
};

class Bpe : public TokenModel {
 public:
  explicit Bpe(BpeParts parts);

  void Encode(std::string_view piece, std::vector<TokenId>& out) const override;

  // Encode without the cache; returns how many pairs were looked up, compared or moved in the heap:
  // the work, for the test that a hostile piece stays cheap.
  uint64_t EncodeCounted(std::string_view piece, std::vector<TokenId>& out) const;

 private:
  static constexpr uint32_t kNoRank = UINT32_MAX;
  struct Slot {
    uint64_t pair = UINT64_MAX;
    uint32_t rank = kNoRank;
    SymbolId merged = -1;
  };
  struct Scratch;

  size_t FilterWord(uint64_t hash) const { return hash >> 38 & (may_merge_.size() - 1); }
  static uint64_t FilterBit(uint64_t hash) { return uint64_t{1} << (hash >> 32 & 63); }
  const Slot& Look(SymbolId left, SymbolId right) const;
  void AddPair(const BpeMerge& merge);
  SymbolId SymbolOf(std::string_view character, char32_t code) const;
  TokenId ByteToken(char byte) const { return parts_.byte_tokens[static_cast<uint8_t>(byte)]; }
  bool HaveByteTokens(std::string_view bytes) const;
  void EncodeCached(std::string_view piece, std::vector<TokenId>& out) const;
  void EncodeUncached(std::string_view piece, Scratch& scratch, std::vector<TokenId>& out) const;
  void Start(std::string_view piece, std::vector<SymbolId>& symbols) const;
  void MergeShort(Scratch& scratch) const;
  void MergeLong(Scratch& scratch) const;
  void Emit(SymbolId symbol, std::vector<TokenId>& out) const;
  bool MergesNeverCrossToSpace() const;

  BpeParts parts_;
  std::vector<Slot> pairs_;  // open addressing, a power of two
  // One bit a hash, eight times as many bits as pairs: most neighbours never merge, and this says
  // so from a table small enough to stay in the processor's cache.
  std::vector<uint64_t> may_merge_;
  std::array<SymbolId, 256> byte_symbols_{};
  std::vector<SymbolId> bmp_symbols_;  // of the code points below U+10000
  // Pieces may be cut before each run of U+2581 without changing the result: no merge joins another
  // character to one on its right.
  bool cut_at_spaces_ = false;
  uint32_t owner_;
};

}  // namespace jikji

#endif  // JIKJI_TEXT_BPE_H_
