// Arrivals of a workload, made ahead of the simulation on a thread of their own.
//
// The stream is the workload's own, so a run repeats whatever the threads do. While a feed lives
// the workload is its alone.
#ifndef JIKJI_TWIN_ARRIVAL_FEED_H_
#define JIKJI_TWIN_ARRIVAL_FEED_H_

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "twin/workload.h"

namespace jikji::twin {

class ArrivalFeed {
 public:
  explicit ArrivalFeed(Workload& workload);
  ArrivalFeed(const ArrivalFeed&) = delete;
  ArrivalFeed& operator=(const ArrivalFeed&) = delete;
  ~ArrivalFeed();

  // The next arrival, or nullptr at the end; valid until Pop.
  const Arrival* Front();
  // Where there is a Front.
  void Pop() { ++next_; }

  // What Front will give after `ahead` calls of Pop, where it is at hand; else nullptr.
  const Arrival* Peek(size_t ahead) const {
    const size_t at = next_ + ahead;
    return at < current_.arrivals.size() ? &current_.arrivals[at] : nullptr;
  }
  // Saves what is still to come, or restores it.
  void Exchange(StateStream& stream);

 private:
  // So many that handing them over costs nothing each, and so few that they stay in a cache.
  static constexpr size_t kBatch = 1024;

  struct Batch {
    std::vector<Arrival> arrivals;
    std::vector<uint64_t> prefixes;  // of all, one after the other
  };

  void Start();
  void Stop();
  void Make();
  void Fill(Batch& batch);
  // Everything made and not popped, as one batch; the maker has stopped.
  void Gather();

  Workload& workload_;
  Batch current_;    // the simulation's
  size_t next_ = 0;  // in it

  std::mutex mutex_;
  std::condition_variable changed_;
  Batch making_;          // the maker's
  bool is_made_ = false;  // and not handed over
  Batch ready_;
  bool is_ready_ = false;
  bool stopping_ = false;
  std::jthread maker_;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_ARRIVAL_FEED_H_
