// Choices that wait for pages or a slot, in order of rank. One that ran and was put back waits at
// the rank it had.
#ifndef JIKJI_ENGINE_WAIT_QUEUE_H_
#define JIKJI_ENGINE_WAIT_QUEUE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/sequence.h"

namespace jikji {

class WaitQueue {
 public:
  struct Entry {
    std::shared_ptr<ActiveRequest> request;
    int32_t choice = 0;
    std::unique_ptr<Sequence> sequence;  // what it has come to; null: it never ran
  };

  // All choices of a request that arrives.
  void Add(const std::shared_ptr<ActiveRequest>& request);
  // A choice that ran and is to run again.
  void Return(std::unique_ptr<Sequence>& sequence);

  // The queue must not be empty.
  const Rank& FirstRank() const { return entries_.begin()->first; }
  const Entry& First() const { return entries_.begin()->second; }
  Entry Pop() { return Take(entries_.begin()); }

  // Takes out what waits of a request, wherever it is.
  std::vector<Entry> Remove(const std::string& id);

  bool empty() const { return entries_.empty(); }
  int64_t choices() const { return static_cast<int64_t>(entries_.size()); }
  size_t requests() const { return requests_; }  // those with a choice that never ran

 private:
  using Entries = std::map<Rank, Entry>;
  Entry Take(Entries::iterator at);

  Entries entries_;
  uint64_t arrivals_ = 0;
  size_t requests_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_WAIT_QUEUE_H_
