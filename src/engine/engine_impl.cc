#include "engine/engine_impl.h"

#include <fmt/format.h>

#include <exception>
#include <utility>

#include "base/log.h"
#include "engine/cache_plan.h"
#include "engine/request_check.h"

namespace jikji {
namespace {

constexpr size_t kMostThreads = 1024;

// Calls what is not the engine's own; whatever it throws ends here.
template <class Function, class... Args>
bool CallForeign(const Function& function, Args&&... args) {
  try {
    if (function) function(std::forward<Args>(args)...);
    return true;
  } catch (const std::exception& error) {
    Log(LogLevel::kWarning, fmt::format("a receiver of the engine threw: {}", error.what()));
  } catch (...) {
    Log(LogLevel::kWarning, "a receiver of the engine threw");
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Engine>> Engine::Start(Model model, EngineOptions options) {
  if (model.decoder == nullptr || model.description.tokenizer == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "an engine needs a decoder and a tokenizer");
  }
  if (options.threads > kMostThreads) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("at most {} threads", kMostThreads));
  }
  if (options.step_tokens < 1 || options.max_queued < 1) {
    return Fail(ErrorCode::kInvalidArgument,
                "a step must take a token and the queue a request, at least");
  }
  if (!(options.prefill_slowdown == 0 || options.prefill_slowdown > 1)) {
    return Fail(ErrorCode::kInvalidArgument,
                "prompts beside running streams make a step longer: prefill_slowdown must be above "
                "1, or 0 for no limit",
                "prefill_slowdown");
  }
  if (options.speculate < 0 || options.speculate > kMostDrafts) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("at most {} drafts", kMostDrafts),
                "speculate");
  }
  if (model.decoder->spec().vocab > kernels::kMostChoiceVocab) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("a vocabulary has at most {} tokens", kernels::kMostChoiceVocab));
  }
  if (options.threads == 0) options.threads = UsableCores();
  const DecoderSpec& spec = model.decoder->spec();
  JIKJI_ASSIGN(const CachePlan plan, PlanCache(spec, options));
  options.context = plan.context;
  JIKJI_ASSIGN(KvCache cache,
               model.decoder->MakeCache(plan.pages, options.page_tokens, options.kv_dtype));
  return std::make_unique<EngineImpl>(std::move(model), std::move(options), std::move(cache));
}

EngineImpl::EngineImpl(Model model, EngineOptions options, KvCache cache)
    : model_(std::move(model)),
      options_(std::move(options)),
      pages_(cache.pages()),
      adapters_(static_cast<int32_t>(model_.description.adapters.size())),
      stepper_(model_, options_, std::move(cache)),
      stats_(stepper_.stats()),
      beat_(Clock::now()),
      thread_([this] { Run(); }) {}

EngineImpl::~EngineImpl() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Result<> EngineImpl::Submit(Ticket ticket, GenerationRequest request, DeltaSink sink) {
  if (!sink) return Fail(ErrorCode::kInvalidArgument, "a request must have a receiver");
  const bool adapted = request.adapter > kBaseModel && request.adapter < adapters_;
  const ModelDescription& model = model_.description.Of(adapted ? request.adapter : kBaseModel);
  JIKJI_RETURN_IF_ERROR(CheckRequest(request, ticket,
                                     {.vocab = model.spec.vocab,
                                      .context = options_.context,
                                      .pages = pages_,
                                      .page_tokens = options_.page_tokens,
                                      .adapters = adapters_}));
  auto active =
      std::make_shared<ActiveRequest>(std::move(ticket), std::move(request), std::move(sink));
  {
    const std::lock_guard lock(mutex_);
    if (lost_) return std::unexpected(*lost_);
    if (draining_ || stopping_) {
      return Fail(ErrorCode::kUnavailable, "the server is stopping and takes no new requests");
    }
    if (!HasPlaceFor(active->ticket.tenant())) {
      return Fail(
          ErrorCode::kUnavailable,
          fmt::format("{} requests are waiting already; try again later", options_.max_queued));
    }
    if (!live_.insert(active->request.id).second) {
      return Fail(ErrorCode::kInvalidArgument, "a request of this id is in flight", "id");
    }
    ++tenants_[active->ticket.tenant()];
    if (!working_ && inbox_.empty()) beat_ = Clock::now();  // from now on it is late
    inbox_.push_back(std::move(active));
  }
  wake_.notify_one();
  return {};
}

// The queue is full for whoever filled it: a tenant that has less than its share of twice the queue
// still gets in, so that nobody can shut the door on others.
bool EngineImpl::HasPlaceFor(const std::string& tenant) const {
  const size_t waiting = inbox_.size() + waiting_requests_;
  if (waiting < options_.max_queued) return true;
  const auto known = tenants_.find(tenant);
  const size_t own = known == tenants_.end() ? 0 : known->second;
  const size_t among = tenants_.size() + (own == 0 ? 1 : 0);
  return among > 1 && waiting < 2 * options_.max_queued && own < options_.max_queued / among;
}

void EngineImpl::Cancel(const std::string& id) {
  {
    const std::lock_guard lock(mutex_);
    if (!live_.contains(id)) return;
    cancels_.push_back(id);
  }
  wake_.notify_one();
}

void EngineImpl::StopAdmission() {
  const std::lock_guard lock(mutex_);
  draining_ = true;
}

EngineStats EngineImpl::stats() const {
  const std::lock_guard lock(mutex_);
  EngineStats stats = stats_;
  for (const auto& request : inbox_) stats.waiting += request->request.choices;
  return stats;
}

EngineHealth EngineImpl::Health(std::chrono::milliseconds limit) const {
  const std::lock_guard lock(mutex_);
  if (stopping_) return {false, "the engine is stopping"};
  if (lost_) return {false, lost_->message};
  const auto late = Clock::now() - beat_;
  if ((working_ || !inbox_.empty()) && late > limit) {
    return {false,
            fmt::format("there is work, and no step has ended for {} ms",
                        std::chrono::duration_cast<std::chrono::milliseconds>(late).count())};
  }
  return {true, {}};
}

void EngineImpl::SetObserver(Observer observer) {
  const std::lock_guard lock(mutex_);
  observer_ = std::move(observer);
}

void EngineImpl::Run() {
  bool more = true;
  while (more) {
    more = TakeIn();
    // The cancelled hear of it before the next step, not after.
    GiveOut(0);
    if (!more || !stepper_.busy()) continue;
    stepper_.Prepare();
    Publish({});
    GiveOut(stepper_.Compute());
  }
}

bool EngineImpl::TakeIn() {
  std::vector<std::shared_ptr<ActiveRequest>> arrived;
  std::vector<std::string> cancelled;
  bool stop = false;
  {
    std::unique_lock lock(mutex_);
    const auto ready = [&] {
      return stopping_ || !inbox_.empty() || !cancels_.empty() || stepper_.busy();
    };
    if (!ready()) {
      working_ = false;
      wake_.wait(lock, ready);
      beat_ = Clock::now();
    }
    working_ = true;
    arrived.swap(inbox_);
    cancelled.swap(cancels_);
    waiting_requests_ += arrived.size();
    stop = stopping_;
  }
  for (auto& request : arrived) stepper_.Add(std::move(request));
  for (const std::string& id : cancelled) stepper_.Cancel(id);
  if (stop) stepper_.CancelAll();
  return !stop;
}

void EngineImpl::Publish(const std::vector<Emission>& emissions) {
  const std::lock_guard lock(mutex_);
  beat_ = Clock::now();
  stats_ = stepper_.stats();
  lost_ = stepper_.lost();
  waiting_requests_ = stepper_.waiting_requests();
  for (const Emission& emission : emissions) {
    if (emission.request->unfinished > 0 || live_.erase(emission.request->request.id) == 0)
      continue;
    const auto tenant = tenants_.find(emission.request->ticket.tenant());
    if (--tenant->second == 0) tenants_.erase(tenant);
  }
}

void EngineImpl::GiveOut(int64_t step_tokens) {
  bool first = true;
  // A receiver that throws cancels its request, which gives rise to the next round.
  for (auto emissions = stepper_.TakeEmissions(); first || !emissions.empty();
       emissions = stepper_.TakeEmissions()) {
    Publish(emissions);
    if (first && step_tokens > 0) CallForeign(observer_.step, step_tokens);
    first = false;
    for (Emission& emission : emissions) Deliver(std::move(emission));
  }
}

void EngineImpl::Deliver(Emission emission) {
  const auto request = emission.request;
  if (Meter* meter = request->ticket.meter(); meter != nullptr && emission.started) {
    // Later choices find in the cache what the first has just computed: the prompt is paid once.
    const int64_t cached = emission.delta.choice == 0 ? emission.delta.cached_tokens : 0;
    meter->Count(static_cast<int64_t>(request->request.prompt.size()), cached,
                 static_cast<int64_t>(emission.delta.tokens.size()));
  }
  Observe(emission);
  if (request->deaf || CallForeign(request->sink, std::move(emission.delta))) return;
  request->deaf = true;
  stepper_.Cancel(request->request.id);
}

void EngineImpl::Observe(const Emission& emission) {
  if (emission.first_token) CallForeign(observer_.first_token, *emission.first_token);
  if (emission.inter_token) CallForeign(observer_.inter_token, *emission.inter_token);
  if (emission.times) {
    CallForeign(observer_.finished, *emission.times, *emission.delta.finish,
                emission.delta.prompt_tokens, emission.delta.output_tokens);
  }
}

}  // namespace jikji
