// Which prompt blocks each node's KV cache holds: bounded, least recently used first out.
//
// All nodes in one array, each with its own sets of eight: a lookup is one cache line. An LRU of
// sets forgets a little earlier than a true one; the difference is below what workloads vary by.
#ifndef JIKJI_TWIN_PREFIX_CACHES_H_
#define JIKJI_TWIN_PREFIX_CACHES_H_

#include <algorithm>
#include <cstdint>
#include <span>

#include "base/huge_array.h"

namespace jikji::twin {

class PrefixCaches {
 public:
  PrefixCaches(size_t nodes, size_t blocks_per_node)
      : sets_((blocks_per_node + kWays - 1) / kWays), entries_(nodes * sets_ * kWays) {}

  // How many blocks from the front the node holds; marks them used, and adds the rest.
  size_t Use(size_t node, std::span<const uint64_t> prefix) {
    if (sets_ == 0) return 0;
    ++now_;
    size_t held = 0;
    bool still = true;
    for (const uint64_t hash : prefix) {
      Claim(SetOf(node, hash), static_cast<uint32_t>(hash >> 32) | 1u, still).used = now_;
      held += still;
    }
    return held;
  }

  // Begins to fetch what Use will read.
  void Prefetch(size_t node, std::span<const uint64_t> prefix) const {
    if (sets_ == 0) return;
    for (const uint64_t hash : prefix) __builtin_prefetch(entries_.data() + SetOf(node, hash), 1);
  }

  template <class Stream>
  void Exchange(Stream& stream) {
    stream.Table(entries_);
    stream.Plain(now_);
  }

  void Clear(size_t node) {
    std::fill_n(entries_.data() + node * sets_ * kWays, sets_ * kWays, Entry{});
  }

 private:
  static constexpr size_t kWays = 8;
  struct Entry {
    uint32_t key = 0;   // 0: empty; the upper half of the hash, of which one bit is given up
    uint32_t used = 0;  // the count of uses, which may wrap
  };

  // The place of the first entry; the lower half of the hash chooses among the node's sets.
  size_t SetOf(size_t node, uint64_t hash) const {
    return (node * sets_ + (((hash & 0xFFFF'FFFF) * sets_) >> 32)) * kWays;
  }

  // `held` becomes false where the block was absent.
  Entry& Claim(size_t begin, uint32_t key, bool& held) {
    Entry* set = &entries_[begin];
    Entry* oldest = set;
    for (Entry* entry = set; entry != set + kWays; ++entry) {
      if (entry->key == key) return *entry;
      // An empty entry is older than any; ages are right across a wrap of the count.
      if (oldest->key != 0 && (entry->key == 0 || now_ - entry->used > now_ - oldest->used)) {
        oldest = entry;
      }
    }
    held = false;
    *oldest = {.key = key, .used = now_};
    return *oldest;
  }

  size_t sets_;
  HugeArray<Entry> entries_;
  uint32_t now_ = 0;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_PREFIX_CACHES_H_
