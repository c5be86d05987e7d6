// The requests under way in a simulation, each in a slot that the next one takes over.
#ifndef JIKJI_TWIN_REQUEST_SLOTS_H_
#define JIKJI_TWIN_REQUEST_SLOTS_H_

#include <cstdint>
#include <vector>

#include "fleet/site.h"

namespace jikji::twin {

struct RequestSlot {
  double arrived = 0;
  double first = 0;
  uint32_t prompt = 0, output = 0, uncached = 0;
  int64_t prompt_work = 0;  // what the router added to its node for it
  int32_t node = -1;
  fleet::ServiceClass service = fleet::ServiceClass::kStandard;
};

class RequestSlots {
 public:
  uint32_t Add(const RequestSlot& slot) {
    if (free_.empty()) {
      slots_.push_back(slot);
      return static_cast<uint32_t>(slots_.size() - 1);
    }
    const uint32_t id = free_.back();
    free_.pop_back();
    slots_[id] = slot;
    return id;
  }
  void Free(uint32_t id) { free_.push_back(id); }
  RequestSlot& operator[](uint32_t id) { return slots_[id]; }

  template <class Stream>
  void Exchange(Stream& stream) {
    stream.List(slots_);
    stream.List(free_);
  }

  template <class Visit>
  void ForEach(Visit visit) const {
    std::vector<bool> idle(slots_.size(), false);
    for (const uint32_t id : free_) idle[id] = true;
    for (size_t i = 0; i < slots_.size(); ++i) {
      if (!idle[i]) visit(slots_[i]);
    }
  }

 private:
  std::vector<RequestSlot> slots_;
  std::vector<uint32_t> free_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_REQUEST_SLOTS_H_
