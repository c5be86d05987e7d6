#include "engine/page_allocator.h"

namespace jikji {

PageLease& PageLease::operator=(PageLease&& other) noexcept {
  if (this != &other) {
    Release();
    owner_ = std::exchange(other.owner_, nullptr);
    pages_ = std::move(other.pages_);
  }
  return *this;
}

void PageLease::Release() {
  if (owner_ == nullptr) return;
  // The first page back on top, so that the next lease takes the pages in the same order.
  owner_->free_.insert(owner_->free_.end(), pages_.rbegin(), pages_.rend());
  owner_ = nullptr;
  pages_.clear();
}

PageAllocator::PageAllocator(int32_t pages) : total_(pages) {
  free_.reserve(static_cast<size_t>(pages));
  for (int32_t page = pages - 1; page >= 0; --page) free_.push_back(page);
}

std::optional<PageLease> PageAllocator::Take(int32_t count) {
  if (count < 0 || count > free()) return std::nullopt;
  PageLease lease;
  lease.owner_ = this;
  lease.pages_.assign(free_.rbegin(), free_.rbegin() + count);
  free_.resize(free_.size() - static_cast<size_t>(count));
  return lease;
}

}  // namespace jikji
