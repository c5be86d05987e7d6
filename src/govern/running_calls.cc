#include "govern/running_calls.h"

#include <vector>

namespace jikji {

RunningCalls::Entry::~Entry() {
  if (calls_ == nullptr) return;
  const std::lock_guard lock(calls_->mutex_);
  calls_->calls_.erase(number_);
}

RunningCalls::Entry RunningCalls::Add(int64_t organisation, std::string model, StopFunction stop) {
  const std::lock_guard lock(mutex_);
  calls_.emplace(++next_, Call{organisation, std::move(model), std::move(stop)});
  return {this, next_};
}

size_t RunningCalls::Enforce(const Directory& directory) {
  if (directory.stops.empty()) return 0;
  std::vector<std::pair<StopFunction, const std::string*>> told;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [number, call] : calls_) {
      if (call.stop == nullptr) continue;
      const std::string* reason = directory.FindStop(call.organisation, call.model);
      if (reason != nullptr) told.emplace_back(std::exchange(call.stop, nullptr), reason);
    }
  }
  for (const auto& [stop, reason] : told) stop(*reason);
  return told.size();
}

}  // namespace jikji
