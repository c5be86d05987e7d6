// The next event of each of many nodes, and which of all comes first.
//
// A 4-ary heap of node numbers with their places, so that a node's time can be moved either way:
// no stale entries, and as many entries as nodes however many requests are under way. Four
// children share a cache line and halve the depth. Ties go to the lower node, so that runs repeat.
#ifndef JIKJI_TWIN_EVENT_HEAP_H_
#define JIKJI_TWIN_EVENT_HEAP_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace jikji::twin {

class EventHeap {
 public:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  explicit EventHeap(size_t nodes) : heap_(nodes), places_(nodes) {
    for (size_t i = 0; i < nodes; ++i) {
      heap_[i] = {kNever, static_cast<uint32_t>(i)};
      places_[i] = static_cast<uint32_t>(i);
    }
  }

  double first_time() const { return heap_.empty() ? kNever : heap_[0].time; }
  uint32_t first() const { return heap_[0].node; }

  // The node of the first event and those among which that of the second is.
  template <class Visit>
  void ForEachNear(Visit visit) const {
    for (size_t i = 0; i < 5 && i < heap_.size(); ++i) visit(heap_[i].node);
  }

  template <class Stream>
  void Exchange(Stream& stream) {
    stream.List(heap_);
    stream.List(places_);
  }

  void Set(uint32_t node, double time) {
    size_t at = places_[node];
    const Entry entry{time, node};
    if (Before(entry, heap_[at])) {
      while (at > 0 && Before(entry, heap_[(at - 1) / 4])) {
        Put(at, heap_[(at - 1) / 4]);
        at = (at - 1) / 4;
      }
    } else {
      for (;;) {
        const size_t child = LeastChild(at);
        if (child >= heap_.size() || !Before(heap_[child], entry)) break;
        Put(at, heap_[child]);
        at = child;
      }
    }
    Put(at, entry);
  }

 private:
  struct Entry {
    double time;
    uint32_t node;
  };
  static bool Before(const Entry& a, const Entry& b) {
    return a.time < b.time || (a.time == b.time && a.node < b.node);
  }
  void Put(size_t at, Entry entry) {
    heap_[at] = entry;
    places_[entry.node] = static_cast<uint32_t>(at);
  }
  size_t LeastChild(size_t at) const {
    const size_t begin = 4 * at + 1;
    if (begin >= heap_.size()) return heap_.size();
    size_t least = begin;
    for (size_t i = begin + 1; i < begin + 4 && i < heap_.size(); ++i) {
      if (Before(heap_[i], heap_[least])) least = i;
    }
    return least;
  }

  std::vector<Entry> heap_;
  std::vector<uint32_t> places_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_EVENT_HEAP_H_
