// Who holds which page of the KV cache: a free list, and leases that give back what they hold.
//
// Contract: a page is in one lease or free, never both; when every lease is gone all pages are
// free. Not thread-safe: the engine's thread owns it. Non-goals: the pages' memory (model/).
#ifndef JIKJI_ENGINE_PAGE_ALLOCATOR_H_
#define JIKJI_ENGINE_PAGE_ALLOCATOR_H_

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace jikji {

class PageAllocator;

// Pages held by one sequence, in order of position. Must not outlive its allocator.
class PageLease {
 public:
  PageLease() = default;
  PageLease(PageLease&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), pages_(std::move(other.pages_)) {}
  PageLease& operator=(PageLease&& other) noexcept;
  ~PageLease() { Release(); }

  std::span<const int32_t> pages() const { return pages_; }
  void Release();

 private:
  friend class PageAllocator;
  PageAllocator* owner_ = nullptr;
  std::vector<int32_t> pages_;
};

class PageAllocator {
 public:
  explicit PageAllocator(int32_t pages);
  PageAllocator(const PageAllocator&) = delete;
  PageAllocator& operator=(const PageAllocator&) = delete;

  // Exactly `count` pages, or nullopt and nothing taken.
  std::optional<PageLease> Take(int32_t count);

  int32_t total() const { return total_; }
  int32_t free() const { return static_cast<int32_t>(free_.size()); }
  int32_t used() const { return total() - free(); }

 private:
  friend class PageLease;
  int32_t total_;
  std::vector<int32_t> free_;  // a stack: a page given back is warm, so it is the next to go
};

// Pages that hold `tokens` positions.
inline int64_t PagesFor(int64_t tokens, int32_t page_tokens) {
  return tokens / page_tokens + (tokens % page_tokens != 0 ? 1 : 0);
}

}  // namespace jikji

#endif  // JIKJI_ENGINE_PAGE_ALLOCATOR_H_
