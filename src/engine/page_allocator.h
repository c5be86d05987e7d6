// Who holds which page of the KV cache: leases, the free pages, and the prefix cache over both.
//
// Full pages are shared by content: a lease may begin with pages that others hold too, or that
// stayed behind when their holders left. They are never written again, so sharing needs no copy: a
// sequence writes behind what it has matched, in pages of its own. A free page keeps its content
// until it is needed for another; the one unused for longest goes first, and before it all without
// content. Contract: a page is free or held; when every lease is gone all pages are free. Not
// thread-safe: the engine's thread owns it. Non-goals: the pages' memory (model/).
#ifndef JIKJI_ENGINE_PAGE_ALLOCATOR_H_
#define JIKJI_ENGINE_PAGE_ALLOCATOR_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/prefix_index.h"

namespace jikji {

class PageAllocator;

// Pages of one sequence, in order of position. Must not outlive its allocator.
class PageLease {
 public:
  PageLease() = default;
  PageLease(PageLease&& other) noexcept { *this = std::move(other); }
  PageLease& operator=(PageLease&& other) noexcept;
  ~PageLease() { Release(); }

  std::span<const int32_t> pages() const { return pages_; }
  int32_t size() const { return static_cast<int32_t>(pages_.size()); }
  void Release();

 private:
  friend class PageAllocator;
  PageAllocator* owner_ = nullptr;
  std::vector<int32_t> pages_;
  size_t shared_ = 0;  // so many of them, from the first, are in the index
  PrefixIndex::Entry last_ = PrefixIndex::kRoot;  // the entry of the last of those
};

class PageAllocator {
 public:
  PageAllocator(int32_t pages, int32_t page_tokens);
  PageAllocator(const PageAllocator&) = delete;
  PageAllocator& operator=(const PageAllocator&) = delete;

  // The pages in the cache that hold the longest beginning of `tokens`, whole pages only. Only
  // tokens of the same `root` are found.
  PageLease Match(std::string_view root, std::span<const TokenId> tokens);

  // Exactly `count` pages more at the lease's end, or false and nothing taken. The lease is of this
  // allocator, or empty.
  bool Extend(PageLease& lease, int32_t count);

  // Lets others match the lease's full pages of `tokens`, its sequence from the first. Those up to
  // `computed` hold their content already, the others will when the step under way has ended.
  // Where another page has come to hold the same, the lease takes that one and frees its own.
  void Share(PageLease& lease, std::string_view root, std::span<const TokenId> tokens,
             int64_t computed);

  // No page holds what it is said to hold. For when a step failed; there must be no lease.
  void Forget() { index_.Clear(); }

  // Pages that the lease alone holds: what its end would free.
  int32_t HeldAlone(const PageLease& lease) const;

  int32_t total() const { return static_cast<int32_t>(holders_.size()); }
  int32_t free() const { return free_; }
  int32_t used() const { return total() - free(); }

 private:
  friend class PageLease;
  struct Link {
    int32_t before = 0, after = 0;
  };
  int32_t& Holders(int32_t page) { return holders_[static_cast<size_t>(page)]; }
  Link& At(int32_t place) { return links_[static_cast<size_t>(place)]; }
  int32_t End() const { return total(); }  // the list's own link
  void Hold(int32_t page);
  void Drop(int32_t page);
  void InsertBefore(int32_t place, int32_t page);

  const size_t page_tokens_;
  PrefixIndex index_;
  std::vector<int32_t> holders_;  // leases of each page
  // The free pages in a ring: next to be taken first; one more link is the ring's end.
  std::vector<Link> links_;
  int32_t free_ = 0;
};

// Pages that hold `tokens` positions.
inline int64_t PagesFor(int64_t tokens, int32_t page_tokens) {
  return tokens / page_tokens + (tokens % page_tokens != 0 ? 1 : 0);
}

}  // namespace jikji

#endif  // JIKJI_ENGINE_PAGE_ALLOCATOR_H_
