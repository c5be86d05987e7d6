// The engine's thread around a Stepper, and the door to it.
#ifndef JIKJI_ENGINE_ENGINE_IMPL_H_
#define JIKJI_ENGINE_ENGINE_IMPL_H_

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/engine.h"
#include "engine/sequence.h"
#include "engine/stepper.h"

namespace jikji {

class EngineImpl : public Engine {
 public:
  // `options` are resolved; `cache` is what PlanCache said.
  EngineImpl(Model model, EngineOptions options, KvCache cache);
  ~EngineImpl() override;

  const ModelDescription& model() const override { return model_.description; }
  const EngineOptions& options() const override { return options_; }
  Result<> Submit(Ticket ticket, GenerationRequest request, DeltaSink sink) override;
  void Cancel(const std::string& id) override;
  void StopAdmission() override;
  EngineStats stats() const override;
  EngineHealth Health(std::chrono::milliseconds limit) const override;
  void SetObserver(Observer observer) override;

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  bool HasPlaceFor(const std::string& tenant) const;
  // Waits for work and takes it in; false where the engine is to stop.
  bool TakeIn();
  // Makes the stepper's state visible, and which requests are over.
  void Publish(const std::vector<Emission>& emissions);
  // Publishes what the stepper did, then tells the receivers.
  void GiveOut(int64_t step_tokens);
  void Deliver(Emission emission);
  void Observe(const Emission& emission);

  Model model_;
  const EngineOptions options_;
  const int32_t pages_;
  const int32_t adapters_;
  Observer observer_;
  Stepper stepper_;  // the thread's own

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  // Under the mutex:
  std::vector<std::shared_ptr<ActiveRequest>> inbox_;
  std::vector<std::string> cancels_;
  std::unordered_set<std::string> live_;  // ids from Submit to the end of their last choice
  std::unordered_map<std::string, size_t> tenants_;  // requests of each that are live
  size_t waiting_requests_ = 0;                      // in the stepper's queue
  EngineStats stats_;
  std::optional<Error> lost_;  // the decoder's device
  bool draining_ = false;
  bool stopping_ = false;
  bool working_ = false;    // the thread is not waiting for work
  Clock::time_point beat_;  // when the thread last got somewhere

  std::thread thread_;  // the last member: it uses all others
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_ENGINE_IMPL_H_
