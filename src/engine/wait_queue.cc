#include "engine/wait_queue.h"

#include <utility>

namespace jikji {

void WaitQueue::Add(const std::shared_ptr<ActiveRequest>& request) {
  request->arrival = ++arrivals_;
  request->unstarted = request->request.choices;
  ++requests_;
  for (int32_t choice = 0; choice < request->request.choices; ++choice) {
    entries_.try_emplace(RankOf(*request, choice), Entry{request, choice, nullptr});
  }
}

void WaitQueue::Return(std::unique_ptr<Sequence>& sequence) {
  // What may lack memory comes first, so that the sequence is never lost.
  Entry& entry = entries_[sequence->rank()];
  entry.request = sequence->request();
  entry.choice = sequence->rank().choice;
  entry.sequence = std::move(sequence);
}

WaitQueue::Entry WaitQueue::Take(Entries::iterator at) {
  Entry entry = std::move(at->second);
  entries_.erase(at);
  if (!entry.sequence && --entry.request->unstarted == 0) --requests_;
  return entry;
}

std::vector<WaitQueue::Entry> WaitQueue::Remove(const std::string& id) {
  std::vector<Entry> removed;
  for (auto at = entries_.begin(); at != entries_.end();) {
    const auto next = std::next(at);
    if (at->second.request->request.id == id) removed.push_back(Take(at));
    at = next;
  }
  return removed;
}

}  // namespace jikji
