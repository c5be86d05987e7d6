// Requests that wait for pages or a slot: lower priority first, then first come first served. A
// request with several choices stays at its place until the last of them has started.
#ifndef JIKJI_ENGINE_WAIT_QUEUE_H_
#define JIKJI_ENGINE_WAIT_QUEUE_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/scheduler.h"
#include "engine/sequence.h"

namespace jikji {

class WaitQueue {
 public:
  void Add(std::shared_ptr<ActiveRequest> request);

  // The first choices in turn, at most `count`.
  std::vector<WaitingState> Head(int32_t count, int32_t page_tokens) const;

  struct Start {
    std::shared_ptr<ActiveRequest> request;
    int32_t choice = 0;
  };
  // Takes the first choice out. The queue must not be empty.
  Start Pop();

  // Takes a request out wherever it is; nullptr where it does not wait.
  std::shared_ptr<ActiveRequest> Remove(const std::string& id);

  // The id of the first request. The queue must not be empty.
  const std::string& FirstId() const { return lines_.begin()->second.front()->request.id; }

  bool empty() const { return requests_ == 0; }
  size_t requests() const { return requests_; }
  int64_t choices() const { return choices_; }

 private:
  using Line = std::deque<std::shared_ptr<ActiveRequest>>;
  std::map<int32_t, Line> lines_;  // by priority; none is empty
  size_t requests_ = 0;
  int64_t choices_ = 0;
};

// Pages for the whole of one choice.
int32_t PagesOf(const GenerationRequest& request, int32_t page_tokens);

}  // namespace jikji

#endif  // JIKJI_ENGINE_WAIT_QUEUE_H_
