#include "engine/wait_queue.h"

#include <algorithm>
#include <utility>

namespace jikji {

void WaitQueue::Add(std::shared_ptr<ActiveRequest> request) {
  ++requests_;
  choices_ += request->unstarted;
  lines_[request->ticket.priority()].push_back(std::move(request));
}

std::vector<WaitingState> WaitQueue::Head(int32_t count, int32_t page_tokens) const {
  std::vector<WaitingState> head;
  for (const auto& [priority, line] : lines_) {
    for (const auto& waiting : line) {
      const GenerationRequest& request = waiting->request;
      for (int32_t left = waiting->unstarted; left > 0; --left) {
        if (static_cast<int32_t>(head.size()) >= count) return head;
        const bool first = left == request.choices;
        head.push_back({.prompt = static_cast<int64_t>(request.prompt.size()),
                        .pages = PagesOf(request, page_tokens),
                        .scored = first && request.prompt_logprobs >= 0});
      }
    }
  }
  return head;
}

WaitQueue::Start WaitQueue::Pop() {
  const auto first = lines_.begin();
  Line& line = first->second;
  Start start{line.front(), line.front()->request.choices - line.front()->unstarted};
  --choices_;
  if (--start.request->unstarted == 0) {
    --requests_;
    line.pop_front();
    if (line.empty()) lines_.erase(first);
  }
  return start;
}

std::shared_ptr<ActiveRequest> WaitQueue::Remove(const std::string& id) {
  for (auto entry = lines_.begin(); entry != lines_.end(); ++entry) {
    Line& line = entry->second;
    const auto found =
        std::find_if(line.begin(), line.end(), [&](const auto& r) { return r->request.id == id; });
    if (found == line.end()) continue;
    std::shared_ptr<ActiveRequest> request = std::move(*found);
    line.erase(found);
    if (line.empty()) lines_.erase(entry);
    --requests_;
    choices_ -= request->unstarted;
    return request;
  }
  return nullptr;
}

int32_t PagesOf(const GenerationRequest& request, int32_t page_tokens) {
  const auto tokens = static_cast<int64_t>(request.prompt.size()) + request.max_tokens;
  return static_cast<int32_t>(PagesFor(tokens, page_tokens));
}

}  // namespace jikji
