#include "app/replicated_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "fleet/prefix.h"
#include "fleet/route.h"

namespace jikji {
namespace {

constexpr size_t kIndexEntries = 1 << 18;  // 6 MiB: some thousand conversations
constexpr size_t kMostBlocks = 1 << 13;
// An answer is taken to be no longer, since most end before their limit.
constexpr int64_t kUsualOutput = 256;
// No step for so long: a replica gets nothing new until it moves again.
constexpr std::chrono::seconds kStuck{10};

// The prompt's beginnings, told apart by all that parts pages: the salt and the adapter.
std::vector<uint64_t> PrefixOf(const Ticket& ticket, const GenerationRequest& request,
                               int32_t page_tokens) {
  const std::string_view bytes(reinterpret_cast<const char*>(request.prompt.data()),
                               request.prompt.size() * sizeof(TokenId));
  const uint64_t salt = std::hash<std::string_view>()(ticket.cache_salt());
  return fleet::PrefixHashes(bytes, static_cast<size_t>(page_tokens) * sizeof(TokenId), kMostBlocks,
                             fleet::Chain(salt, static_cast<uint64_t>(request.adapter)));
}

fleet::Snapshot SiteOf(size_t replicas) {
  fleet::Snapshot site;
  site.feeds.resize(1);
  site.loops.resize(1);
  site.racks.resize(1);
  site.gpu_powers.resize(1);
  site.models.resize(1);
  site.nodes.assign(replicas, {.model = 0});
  site.loads.resize(replicas);
  fleet::RebuildPools(site);
  return site;
}

}  // namespace

struct ReplicatedEngine::Lease {
  ReplicatedEngine& owner;
  std::string id;
  int32_t replica;
  int64_t prompt_work, decode_work;
  int32_t unfinished;  // choices
  bool prompt_ended = false;

  // Where a receiver threw, the engine tells no more of the request, and lets go of it.
  ~Lease() { owner.Release(*this); }
};

ReplicatedEngine::ReplicatedEngine(std::vector<std::unique_ptr<Engine>> replicas)
    : site_(SiteOf(replicas.size())), index_(kIndexEntries), replicas_(std::move(replicas)) {}

void ReplicatedEngine::LookForLost() {
  bool changed = false;
  for (size_t i = 0; i < replicas_.size(); ++i) {
    fleet::Node& node = site_.nodes[i];
    const EngineHealth health = replicas_[i]->Health(kStuck);
    const auto state = health.healthy ? fleet::NodeState::kServing : fleet::NodeState::kDown;
    if (node.state == state) continue;
    Log(LogLevel::kWarning,
        health.healthy
            ? fmt::format("replica {} of the model moves again", i)
            : fmt::format("replica {} of the model gets no new requests: {}", i, health.reason));
    node.state = state;
    index_.Remove(static_cast<int32_t>(i));
    changed = true;
  }
  if (changed) fleet::RebuildPools(site_);
}

std::shared_ptr<ReplicatedEngine::Lease> ReplicatedEngine::Place(const Ticket& ticket,
                                                                 const GenerationRequest& request) {
  const int32_t page_tokens = options().page_tokens;
  const std::vector<uint64_t> prefix = PrefixOf(ticket, request, page_tokens);
  const int64_t output = std::min(request.max_tokens, kUsualOutput) * request.choices;
  LookForLost();
  const fleet::RouteRequest wanted{.id = routed_++,
                                   .prompt_tokens = static_cast<int64_t>(request.prompt.size()),
                                   .decode_work = fleet::DecodeWork(output),
                                   .prefix = prefix};
  const fleet::RouteChoice choice =
      fleet::Route(site_, index_, wanted, {.block_tokens = page_tokens});
  if (choice.node < 0) return nullptr;
  index_.Add(prefix, choice.node);
  const int64_t prompt_work = wanted.prompt_tokens - choice.cached_tokens;
  fleet::AddWork(site_, choice.node, prompt_work + wanted.decode_work);
  fleet::NodeLoad& load = site_.loads[static_cast<size_t>(choice.node)];
  load.prefill += prompt_work;
  ++load.waiting;
  auto lease = std::make_shared<Lease>(*this, request.id, choice.node, prompt_work,
                                       wanted.decode_work, request.choices);
  live_.emplace(request.id, lease.get());
  return lease;
}

Result<> ReplicatedEngine::Submit(Ticket ticket, GenerationRequest request, DeltaSink sink) {
  if (!sink) return Fail(ErrorCode::kInvalidArgument, "a request must have a receiver");
  std::shared_ptr<Lease> lease;
  {
    const std::lock_guard lock(mutex_);
    if (live_.contains(request.id)) {
      return Fail(ErrorCode::kInvalidArgument, "a request of this id is in flight", "id");
    }
    lease = Place(ticket, request);
  }
  if (lease == nullptr) return Fail(ErrorCode::kUnavailable, Health(kStuck).reason);
  Engine& replica = *replicas_[static_cast<size_t>(lease->replica)];
  return replica.Submit(std::move(ticket), std::move(request),
                        [this, lease = std::move(lease), sink = std::move(sink)](Delta delta) {
                          Hear(*lease, delta);
                          sink(std::move(delta));
                        });
}

void ReplicatedEngine::Hear(Lease& lease, const Delta& delta) {
  const bool prompt_ends = !lease.prompt_ended && !delta.tokens.empty();
  if (!prompt_ends && !delta.finish) return;  // nothing that a lock must be taken for
  const std::lock_guard lock(mutex_);
  if (prompt_ends) EndPrompt(lease);
  if (delta.finish && --lease.unfinished == 0) Forget(lease);
}

// Its id may have been taken anew since.
void ReplicatedEngine::Forget(const Lease& lease) {
  const auto found = live_.find(lease.id);
  if (found != live_.end() && found->second == &lease) live_.erase(found);
}

void ReplicatedEngine::EndPrompt(Lease& lease) {
  lease.prompt_ended = true;
  fleet::AddWork(site_, lease.replica, -lease.prompt_work);
  fleet::NodeLoad& load = site_.loads[static_cast<size_t>(lease.replica)];
  load.prefill -= lease.prompt_work;
  --load.waiting;
  ++load.running;
}

void ReplicatedEngine::Release(Lease& lease) {
  const std::lock_guard lock(mutex_);
  if (!lease.prompt_ended) EndPrompt(lease);
  --site_.loads[static_cast<size_t>(lease.replica)].running;
  fleet::AddWork(site_, lease.replica, -lease.decode_work);
  Forget(lease);
}

void ReplicatedEngine::Cancel(const std::string& id) {
  int32_t replica = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = live_.find(id);
    if (found == live_.end()) return;
    replica = found->second->replica;
  }
  replicas_[static_cast<size_t>(replica)]->Cancel(id);
}

void ReplicatedEngine::StopAdmission() {
  for (const auto& replica : replicas_) replica->StopAdmission();
}

EngineStats ReplicatedEngine::stats() const {
  EngineStats sum;
  for (const auto& replica : replicas_) {
    const EngineStats each = replica->stats();
    for (int64_t EngineStats::*count :
         {&EngineStats::waiting, &EngineStats::running, &EngineStats::pages_used,
          &EngineStats::pages_total, &EngineStats::steps, &EngineStats::steps_ahead,
          &EngineStats::prompt_tokens, &EngineStats::generation_tokens, &EngineStats::preemptions,
          &EngineStats::draft_tokens, &EngineStats::accepted_tokens, &EngineStats::prefix_queries,
          &EngineStats::prefix_hits}) {
      sum.*count += each.*count;
    }
  }
  return sum;
}

EngineHealth ReplicatedEngine::Health(std::chrono::milliseconds limit) const {
  EngineHealth first;
  for (const auto& replica : replicas_) {
    EngineHealth health = replica->Health(limit);
    if (health.healthy) return health;
    if (first.reason.empty()) first = std::move(health);
  }
  return first;
}

void ReplicatedEngine::SetObserver(Observer observer) {
  const auto one_at_a_time = [this](auto function) {
    if (!function) return function;
    return decltype(function)([this, function](auto&&... args) {
      const std::lock_guard lock(observing_);
      function(std::forward<decltype(args)>(args)...);
    });
  };
  const Observer guarded{.step = one_at_a_time(observer.step),
                         .finished = one_at_a_time(observer.finished),
                         .inter_token = one_at_a_time(observer.inter_token),
                         .first_token = one_at_a_time(observer.first_token)};
  for (const auto& replica : replicas_) replica->SetObserver(guarded);
}

}  // namespace jikji
