#include "twin/arrival_feed.h"

#include <algorithm>
#include <span>
#include <utility>

namespace jikji::twin {
namespace {

// What is saved of an arrival, beside its prefix.
struct SavedArrival {
  double time;
  uint32_t prompt, output;
  uint32_t prefix_size;
  fleet::ServiceClass service;
};

// Lets each arrival have its part of `prefixes`, which is all of theirs one after the other and
// moves no more.
void Settle(std::vector<Arrival>& arrivals, std::span<const uint64_t> prefixes) {
  for (Arrival& each : arrivals) {
    const size_t size = each.prefix.size();
    each.prefix = prefixes.first(size);
    prefixes = prefixes.subspan(size);
  }
}

}  // namespace

ArrivalFeed::ArrivalFeed(Workload& workload) : workload_(workload) { Start(); }

ArrivalFeed::~ArrivalFeed() { Stop(); }

void ArrivalFeed::Start() {
  stopping_ = false;
  maker_ = std::jthread([this] { Make(); });
}

void ArrivalFeed::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  maker_.join();
}

void ArrivalFeed::Fill(Batch& batch) {
  batch.arrivals.clear();
  batch.prefixes.clear();
  Arrival arrival;
  while (batch.arrivals.size() < kBatch && workload_.Next(arrival)) {
    batch.prefixes.insert(batch.prefixes.end(), arrival.prefix.begin(), arrival.prefix.end());
    batch.arrivals.push_back(arrival);
  }
  Settle(batch.arrivals, batch.prefixes);
}

void ArrivalFeed::Make() {
  bool more = true;
  while (more) {
    Fill(making_);
    is_made_ = true;
    more = !making_.arrivals.empty();  // an empty batch is the end
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !is_ready_; });
    if (stopping_) return;
    std::swap(ready_, making_);
    is_made_ = false;
    is_ready_ = true;
    changed_.notify_all();
  }
}

const Arrival* ArrivalFeed::Front() {
  if (next_ == current_.arrivals.size()) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_ready_; });
    if (ready_.arrivals.empty()) return nullptr;  // and so it stays
    std::swap(current_, ready_);
    is_ready_ = false;
    changed_.notify_all();
    next_ = 0;
  }
  return &current_.arrivals[next_];
}

void ArrivalFeed::Gather() {
  Batch all;
  const auto take = [&all](std::span<const Arrival> arrivals) {
    for (const Arrival& each : arrivals) {
      all.prefixes.insert(all.prefixes.end(), each.prefix.begin(), each.prefix.end());
      all.arrivals.push_back(each);
    }
  };
  take(std::span(current_.arrivals).subspan(next_));
  if (is_ready_) take(ready_.arrivals);
  if (is_made_) take(making_.arrivals);
  Settle(all.arrivals, all.prefixes);
  current_ = std::move(all);
  next_ = 0;
  is_ready_ = is_made_ = false;
}

void ArrivalFeed::Exchange(StateStream& stream) {
  Stop();
  Gather();
  std::vector<SavedArrival> saved;
  for (const Arrival& each : current_.arrivals) {
    saved.push_back({each.time, each.prompt, each.output, static_cast<uint32_t>(each.prefix.size()),
                     each.service});
  }
  stream.List(saved);
  stream.List(current_.prefixes);
  if (stream.reading()) {
    current_.arrivals.clear();
    std::span<const uint64_t> prefixes = current_.prefixes;
    for (const SavedArrival& each : saved) {
      const size_t size = std::min<size_t>(each.prefix_size, prefixes.size());
      current_.arrivals.push_back(
          {each.time, each.prompt, each.output, each.service, prefixes.first(size)});
      prefixes = prefixes.subspan(size);
    }
  }
  workload_.Exchange(stream);
  Start();
}

}  // namespace jikji::twin
