#include "fleet/cache_index.h"

#include <algorithm>
#include <bit>

namespace jikji::fleet {
namespace {

// The half of a hash that does not choose the set. 0 marks an empty way, so one bit is given up.
uint32_t TagOf(uint64_t hash) { return static_cast<uint32_t>(hash >> 32) | 1; }

// Blocks are remembered at depths 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, ...: four to an
// octave.
size_t DepthOf(size_t step) { return step < 4 ? step : (4 + step % 4) << (step / 4 - 1); }

// The last step whose depth is not beyond `blocks`.
size_t LastStep(size_t blocks) {
  if (blocks < 4) return blocks;
  const auto octave = static_cast<size_t>(std::bit_width(blocks)) - 3;
  return 4 * octave + (blocks >> octave);
}

void Note(CacheIndex::Matches& matches, int32_t node, size_t blocks) {
  for (size_t i = 0; i < matches.count; ++i) {
    CacheIndex::Match& match = matches.items[i];
    if (match.node != node) continue;
    match.blocks = std::max(match.blocks, static_cast<int32_t>(blocks));
    return;
  }
  const CacheIndex::Match found = {node, static_cast<int32_t>(blocks)};
  if (matches.count < CacheIndex::kMaxMatches) {
    matches.items[matches.count++] = found;
    return;
  }
  CacheIndex::Match& least =
      *std::ranges::min_element(matches.items, {}, &CacheIndex::Match::blocks);
  if (least.blocks < found.blocks) least = found;
}

}  // namespace

CacheIndex::CacheIndex(size_t entries)
    : sets_(std::bit_ceil(std::max<size_t>(1, (entries + kWays - 1) / kWays))) {}

const CacheIndex::Holders* CacheIndex::Lookup(uint64_t hash) const {
  const Set& set = sets_[PlaceOf(hash)];
  const auto found = std::ranges::find(set.tags, TagOf(hash));
  return found == set.tags.end() ? nullptr
                                 : &set.holders[static_cast<size_t>(found - set.tags.begin())];
}

CacheIndex::Holders& CacheIndex::Claim(uint64_t hash) {
  Set& set = sets_[PlaceOf(hash)];
  const uint32_t tag = TagOf(hash);
  size_t oldest = 0;
  for (size_t way = 0; way < kWays; ++way) {
    if (set.tags[way] == tag || set.tags[way] == 0) {
      oldest = way;
      break;
    }
    // Ages, not counts: a count that wrapped is still younger than those before it.
    if (now_ - set.used[way] > now_ - set.used[oldest]) oldest = way;
  }
  size_ += set.tags[oldest] == 0;
  if (set.tags[oldest] != tag) set.holders[oldest].fill(-1);
  set.tags[oldest] = tag;
  set.used[oldest] = now_;
  return set.holders[oldest];
}

void CacheIndex::Add(std::span<const uint64_t> prefix, int32_t node) {
  ++now_;
  const size_t steps = LastStep(prefix.size());
  for (size_t step = 1; step <= steps; ++step) {
    Holders& nodes = Claim(prefix[DepthOf(step) - 1]);
    // The latest holder stands first; the one that was named longest ago falls out.
    auto at = std::ranges::find(nodes, node);
    if (at == nodes.end()) at = nodes.end() - 1;
    std::move_backward(nodes.begin(), at, at + 1);
    nodes.front() = node;
  }
}

void CacheIndex::Prefetch(std::span<const uint64_t> prefix) const {
  const size_t steps = LastStep(prefix.size());
  for (size_t step = 1; step <= steps; ++step) {
    const Set& set = sets_[PlaceOf(prefix[DepthOf(step) - 1])];
    __builtin_prefetch(&set.tags);
    __builtin_prefetch(&set.holders);
    __builtin_prefetch(&set.holders[kWays / 2]);
  }
}

CacheIndex::Matches CacheIndex::Find(std::span<const uint64_t> prefix) const {
  Matches matches;
  size_t known = 0;                             // a block at this step was found
  size_t absent = LastStep(prefix.size()) + 1;  // and none at this one
  while (known + 1 < absent) {
    // The first look is at the first block: most prompts that share nothing end there.
    const size_t step = known == 0 ? 1 : (known + absent) / 2;
    const Holders* holders = Lookup(prefix[DepthOf(step) - 1]);
    if (holders == nullptr) {
      absent = step;
      continue;
    }
    known = step;
    for (const int32_t node : *holders) {
      if (node >= 0) Note(matches, node, DepthOf(step));
    }
  }
  std::stable_sort(matches.items.begin(),
                   matches.items.begin() + static_cast<ptrdiff_t>(matches.count),
                   [](const Match& a, const Match& b) { return a.blocks > b.blocks; });
  return matches;
}

void CacheIndex::Remove(int32_t node) {
  for (Set& set : sets_) {
    if (set.tags[0] == 0) continue;  // empty, and perhaps never touched
    for (Holders& holders : set.holders) std::ranges::replace(holders, node, -1);
  }
}

}  // namespace jikji::fleet
