#include "twin/arrival_feed.h"

#include <utility>

namespace jikji::twin {

ArrivalFeed::ArrivalFeed(Workload& workload) : workload_(workload), maker_([this] { Make(); }) {}

ArrivalFeed::~ArrivalFeed() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

void ArrivalFeed::Fill(Batch& batch) {
  batch.arrivals.clear();
  batch.prefixes.clear();
  Arrival arrival;
  while (batch.arrivals.size() < kBatch && workload_.Next(arrival)) {
    batch.prefixes.insert(batch.prefixes.end(), arrival.prefix.begin(), arrival.prefix.end());
    batch.arrivals.push_back(arrival);
  }
  // Only now do the prefixes stay where they are.
  size_t begin = 0;
  for (Arrival& each : batch.arrivals) {
    each.prefix = std::span(batch.prefixes).subspan(begin, each.prefix.size());
    begin += each.prefix.size();
  }
}

void ArrivalFeed::Make() {
  Batch batch;
  bool more = true;
  while (more) {
    Fill(batch);
    more = !batch.arrivals.empty();  // an empty batch is the end
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !is_ready_; });
    if (stopping_) return;
    std::swap(ready_, batch);
    is_ready_ = true;
    changed_.notify_all();
  }
}

const Arrival* ArrivalFeed::Next() {
  if (next_ == current_.arrivals.size()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_ready_; });
    if (ready_.arrivals.empty()) return nullptr;  // and so it stays
    std::swap(current_, ready_);
    is_ready_ = false;
    changed_.notify_all();
    next_ = 0;
  }
  return &current_.arrivals[next_++];
}

}  // namespace jikji::twin
