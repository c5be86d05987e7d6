// Which prompt blocks each node's KV cache holds: bounded, least recently used first out.
//
// All nodes in one array, each with its own sets of eight: a lookup is one cache line. An LRU of
// sets forgets a little earlier than a true one; the difference is below what workloads vary by.
#ifndef JIKJI_TWIN_PREFIX_CACHES_H_
#define JIKJI_TWIN_PREFIX_CACHES_H_

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace jikji::twin {

class PrefixCaches {
 public:
  PrefixCaches(size_t nodes, size_t blocks_per_node)
      : sets_(blocks_per_node == 0 ? 0
                                   : std::bit_floor(std::max<size_t>(1, blocks_per_node / kWays))),
        entries_(nodes * sets_ * kWays) {}

  // How many blocks from the front the node holds; marks them used, and adds the rest.
  size_t Use(size_t node, std::span<const uint64_t> prefix) {
    if (sets_ == 0) return 0;
    ++now_;
    size_t held = 0;
    bool still = true;
    for (const uint64_t hash : prefix) {
      Entry& entry = Claim(node, static_cast<uint32_t>(hash >> 32) | 1u, hash, still);
      entry.used = now_;
      held += still;
    }
    return held;
  }

  void Clear(size_t node) {
    std::fill_n(entries_.begin() + static_cast<ptrdiff_t>(node * sets_ * kWays), sets_ * kWays,
                Entry{});
  }

 private:
  static constexpr size_t kWays = 8;
  struct Entry {
    uint32_t key = 0;   // 0: empty; the upper half of the hash, of which one bit is given up
    uint32_t used = 0;  // wraps after four thousand million uses, which confuses one eviction
  };

  // `held` becomes false where the block was absent.
  Entry& Claim(size_t node, uint32_t key, uint64_t hash, bool& held) {
    Entry* set = &entries_[(node * sets_ + (hash & (sets_ - 1))) * kWays];
    Entry* oldest = set;
    for (Entry* entry = set; entry != set + kWays; ++entry) {
      if (entry->key == key) return *entry;
      if (entry->used < oldest->used) oldest = entry;
    }
    held = false;
    *oldest = {.key = key, .used = now_};
    return *oldest;
  }

  size_t sets_;
  std::vector<Entry> entries_;
  uint32_t now_ = 0;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_PREFIX_CACHES_H_
