#include "twin/simulation.h"

#include <algorithm>
#include <deque>

#include "fleet/place.h"
#include "fleet/power.h"
#include "twin/event_heap.h"
#include "twin/incidents.h"
#include "twin/power_control.h"
#include "twin/prefix_caches.h"
#include "twin/random.h"
#include "twin/request_slots.h"
#include "twin/series_sampler.h"

namespace jikji::twin {
namespace {

constexpr double kSecondsOfYear = 365.0 * 86400;
// The router's index: what all nodes hold, and no more than 1 GiB.
constexpr size_t kMostIndexEntries = 32u << 20;

// Batch work that waits for cheaper hours.
struct Deferred {
  uint32_t prompt, output;
};

class Simulation {
 public:
  Simulation(const SiteModel& model, Workload& workload, const SimulationOptions& options)
      : model_(model),
        workload_(workload),
        options_(options),
        site_(BuildSnapshot(model)),
        index_(std::min(kMostIndexEntries, site_.nodes.size() * model.cache_blocks + 64)),
        caches_(site_.nodes.size(), model.cache_blocks),
        replicas_(site_.nodes.size(), model.engine),
        heap_(site_.nodes.size()),
        power_(model_, site_),
        incidents_(site_.nodes.size()),
        sampler_(options.series_s),
        random_(options.seed),
        busy_(site_.nodes.size()),
        active_sum_(site_.nodes.size(), 0) {
    const StepModel& step = model.engine.step;
    // What a sequence costs in decode, in tokens of prompt: its share of the steps it is in.
    const double each = step.sequence_s + step.context_s * workload.mean_output();
    decode_work_ = step.prompt_s > 0
                       ? static_cast<int64_t>(workload.mean_output() * each / step.prompt_s)
                       : static_cast<int64_t>(workload.mean_output());
    decode_work_ = std::max<int64_t>(1, decode_work_);
    wanted_nodes_ = static_cast<int32_t>(site_.pools[0].nodes.size());
    for (size_t i = 0; i < site_.nodes.size(); ++i) ScheduleFailure(static_cast<int32_t>(i), 0);
    for (size_t i = 0; i < model.events.size(); ++i) {
      const double begin = model.events[i].at_hour * 3600;
      incidents_.Add(begin, Incident::Kind::kEventBegin, static_cast<int32_t>(i));
      incidents_.Add(begin + model.events[i].hours * 3600, Incident::Kind::kEventEnd,
                     static_cast<int32_t>(i));
    }
  }

  SiteReport Run(const std::function<void(double)>& progress) {
    Arrival arrival;
    bool more = workload_.Next(arrival);
    double control_at = 0;
    double series_at = options_.series_s;
    while (true) {
      const double arrival_at = more ? arrival.time : EventHeap::kNever;
      const double incident_at = incidents_.first_time();
      const double now = std::min({arrival_at, heap_.first_time(), control_at, incident_at});
      if (now >= options_.seconds) break;
      if (now == incident_at) {
        Happen(incidents_.Pop());
      } else if (now == control_at) {
        Control(now);
        control_at += options_.control_s;
        if (now >= series_at) {
          report_.series.push_back(sampler_.Take(now, power_, site_, deferred_.size()));
          series_at += options_.series_s;
          if (progress) progress(now / options_.seconds);
        }
      } else if (now == heap_.first_time()) {
        StepNode(heap_.first());
      } else {
        Arrive(arrival);
        more = workload_.Next(arrival);
      }
    }
    Finish();
    return std::move(report_);
  }

 private:
  ClassReport& ClassOf(fleet::ServiceClass service) {
    return report_.classes[static_cast<size_t>(service)];
  }
  fleet::NodeLoad& LoadOf(int32_t node) { return site_.loads[static_cast<size_t>(node)]; }
  fleet::Node& NodeAt(int32_t node) { return site_.nodes[static_cast<size_t>(node)]; }

  // Requests.

  void Arrive(const Arrival& arrival) {
    ClassReport& report = ClassOf(arrival.service);
    ++report.offered;
    sampler_.Offered();
    if (arrival.service < serve_from_) {
      ++report.refused;
      return;
    }
    if (arrival.service == fleet::ServiceClass::kBatch && power_.defer_batch()) {
      deferred_.push_back({arrival.prompt, arrival.output});
      return;
    }
    const uint32_t slot = slots_.Add({.arrived = arrival.time,
                                      .prompt = arrival.prompt,
                                      .output = arrival.output,
                                      .service = arrival.service});
    Send(slot, arrival.time, arrival.prefix);
  }

  void Send(uint32_t id, double now, std::span<const uint64_t> prefix) {
    RequestSlot& slot = slots_[id];
    fleet::RouteRequest request;
    request.id = routed_++;
    request.prompt_tokens = slot.prompt;
    request.decode_work = decode_work_;
    request.prefix = prefix;
    const fleet::RouteChoice choice = fleet::Route(site_, index_, request, model_.route);
    if (choice.node < 0) {
      ++ClassOf(slot.service).refused;
      slots_.Free(id);
      return;
    }
    index_.Add(prefix, choice.node);
    const size_t held = caches_.Use(static_cast<size_t>(choice.node), prefix);
    const auto cached =
        std::min<uint32_t>(static_cast<uint32_t>(held * kBlockTokens), slot.prompt - 1);
    slot.uncached = slot.prompt - cached;
    slot.node = choice.node;
    slot.prompt_work = slot.prompt - choice.cached_tokens;
    report_.prompt_tokens += slot.prompt;
    report_.cached_tokens += cached;
    fleet::AddWork(site_, choice.node, slot.prompt_work + decode_work_);
    fleet::NodeLoad& load = LoadOf(choice.node);
    load.prefill += slot.prompt_work;
    load.kv_tokens += slot.prompt;
    ++load.waiting;
    const auto node = static_cast<uint32_t>(choice.node);
    replicas_.Add(node, now, {id, slot.uncached, slot.prompt, slot.output});
    heap_.Set(node, replicas_.NextTime(node));
  }

  void StepNode(uint32_t node) {
    const double now = replicas_.NextTime(node);
    const Replicas::Event event = replicas_.Step(node);
    heap_.Set(node, replicas_.NextTime(node));
    if (event.kind == Replicas::Event::Kind::kFirstToken) {
      FirstToken(event.id, now);
      if (event.also_finished) FinishRequest(event.id, now);
    } else {
      FinishRequest(event.id, now);
    }
  }

  void FirstToken(uint32_t id, double now) {
    RequestSlot& slot = slots_[id];
    slot.first = now;
    const double ttft = now - slot.arrived;
    ClassOf(slot.service).ttft.Add(ttft);
    sampler_.FirstToken(ttft);
    fleet::AddWork(site_, slot.node, -slot.prompt_work);
    fleet::NodeLoad& load = LoadOf(slot.node);
    load.prefill -= slot.prompt_work;
    --load.waiting;
    ++load.running;
  }

  void FinishRequest(uint32_t id, double now) {
    RequestSlot& slot = slots_[id];
    ClassReport& report = ClassOf(slot.service);
    ++report.finished;
    report.latency.Add(now - slot.arrived);
    double tpot = 0;
    if (slot.output > 1) {
      tpot = (now - slot.first) / (slot.output - 1);
      report.tpot.Add(tpot);
    }
    const ServicePromise& promise = options_.promise;
    report.good += slot.first - slot.arrived <= promise.ttft_s && tpot <= promise.tpot_s;
    report_.output_tokens += slot.output;
    fleet::AddWork(site_, slot.node, -decode_work_);
    fleet::NodeLoad& load = LoadOf(slot.node);
    load.kv_tokens -= slot.prompt;
    --load.running;
    slots_.Free(id);
  }

  // The site.

  void ScheduleFailure(int32_t node, double now) {
    const double rate = model_.failures_per_gpu_year * NodeAt(node).gpus / kSecondsOfYear;
    const double wait = rate > 0 ? random_.Exponential(1 / rate) : EventHeap::kNever;
    if (now + wait < options_.seconds) incidents_.Add(now + wait, Incident::Kind::kFail, node);
  }

  void Happen(const Incident& incident) {
    const double now = incident.time;
    if (incidents_.IsVoid(incident)) return;
    Meter(now);  // what was drawn until now was drawn by the site as it was
    switch (incident.kind) {
      case Incident::Kind::kFail:
        ++report_.node_failures;
        Lose({fleet::Failure::Kind::kNode, incident.index}, now);
        incidents_.Add(now + model_.repair_hours * 3600, Incident::Kind::kRepair, incident.index);
        break;
      case Incident::Kind::kRepair:
        Return(incident.index, now);
        break;
      case Incident::Kind::kLoaded:
        NodeAt(incident.index).state = fleet::NodeState::kServing;
        RebuildPools(site_);
        break;
      case Incident::Kind::kEventBegin:
        Begin(model_.events[static_cast<size_t>(incident.index)], now);
        break;
      case Incident::Kind::kEventEnd:
        End(model_.events[static_cast<size_t>(incident.index)], now);
        break;
    }
  }

  void Begin(const SiteEvent& event, double now) {
    switch (event.kind) {
      case SiteEvent::Kind::kFeedLoss:
        feed_limits_.emplace_back(event.index,
                                  site_.feeds[static_cast<size_t>(event.index)].limit_w);
        site_.feeds[static_cast<size_t>(event.index)].limit_w = 0;
        Lose({fleet::Failure::Kind::kFeed, event.index}, now);
        break;
      case SiteEvent::Kind::kRackFailure:
        Lose({fleet::Failure::Kind::kRack, event.index}, now);
        break;
      case SiteEvent::Kind::kHeatWave:
        weather_.heat += event.amount;
        break;
      case SiteEvent::Kind::kDemandResponse:
        weather_.demand_response += event.amount;
        break;
    }
    Decide(now);  // what the site may draw has changed now, not at the next step
  }

  void End(const SiteEvent& event, double now) {
    switch (event.kind) {
      case SiteEvent::Kind::kFeedLoss:
        for (const auto& [feed, limit] : feed_limits_) {
          if (feed == event.index) site_.feeds[static_cast<size_t>(feed)].limit_w = limit;
        }
        [[fallthrough]];
      case SiteEvent::Kind::kRackFailure:
        for (size_t i = 0; i < site_.nodes.size(); ++i) {
          const fleet::Node& node = site_.nodes[i];
          const bool hit = event.kind == SiteEvent::Kind::kRackFailure
                               ? node.rack == event.index
                               : site_.racks[static_cast<size_t>(node.rack)].feed == event.index;
          if (hit && node.state == fleet::NodeState::kDown) Return(static_cast<int32_t>(i), now);
        }
        break;
      case SiteEvent::Kind::kHeatWave:
        weather_.heat -= event.amount;
        break;
      case SiteEvent::Kind::kDemandResponse:
        weather_.demand_response -= event.amount;
        break;
    }
  }

  void Lose(const fleet::Failure& failure, double now) {
    const fleet::Recovery recovery = fleet::Recover(site_, failure);
    for (const int32_t node : recovery.lost) {
      ++report_.nodes_lost;
      incidents_.Renew(node);
      NodeAt(node).state = fleet::NodeState::kDown;
      NodeAt(node).model = -1;
    }
    for (const fleet::PlaceAction& action : recovery.actions) StartNode(action.node, now);
    RebuildPools(site_);
    for (const int32_t node : recovery.lost) Empty(node, now);
  }

  void StartNode(int32_t node, double now) {
    NodeAt(node).model = 0;
    NodeAt(node).state = fleet::NodeState::kStarting;
    incidents_.Add(now + static_cast<double>(model_.load_seconds), Incident::Kind::kLoaded, node);
  }

  // A node is back: it serves again where there are too few, and else is a spare.
  void Return(int32_t node, double now) {
    incidents_.Renew(node);
    NodeAt(node).state = fleet::NodeState::kServing;
    const auto running = std::ranges::count_if(site_.nodes, [](const fleet::Node& other) {
      return other.model == 0 && other.state != fleet::NodeState::kDown;
    });
    if (running < wanted_nodes_) StartNode(node, now);
    ScheduleFailure(node, now);
  }

  // What was on a node that is gone: sent elsewhere before the first token, told after it.
  void Empty(int32_t node, double now) {
    std::vector<uint32_t> waiting, running;
    replicas_.Drop(static_cast<uint32_t>(node), now, waiting, running);
    heap_.Set(static_cast<uint32_t>(node), EventHeap::kNever);
    caches_.Clear(static_cast<size_t>(node));
    index_.Remove(node);
    const int64_t capacity = LoadOf(node).kv_capacity;
    fleet::AddWork(site_, node, -LoadOf(node).work);
    LoadOf(node) = {.kv_capacity = capacity};
    for (const uint32_t id : running) {
      ++ClassOf(slots_[id].service).broken;
      slots_.Free(id);
    }
    for (const uint32_t id : waiting) {
      ++ClassOf(slots_[id].service).retried;
      Send(id, now, {});
    }
  }

  // Power.

  void Control(double now) {
    Meter(now);
    Decide(now);
    ReleaseDeferred(now);
  }

  // Counts what was drawn since it was last counted.
  void Meter(double now) {
    const double step_s = now - metered_at_;
    if (step_s <= 0) return;
    for (size_t i = 0; i < site_.nodes.size(); ++i) {
      busy_[i] = replicas_.TakeBusy(static_cast<uint32_t>(i), now);
      sampler_.Output(busy_[i].output_tokens);
      active_sum_[i] += (site_.loads[i].running + site_.loads[i].waiting) * step_s;
    }
    power_.Meter(site_, step_s, busy_, report_);
    metered_at_ = now;
  }

  void Decide(double now) {
    const fleet::PowerPlan& plan = power_.Decide(site_, now, now - decided_at_, weather_, Mix());
    decided_at_ = now;
    serve_from_ = plan.serve_from;
    bool changed = false;
    std::vector<int32_t> off;
    for (size_t i = 0; i < site_.nodes.size(); ++i) {
      changed |= Apply(static_cast<int32_t>(i), plan.nodes[i], now, off);
    }
    if (changed) RebuildPools(site_);
    for (const int32_t node : off) Empty(node, now);
  }

  // True where a node began or ceased to serve.
  bool Apply(int32_t index, const fleet::NodePower& set, double now, std::vector<int32_t>& off) {
    fleet::Node& node = NodeAt(index);
    if (node.model < 0 || node.state == fleet::NodeState::kDown) return false;
    if (!set.on) {
      if (node.state == fleet::NodeState::kDraining) return false;
      incidents_.Renew(index);
      node.state = fleet::NodeState::kDraining;
      off.push_back(index);
      return true;
    }
    if (node.state == fleet::NodeState::kDraining) {
      StartNode(index, now);  // watts are back, and the model must be loaded again
      ScheduleFailure(index, now);
      return true;
    }
    const Speed speed = SpeedUnder(model_.gpu, set);
    const auto id = static_cast<uint32_t>(index);
    replicas_.SetSpeed(id, now, speed.decode, speed.prefill);
    heap_.Set(id, replicas_.NextTime(id));
    return false;
  }

  // How requests part into classes; even where none has come.
  ClassMix Mix() const {
    ClassMix mix{};
    double total = 0;
    for (size_t i = 0; i < mix.size(); ++i) {
      mix[i] = static_cast<double>(report_.classes[i].offered);
      total += mix[i];
    }
    for (double& share : mix) share = total > 0 ? share / total : 1.0 / fleet::kServiceClasses;
    return mix;
  }

  // Batch that waited comes back at no more than twice the rate at which requests come.
  void ReleaseDeferred(double now) {
    if (power_.defer_batch() || serve_from_ > fleet::ServiceClass::kBatch) return;
    auto count = static_cast<int64_t>(
        std::max<double>(1, 2 * static_cast<double>(ClassOf(fleet::ServiceClass::kBatch).offered) /
                                std::max(now, 1.0) * options_.control_s));
    for (; count > 0 && !deferred_.empty(); --count) {
      const uint32_t slot = slots_.Add({.arrived = now,  // its wait was agreed
                                        .prompt = deferred_.front().prompt,
                                        .output = deferred_.front().output,
                                        .service = fleet::ServiceClass::kBatch});
      deferred_.pop_front();
      Send(slot, now, {});
    }
  }

  // Reports.

  void Finish() {
    Meter(options_.seconds);
    report_.seconds = options_.seconds;
    ClassOf(fleet::ServiceClass::kBatch).unfinished += static_cast<int64_t>(deferred_.size());
    slots_.ForEach([this](const RequestSlot& slot) { ++ClassOf(slot.service).unfinished; });
    double most = 0, sum = 0;
    int32_t count = 0;
    for (size_t i = 0; i < active_sum_.size(); ++i) {
      if (active_sum_[i] <= 0) continue;
      most = std::max(most, active_sum_[i]);
      sum += active_sum_[i];
      ++count;
    }
    report_.busiest_over_mean = sum > 0 ? most * count / sum : 0;
    for (const ClassReport& report : report_.classes) {
      report_.requests += report.finished + report.refused + report.broken;
    }
  }

  const SiteModel& model_;
  Workload& workload_;
  const SimulationOptions& options_;
  fleet::Snapshot site_;
  fleet::CacheIndex index_;
  PrefixCaches caches_;
  Replicas replicas_;
  EventHeap heap_;
  PowerControl power_;
  Incidents incidents_;
  SeriesSampler sampler_;
  Random random_;
  RequestSlots slots_;
  std::deque<Deferred> deferred_;
  std::vector<Replicas::Busy> busy_;
  std::vector<double> active_sum_;
  std::vector<std::pair<int32_t, int64_t>> feed_limits_;
  PowerControl::Events weather_;
  fleet::ServiceClass serve_from_ = fleet::ServiceClass::kBatch;
  SiteReport report_;
  double metered_at_ = 0, decided_at_ = 0;
  int64_t decode_work_ = 1;
  int32_t wanted_nodes_ = 0;
  uint64_t routed_ = 0;
};

}  // namespace

Result<SiteReport> Simulate(const SiteModel& model, Workload& workload,
                            const SimulationOptions& options,
                            const std::function<void(double)>& progress) {
  JIKJI_RETURN_IF_ERROR(Check(model));
  return Simulation(model, workload, options).Run(progress);
}

}  // namespace jikji::twin
