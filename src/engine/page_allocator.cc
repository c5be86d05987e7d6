#include "engine/page_allocator.h"

#include <algorithm>

namespace jikji {

PageLease& PageLease::operator=(PageLease&& other) noexcept {
  if (this != &other) {
    Release();
    owner_ = std::exchange(other.owner_, nullptr);
    pages_ = std::exchange(other.pages_, {});
    shared_ = std::exchange(other.shared_, 0);
    last_ = std::exchange(other.last_, PrefixIndex::kRoot);
  }
  return *this;
}

void PageLease::Release() {
  if (owner_ == nullptr) return;
  // From the last: of pages without content the first is then the next to be taken, and of those
  // with content the end of a text is given up before its beginning.
  for (auto page = pages_.rbegin(); page != pages_.rend(); ++page) owner_->Drop(*page);
  owner_ = nullptr;
  pages_.clear();
  shared_ = 0;
  last_ = PrefixIndex::kRoot;
}

PageAllocator::PageAllocator(int32_t pages, int32_t page_tokens)
    : page_tokens_(static_cast<size_t>(page_tokens)),
      index_(pages, page_tokens),
      holders_(static_cast<size_t>(pages)),
      links_(static_cast<size_t>(pages) + 1) {
  At(End()) = {End(), End()};
  for (int32_t page = 0; page < pages; ++page) InsertBefore(End(), page);
}

void PageAllocator::InsertBefore(int32_t place, int32_t page) {
  At(page) = {At(place).before, place};
  At(At(page).before).after = page;
  At(place).before = page;
  ++free_;
}

void PageAllocator::Hold(int32_t page) {
  if (Holders(page)++ > 0) return;
  At(At(page).before).after = At(page).after;
  At(At(page).after).before = At(page).before;
  --free_;
}

void PageAllocator::Drop(int32_t page) {
  if (--Holders(page) > 0) return;
  InsertBefore(index_.Holds(page) ? End() : At(End()).after, page);
}

PageLease PageAllocator::Match(std::string_view root, std::span<const TokenId> tokens) {
  PageLease lease;
  lease.owner_ = this;
  for (; tokens.size() >= page_tokens_; tokens = tokens.subspan(page_tokens_)) {
    const auto page =
        index_.Find({.parent = lease.last_, .root = root, .tokens = tokens.first(page_tokens_)});
    if (!page) break;
    lease.pages_.push_back(*page);
    Hold(*page);
    lease.last_ = index_.EntryOf(*page);
    ++lease.shared_;
  }
  return lease;
}

bool PageAllocator::Extend(PageLease& lease, int32_t count) {
  if (count < 0 || count > free_) return false;
  lease.pages_.reserve(lease.pages_.size() + static_cast<size_t>(count));
  lease.owner_ = this;
  for (; count > 0; --count) {
    const int32_t page = At(End()).after;
    Hold(page);
    if (index_.Holds(page)) index_.Erase(page);
    lease.pages_.push_back(page);
  }
  return true;
}

void PageAllocator::Share(PageLease& lease, std::string_view root, std::span<const TokenId> tokens,
                          int64_t computed) {
  for (size_t end = (lease.shared_ + 1) * page_tokens_; end <= tokens.size(); end += page_tokens_) {
    int32_t& own = lease.pages_[lease.shared_];
    const PrefixIndex::Content content{.parent = lease.last_,
                                       .root = root,
                                       .tokens = tokens.subspan(end - page_tokens_, page_tokens_)};
    if (const auto same = index_.Find(content)) {
      // Not while the step writes to its own: two would write to one.
      if (static_cast<int64_t>(end) > computed) return;
      Hold(*same);
      Drop(std::exchange(own, *same));
      lease.last_ = index_.EntryOf(own);
    } else {
      lease.last_ = index_.Insert(own, content);
    }
    ++lease.shared_;
  }
}

int32_t PageAllocator::HeldAlone(const PageLease& lease) const {
  return static_cast<int32_t>(std::ranges::count_if(
      lease.pages_, [&](int32_t page) { return holders_[static_cast<size_t>(page)] == 1; }));
}

}  // namespace jikji
