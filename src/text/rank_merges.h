// Merges of a vocabulary that names none: any two symbols whose texts together are a token may
// merge, in the order of the tokens' ranks (tiktoken) or scores (SentencePiece).
#ifndef JIKJI_TEXT_RANK_MERGES_H_
#define JIKJI_TEXT_RANK_MERGES_H_

#include <cstdint>
#include <span>
#include <vector>

#include "text/bpe.h"

namespace jikji {

// `ranks`: by symbol, UINT32_MAX for what no merge makes; where empty, a symbol's index is its
// rank. Texts are cut between any two bytes, or between code points unless `by_bytes`.
std::vector<BpeMerge> MergesOfRanks(const StringTable& symbols, std::span<const uint32_t> ranks,
                                    bool by_bytes);

}  // namespace jikji

#endif  // JIKJI_TEXT_RANK_MERGES_H_
