#include "text/rank_merges.h"

#include <algorithm>

namespace jikji {
namespace {

// Real tokens are at most some hundred bytes (runs of spaces); a longer one is not cut into all its
// pairs, which would cost the square of its length.
constexpr size_t kMaxMergedBytes = 1024;

}  // namespace

std::vector<BpeMerge> MergesOfRanks(const StringTable& symbols, std::span<const uint32_t> ranks,
                                    bool by_bytes) {
  std::vector<BpeMerge> merges;
  for (SymbolId merged = 0; merged < symbols.size(); ++merged) {
    const uint32_t rank =
        ranks.empty() ? static_cast<uint32_t>(merged) : ranks[static_cast<size_t>(merged)];
    const std::string_view text = symbols[merged];
    if (rank == UINT32_MAX || text.size() > kMaxMergedBytes) continue;
    for (size_t cut = 1; cut < text.size(); ++cut) {
      if (!by_bytes && (text[cut] & 0xC0) == 0x80) continue;
      const SymbolId left = symbols.Find(text.substr(0, cut));
      if (left < 0) continue;
      const SymbolId right = symbols.Find(text.substr(cut));
      if (right >= 0) merges.push_back({left, right, merged, rank});
    }
  }
  return merges;
}

}  // namespace jikji
