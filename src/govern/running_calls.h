// Answers under way, so that an emergency stop ends them too, and not only what comes after it.
//
// Contract: once Enforce has returned, every call that a stop of the directory covers and that was
// added before has been told, once. A call that is added later is told by the next Enforce.
// Thread-safe. Non-goals: how a call ends (api/), who may stop (tenancy/).
#ifndef JIKJI_GOVERN_RUNNING_CALLS_H_
#define JIKJI_GOVERN_RUNNING_CALLS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "govern/tenancy/directory.h"

namespace jikji {

class RunningCalls {
 public:
  // Called from another thread, without a lock of this class; may destroy the call's entry.
  using StopFunction = std::function<void(const std::string& reason)>;

  // A call is under way for as long as it holds this.
  class Entry {
   public:
    Entry() = default;
    Entry(Entry&& other) noexcept { *this = std::move(other); }
    Entry& operator=(Entry&& other) noexcept {
      std::swap(calls_, other.calls_);
      std::swap(number_, other.number_);
      return *this;
    }
    ~Entry();

   private:
    friend class RunningCalls;
    Entry(RunningCalls* calls, uint64_t number) : calls_(calls), number_(number) {}
    RunningCalls* calls_ = nullptr;
    uint64_t number_ = 0;
  };

  // `model`: whose stop ends it. This outlives the entry.
  Entry Add(int64_t organisation, std::string model, StopFunction stop);

  // Tells those that may not run any more; how many.
  size_t Enforce(const Directory& directory);

 private:
  struct Call {
    int64_t organisation;
    std::string model;
    StopFunction stop;  // empty once it was told
  };
  std::mutex mutex_;
  std::map<uint64_t, Call> calls_;
  uint64_t next_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_GOVERN_RUNNING_CALLS_H_
