// Which page of the KV cache holds what: the index behind the prefix cache.
//
// What a page holds follows from its tokens and all tokens before them. An entry is therefore keyed
// by the page's tokens and by its parent, the entry of the page before; the first page's parent is
// a root, a text that only those share who may see each other's prompts. Contract: Find compares
// parent, root and tokens themselves, not hashes of them, and the number of an entry is never used
// again; so no collision and no stale entry can serve a wrong page. Non-goals: who holds a page,
// and which is given up first (page_allocator.h).
#ifndef JIKJI_ENGINE_PREFIX_INDEX_H_
#define JIKJI_ENGINE_PREFIX_INDEX_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/tokenizer.h"

namespace jikji {

class PrefixIndex {
 public:
  using Entry = uint64_t;
  static constexpr Entry kRoot = 0;  // the parent of a first page; no page's own

  PrefixIndex(int32_t pages, int32_t page_tokens);

  // `root` counts for a first page only; `tokens` are a page of them.
  struct Content {
    Entry parent = kRoot;
    std::string_view root = {};
    std::span<const TokenId> tokens = {};
  };
  std::optional<int32_t> Find(const Content& content) const;

  // `page` is not in the index, and neither is its content.
  Entry Insert(int32_t page, const Content& content);
  void Erase(int32_t page);
  void Clear();

  bool Holds(int32_t page) const { return At(page).entry != kRoot; }
  Entry EntryOf(int32_t page) const { return At(page).entry; }

 private:
  struct Page {
    Entry entry = kRoot;  // kRoot: not in the index
    Entry parent = kRoot;
    uint64_t hash = 0;
    int32_t next = -1;  // in its bucket
    std::string root;
  };
  Page& At(int32_t page) { return pages_[static_cast<size_t>(page)]; }
  const Page& At(int32_t page) const { return pages_[static_cast<size_t>(page)]; }
  std::span<const TokenId> TokensOf(int32_t page) const;
  uint64_t Hash(const Content& content) const;
  int32_t& Bucket(uint64_t hash) { return buckets_[hash & (buckets_.size() - 1)]; }

  const size_t page_tokens_;
  const uint64_t seed_;  // of the process, so that nobody can make prompts that collide
  Entry last_entry_ = kRoot;
  std::vector<Page> pages_;
  std::vector<TokenId> tokens_;   // a page's worth for each
  std::vector<int32_t> buckets_;  // the first page of each; a power of two of them
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_PREFIX_INDEX_H_
