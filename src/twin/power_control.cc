#include "twin/power_control.h"

#include <algorithm>
#include <cmath>

namespace jikji::twin {
namespace {

// Prefill under a cap: 350 W to 200 W cost 40 % of its speed on six RTX 3090 (llmgarage), which is
// this power of the ratio. No curve of a data-centre GPU is public.
constexpr double kPrefillExponent = 0.91;
// Decode under a clock: half the clock costs a tenth, as memory sets its pace.
constexpr double kDecodeLoss = 0.2;

double DayOfYear(const SiteModel& model, double now) { return model.start_day + now / 86400; }

double HourOfDay(double now) { return std::fmod(now / 3600, 24); }

int64_t NodeWatts(const fleet::GpuPower& gpu, const fleet::Node& node, const fleet::NodePower& set,
                  const Replicas::Busy& busy, double step_s) {
  if (!set.on || node.state == fleet::NodeState::kDown) return 0;
  const double prefill = std::clamp(busy.prefill_s / step_s, 0.0, 1.0);
  const double decode = std::clamp(busy.decode_s / step_s, 0.0, 1 - prefill);
  const double prefill_w = static_cast<double>(std::min(gpu.prefill_w, set.gpu_cap_w));
  const double decode_w =
      static_cast<double>(std::min(fleet::DecodeWatts(gpu, set.clock_permille), set.gpu_cap_w));
  const double idle_w = static_cast<double>(gpu.idle_w);
  const double each = prefill * prefill_w + decode * decode_w + (1 - prefill - decode) * idle_w;
  return node.other_w + static_cast<int64_t>(node.gpus * each);
}

}  // namespace

Speed SpeedUnder(const fleet::GpuPower& gpu, const fleet::NodePower& set) {
  Speed speed;
  speed.decode = 1 - kDecodeLoss * (1 - set.clock_permille / 1000.0);
  if (set.gpu_cap_w < gpu.prefill_w) {
    speed.prefill = std::pow(
        static_cast<double>(set.gpu_cap_w) / static_cast<double>(gpu.prefill_w), kPrefillExponent);
  }
  return speed;
}

PowerControl::PowerControl(const SiteModel& model, const fleet::Snapshot& site)
    : model_(model),
      contract_mw_(model.megawatts),
      wet_bulb_(WetBulb(model.start_day, 0)),
      demands_(site.nodes.size()) {
  for (const fleet::CoolingLoop& loop : site.loops) loop_limits_.push_back(loop.limit_w);
  if (contract_mw_ <= 0) {
    int64_t racks = 0;
    for (const fleet::Rack& rack : site.racks) racks += rack.limit_w;
    contract_mw_ = static_cast<double>(racks) / 1e6 * PueAt(model.pue, 35);
  }
}

PowerControl::Events PowerControl::EventsAt(const SiteModel& model, double now) {
  Events events;
  for (const SiteEvent& event : model.events) {
    const double begin = event.at_hour * 3600;
    if (now < begin || now >= begin + event.hours * 3600) continue;
    if (event.kind == SiteEvent::Kind::kHeatWave) events.heat += event.amount;
    if (event.kind != SiteEvent::Kind::kDemandResponse) continue;
    events.called += event.amount;
    if (now >= begin + event.notice_s) events.demand_response += event.amount;
  }
  return events;
}

double PowerControl::PriceAtHour(double now, double ahead) const {
  const double hours = (model_.start_day - 1) * 24 + now / 3600 + ahead;
  return fleet::PriceAt(model_.tariff, fleet::HourAt(static_cast<int64_t>(hours)));
}

const fleet::PowerPlan& PowerControl::Decide(fleet::Snapshot& site, double now, double step_s,
                                             const Events& events, const ClassMix& mix,
                                             double load) {
  const double outside = WetBulb(DayOfYear(model_, now), HourOfDay(now)) + events.heat;
  const double felt = wet_bulb_.Step(outside, step_s);
  pue_ = PueAt(model_.pue, felt);
  price_ = PriceAtHour(now, 0);
  std::array<double, 24> prices;
  for (size_t i = 0; i < prices.size(); ++i) prices[i] = PriceAtHour(now, static_cast<double>(i));
  defer_batch_ =
      model_.controlled &&
      (events.called > 0 || !fleet::RunBatchNow(prices, static_cast<size_t>(model_.batch_hours)));
  envelope_mw_ = contract_mw_ * std::max(0.0, 1 - events.demand_response);
  // Obeyed as soon as it is known: its notice is left for drivers and for work that ends.
  planned_mw_ = contract_mw_ * std::max(0.0, 1 - events.called);
  if (events.called > called_) since_call_s_ = 0;
  if (events.called <= 0) since_call_s_ = -1;
  called_ = events.called;
  for (size_t i = 0; i < site.loops.size(); ++i) {
    site.loops[i].limit_w =
        static_cast<int64_t>(static_cast<double>(loop_limits_[i]) * LoopShareAt(felt));
  }
  if (!model_.controlled) {
    plan_.nodes.assign(site.nodes.size(),
                       {.on = true, .gpu_cap_w = model_.gpu.limit_w, .clock_permille = 1000});
    plan_.serve_from = fleet::ServiceClass::kBatch;
    return plan_;
  }
  for (size_t i = 0; i < site.nodes.size(); ++i) {
    demands_[i] = {};
    if (site.nodes[i].model < 0) continue;
    demands_[i].asked_permille = static_cast<int32_t>(std::clamp(load, 0.0, 1.0) * 1000);
    for (size_t service = 0; service < mix.size(); ++service) {
      demands_[i].permille[service] = static_cast<int32_t>(mix[service] * 1000);
    }
  }
  const double it_w = planned_mw_ * 1e6 / pue_;
  plan_ = fleet::Power(site, demands_,
                       {.site_w = static_cast<int64_t>(it_w),
                        .reserve_w = static_cast<int64_t>(it_w * model_.reserve_share),
                        .defer_batch = defer_batch_});
  return plan_;
}

void PowerControl::Meter(const fleet::Snapshot& site, double step_s,
                         std::span<const Replicas::Busy> busy, SiteReport& report) {
  int64_t total = 0;
  std::vector<int64_t> feeds(site.feeds.size()), loops(site.loops.size()), racks(site.racks.size());
  for (size_t i = 0; i < site.nodes.size(); ++i) {
    const int64_t watts = NodeWatts(model_.gpu, site.nodes[i], plan_.nodes[i], busy[i], step_s);
    const fleet::Rack& rack = site.racks[static_cast<size_t>(site.nodes[i].rack)];
    total += watts;
    feeds[static_cast<size_t>(rack.feed)] += watts;
    loops[static_cast<size_t>(rack.loop)] += watts;
    racks[static_cast<size_t>(site.nodes[i].rack)] += watts;
  }
  meter_mw_ = static_cast<double>(total) / 1e6 * pue_;
  bool over = meter_mw_ > envelope_mw_ * (1 + 1e-9);
  for (size_t i = 0; i < feeds.size(); ++i) over |= feeds[i] > site.feeds[i].limit_w;
  for (size_t i = 0; i < loops.size(); ++i) over |= loops[i] > site.loops[i].limit_w;
  for (size_t i = 0; i < racks.size(); ++i) over |= racks[i] > site.racks[i].limit_w;
  report.worst_over_mw = std::max(report.worst_over_mw, meter_mw_ - envelope_mw_);
  report.steps_over += over;
  if (since_call_s_ >= 0) {
    since_call_s_ += step_s;
    report.slowest_call_s = std::max(report.slowest_call_s, since_call_s_);
    if (meter_mw_ <= planned_mw_ * (1 + 1e-9)) since_call_s_ = -1;
  }
  ++report.control_steps;
  report.peak_mw = std::max(report.peak_mw, meter_mw_);
  const double kwh = meter_mw_ * 1000 * step_s / 3600;
  report.energy_kwh += kwh;
  report.energy_won += kwh * price_;
}

}  // namespace jikji::twin
