// A queue in one piece of memory: a queue that is mostly short stays in the line or two that it was
// in before, where a std::deque walks through its blocks.
#ifndef JIKJI_TWIN_FIFO_H_
#define JIKJI_TWIN_FIFO_H_

#include <cstddef>
#include <vector>

namespace jikji::twin {

template <class T>
class Fifo {
 public:
  bool empty() const { return first_ == items_.size(); }
  size_t size() const { return items_.size() - first_; }
  auto begin() const { return items_.begin() + static_cast<ptrdiff_t>(first_); }
  auto end() const { return items_.end(); }
  const T& front() const { return items_[first_]; }

  void push_back(const T& item) { items_.push_back(item); }
  // Moves what is left to the front once as much has gone, so that each item is moved once or so.
  void pop_front() {
    if (++first_ * 2 < items_.size()) return;
    items_.erase(items_.begin(), begin());
    first_ = 0;
  }
  void clear() {
    items_.clear();
    first_ = 0;
  }

  template <class Stream>
  void Exchange(Stream& stream) {
    items_.erase(items_.begin(), begin());
    first_ = 0;
    stream.List(items_);
  }

 private:
  std::vector<T> items_;
  size_t first_ = 0;  // those before it have gone
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_FIFO_H_
