#include "fleet/cache_index.h"

#include <algorithm>
#include <bit>

namespace jikji::fleet {
namespace {

// 0 marks an empty entry; a block whose hash is 0 shares the name of another.
uint64_t KeyOf(uint64_t hash) { return hash == 0 ? 1 : hash; }

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
    : sets_(std::bit_ceil(std::max<size_t>(1, (entries + kWays - 1) / kWays))) {
  entries_.resize(sets_ * kWays);
}

std::span<const CacheIndex::Entry> CacheIndex::SetOf(uint64_t key) const {
  return std::span(entries_).subspan((key & (sets_ - 1)) * kWays, kWays);
}

const CacheIndex::Entry* CacheIndex::Lookup(uint64_t key) const {
  for (const Entry& entry : SetOf(key)) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

CacheIndex::Entry& CacheIndex::Claim(uint64_t key) {
  const std::span set = std::span(entries_).subspan((key & (sets_ - 1)) * kWays, kWays);
  Entry* oldest = &set.front();
  for (Entry& entry : set) {
    if (entry.key == key) return entry;
    if (entry.key == 0) {
      oldest = &entry;
      break;
    }
    if (entry.used < oldest->used) oldest = &entry;
  }
  if (oldest->key == 0) ++size_;
  oldest->key = key;
  oldest->nodes.fill(-1);
  return *oldest;
}

void CacheIndex::Add(std::span<const uint64_t> prefix, int32_t node) {
  ++now_;
  const size_t steps = LastStep(prefix.size());
  for (size_t step = 1; step <= steps; ++step) {
    Entry& entry = Claim(KeyOf(prefix[DepthOf(step) - 1]));
    entry.used = now_;
    // The latest holder stands first; the one that was named longest ago falls out.
    auto at = std::ranges::find(entry.nodes, node);
    if (at == entry.nodes.end()) at = entry.nodes.end() - 1;
    std::move_backward(entry.nodes.begin(), at, at + 1);
    entry.nodes.front() = node;
  }
}

CacheIndex::Matches CacheIndex::Find(std::span<const uint64_t> prefix) const {
  Matches matches;
  size_t known = 0;                             // a block at this step was found
  size_t absent = LastStep(prefix.size()) + 1;  // and none at this one
  while (known + 1 < absent) {
    // The first look is at the first block: most prompts that share nothing end there.
    const size_t step = known == 0 ? 1 : (known + absent) / 2;
    const Entry* entry = Lookup(KeyOf(prefix[DepthOf(step) - 1]));
    if (entry == nullptr) {
      absent = step;
      continue;
    }
    known = step;
    for (const int32_t node : entry->nodes) {
      if (node >= 0) Note(matches, node, DepthOf(step));
    }
  }
  std::stable_sort(matches.items.begin(),
                   matches.items.begin() + static_cast<ptrdiff_t>(matches.count),
                   [](const Match& a, const Match& b) { return a.blocks > b.blocks; });
  return matches;
}

void CacheIndex::Remove(int32_t node) {
  for (Entry& entry : entries_) {
    std::ranges::replace(entry.nodes, node, -1);
  }
}

}  // namespace jikji::fleet
