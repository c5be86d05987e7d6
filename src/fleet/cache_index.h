// Which nodes probably hold which prompt blocks: what the router remembers of where it sent what.
//
// Of a prompt's blocks those at four depths to an octave are remembered, so that a long prompt
// costs little more than a short one and a match is told at most a fifth too short. A
// set-associative table of fixed size: adding a block to a full set forgets the entry that was used
// longest ago. A set knows its blocks by half of their hash. So memory is bounded whatever is sent,
// and an answer may be wrong either way; a wrong one costs a prefill. Non-goals: the truth (a node
// knows what it caches); threads.
#ifndef JIKJI_FLEET_CACHE_INDEX_H_
#define JIKJI_FLEET_CACHE_INDEX_H_

#include <array>
#include <cstdint>
#include <span>

#include "base/huge_array.h"

namespace jikji::fleet {

class CacheIndex {
 public:
  // How many nodes are remembered for a block: a prefix hotter than that is copied onward by load
  // alone, and any of its holders is as good.
  static constexpr size_t kHolders = 4;

  struct Match {
    int32_t node = -1;
    int32_t blocks = 0;  // how many blocks from the front it holds
  };
  static constexpr size_t kMaxMatches = 8;
  struct Matches {
    std::array<Match, kMaxMatches> items;
    size_t count = 0;
  };

  // Room for about `entries` blocks; 24 bytes each.
  explicit CacheIndex(size_t entries);

  // The node is about to hold these blocks of a prompt.
  void Add(std::span<const uint64_t> prefix, int32_t node);

  // The nodes that hold the longest beginnings, each once, deepest first. Looks at few
  // depths: a node that holds a block holds those before it, since an LRU cache drops tails first.
  Matches Find(std::span<const uint64_t> prefix) const;

  // Begins to fetch what Find and Add of this prefix will read, for whoever knows ahead: a large
  // index is not in the processor's caches.
  void Prefetch(std::span<const uint64_t> prefix) const;

  // Forgets a node that has gone or was restarted.
  void Remove(int32_t node);

  size_t size() const { return size_; }

  // Saves all of it, or restores it into an index of as many entries (twin/state_stream.h).
  template <class Stream>
  void Exchange(Stream& stream) {
    stream.Table(sets_);
    stream.Plain(now_, size_);
  }

 private:
  static constexpr size_t kWays = 8;
  using Holders = std::array<int32_t, kHolders>;
  // Tags stand together: whether a set has a block is told by one cache line.
  struct alignas(64) Set {
    std::array<uint32_t, kWays> tags;  // 0: empty
    std::array<uint32_t, kWays> used;  // the count of additions, which may wrap
    std::array<Holders, kWays> holders;
  };

  size_t PlaceOf(uint64_t hash) const { return hash & (sets_.size() - 1); }
  const Holders* Lookup(uint64_t hash) const;
  Holders& Claim(uint64_t hash);

  HugeArray<Set> sets_;
  uint32_t now_ = 0;  // counts additions
  size_t size_ = 0;
};

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_CACHE_INDEX_H_
