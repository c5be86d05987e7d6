// Several engines behind one door: the same model on several GPUs, or groups of GPUs that compute
// it together, each with a KV cache of its own.
//
// A request goes to the replica that fleet::Route picks, as the site's router would: the one that
// has the beginning of its prompt, unless too much waits there. Promise 1 holds whichever it is,
// since the replicas are equal. A replica whose device is lost, or that makes no step, gets no new
// requests, its own end with its error, and the others go on; the engine is healthy as long as one
// of them is.
#ifndef JIKJI_APP_REPLICATED_ENGINE_H_
#define JIKJI_APP_REPLICATED_ENGINE_H_

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/engine.h"
#include "fleet/cache_index.h"
#include "fleet/site.h"

namespace jikji {

class ReplicatedEngine : public Engine {
 public:
  // At least one, of one model and the same options.
  explicit ReplicatedEngine(std::vector<std::unique_ptr<Engine>> replicas);

  const ModelDescription& model() const override { return replicas_.front()->model(); }
  const EngineOptions& options() const override { return replicas_.front()->options(); }  // of each
  Result<> Submit(Ticket ticket, GenerationRequest request, DeltaSink sink) override;
  void Cancel(const std::string& id) override;
  void StopAdmission() override;
  EngineStats stats() const override;  // of all together
  EngineHealth Health(std::chrono::milliseconds limit) const override;
  // Heard from one thread at a time.
  void SetObserver(Observer observer) override;

 private:
  // What a request is taken to cost the replica that it is on, until its last choice has finished.
  struct Lease;

  // The replicas that answer get new requests, the others none.
  void LookForLost();
  std::shared_ptr<Lease> Place(const Ticket& ticket, const GenerationRequest& request);
  void Hear(Lease& lease, const Delta& delta);
  void EndPrompt(Lease& lease);
  void Forget(const Lease& lease);
  void Release(Lease& lease);

  std::mutex mutex_;
  // Under the mutex:
  fleet::Snapshot site_;  // a node for each replica
  fleet::CacheIndex index_;
  uint64_t routed_ = 0;
  std::unordered_map<std::string, const Lease*> live_;  // by id

  std::mutex observing_;
  std::vector<std::unique_ptr<Engine>> replicas_;  // the last member: their threads use all others
};

}  // namespace jikji

#endif  // JIKJI_APP_REPLICATED_ENGINE_H_
