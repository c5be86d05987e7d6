#include "twin/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "twin/arrival_feed.h"
#include "twin/incidents.h"
#include "twin/node_lives.h"
#include "twin/request_flow.h"
#include "twin/site_power.h"
#include "twin/site_state.h"
#include "twin/state_stream.h"

namespace jikji::twin {
namespace {

// Arrivals are known so far ahead of time that what they read is fetched by when they come.
constexpr size_t kExpected = 4;

class Simulation {
 public:
  Simulation(const SiteModel& model, Workload& workload, const SimulationOptions& options)
      : state_(model, options),
        incidents_(state_.site.nodes.size()),
        flow_(state_, workload.mean_output()),
        lives_(state_, flow_, incidents_),
        power_(state_, flow_, lives_),
        series_at_(options.series_s),
        feed_(workload) {
    for (size_t i = 0; i < model.events.size(); ++i) {
      const double begin = model.events[i].at_hour * 3600;
      incidents_.Add(begin, Incident::Kind::kEventBegin, static_cast<int32_t>(i));
      if (model.events[i].notice_s > 0) {
        incidents_.Add(begin + model.events[i].notice_s, Incident::Kind::kEventDue,
                       static_cast<int32_t>(i));
      }
      incidents_.Add(begin + model.events[i].hours * 3600, Incident::Kind::kEventEnd,
                     static_cast<int32_t>(i));
    }
  }

  Result<SiteReport> Run(const std::function<void(double)>& progress, const StateKeeping* keeping) {
    if (keeping != nullptr && keeping->resume) JIKJI_RETURN_IF_ERROR(Restore(*keeping));
    const SimulationOptions& options = state_.options;
    while (true) {
      const Arrival* arrival = feed_.Front();
      const double arrival_at = arrival != nullptr ? arrival->time : EventHeap::kNever;
      const double node_at = state_.heap.first_time();
      const double now = std::min({arrival_at, node_at, control_at_, incidents_.first_time()});
      if (now >= options.seconds) break;
      if (now == incidents_.first_time()) {
        Happen(incidents_.Pop());
      } else if (now == control_at_) {
        Control(now);
        if (now >= series_at_) {
          state_.report.series.push_back(
              state_.sampler.Take(now, state_.power, state_.site, flow_.deferred()));
          series_at_ += options.series_s;
          if (progress) progress(now / options.seconds);
        }
        if (keeping != nullptr) JIKJI_RETURN_IF_ERROR(Keep(*keeping, now));
      } else if (now == node_at) {
        flow_.Step(static_cast<int32_t>(state_.heap.first()));
      } else {
        flow_.Arrive(*arrival);
        feed_.Pop();
        if (const Arrival* near = feed_.Peek(kExpected)) flow_.Expect(*near);
      }
    }
    Finish();
    return std::move(state_.report);
  }

 private:
  void Control(double now) {
    power_.Meter(now);
    power_.Decide(now);
    flow_.ReleaseDeferred(now);
    control_at_ += state_.options.control_s;
  }

  void Exchange(StateStream& stream) {
    state_.Exchange(stream);
    incidents_.Exchange(stream);
    flow_.Exchange(stream);
    lives_.Exchange(stream);
    power_.Exchange(stream);
    stream.List(lost_feeds_);
    stream.Plain(control_at_, series_at_);
    feed_.Exchange(stream);
  }

  Result<> Restore(const StateKeeping& keeping) {
    JIKJI_ASSIGN(const auto reader, StateReader::Open(keeping.file, keeping.settings));
    Exchange(*reader);
    return reader->Finish();
  }

  Result<> Keep(const StateKeeping& keeping, double now) {
    const StateKeeping::Wish wish = keeping.wish();
    if (wish == StateKeeping::Wish::kGoOn) return {};
    JIKJI_ASSIGN(const auto writer, StateWriter::Create(keeping.file, keeping.settings));
    Exchange(*writer);
    JIKJI_RETURN_IF_ERROR(writer->Finish());
    if (wish == StateKeeping::Wish::kSave) return {};
    return Fail(
        ErrorCode::kCancelled,
        fmt::format("stopped after {:.2f} h; the same command goes on from there", now / 3600),
        keeping.file.string());
  }

  void Happen(const Incident& incident) {
    const double now = incident.time;
    if (incidents_.IsVoid(incident)) return;
    power_.Meter(now);  // what was drawn until now was drawn by the site as it was
    switch (incident.kind) {
      case Incident::Kind::kFail:
        return lives_.Fail(incident.index, now);
      case Incident::Kind::kRepair:
        return lives_.Return(incident.index, now);
      case Incident::Kind::kLoaded:
        return lives_.Loaded(incident.index);
      case Incident::Kind::kEventBegin:
        return Begin(state_.model.events[static_cast<size_t>(incident.index)], now);
      case Incident::Kind::kEventDue:
        return power_.Decide(now);
      case Incident::Kind::kEventEnd:
        return End(state_.model.events[static_cast<size_t>(incident.index)], now);
    }
  }

  void Begin(const SiteEvent& event, double now) {
    const auto index = static_cast<size_t>(event.index);
    switch (event.kind) {
      case SiteEvent::Kind::kFeedLoss:
        lost_feeds_.push_back({event.index, state_.site.feeds[index].limit_w});
        state_.site.feeds[index].limit_w = 0;
        lives_.Lose({fleet::Failure::Kind::kFeed, event.index}, now);
        break;
      case SiteEvent::Kind::kRackFailure:
        lives_.Lose({fleet::Failure::Kind::kRack, event.index}, now);
        break;
      case SiteEvent::Kind::kHeatWave:
      case SiteEvent::Kind::kDemandResponse:
        break;
    }
    power_.Decide(now);  // what the site may draw has changed now, not at the next step
  }

  void End(const SiteEvent& event, double now) {
    switch (event.kind) {
      case SiteEvent::Kind::kFeedLoss:
        for (const auto& [feed, limit] : lost_feeds_) {
          if (feed == event.index) state_.site.feeds[static_cast<size_t>(feed)].limit_w = limit;
        }
        return ReturnNodes(event, now);
      case SiteEvent::Kind::kRackFailure:
        return ReturnNodes(event, now);
      case SiteEvent::Kind::kHeatWave:
      case SiteEvent::Kind::kDemandResponse:
        return;  // the next step finds them gone
    }
  }

  // Of the feed or rack that has failed.
  void ReturnNodes(const SiteEvent& event, double now) {
    for (size_t i = 0; i < state_.site.nodes.size(); ++i) {
      const fleet::Node& node = state_.site.nodes[i];
      const bool hit = event.kind == SiteEvent::Kind::kRackFailure
                           ? node.rack == event.index
                           : state_.site.racks[static_cast<size_t>(node.rack)].feed == event.index;
      if (hit && node.state == fleet::NodeState::kDown) {
        lives_.Return(static_cast<int32_t>(i), now);
      }
    }
  }

  void Finish() {
    SiteReport& report = state_.report;
    power_.Meter(state_.options.seconds);
    flow_.CountUnfinished();
    report.seconds = state_.options.seconds;
    report.busiest_over_mean = power_.BusiestOverMean();
    for (const ClassReport& each : report.classes) {
      report.requests += each.finished + each.refused + each.broken;
    }
  }

  SiteState state_;
  Incidents incidents_;
  RequestFlow flow_;
  NodeLives lives_;
  SitePower power_;
  struct LostFeed {
    int32_t feed;
    int64_t limit_w;  // that it had
  };
  std::vector<LostFeed> lost_feeds_;
  double control_at_ = 0;
  double series_at_;
  ArrivalFeed feed_;
};

}  // namespace

Result<SiteReport> Simulate(const SiteModel& model, Workload& workload,
                            const SimulationOptions& options,
                            const std::function<void(double)>& progress,
                            const StateKeeping* keeping) {
  JIKJI_RETURN_IF_ERROR(Check(model));
  return Simulation(model, workload, options).Run(progress, keeping);
}

}  // namespace jikji::twin
