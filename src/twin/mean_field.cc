#include "twin/mean_field.h"

#include <algorithm>
#include <cmath>

#include "twin/power_control.h"

namespace jikji::twin {
namespace {

constexpr double kSecondsOfYear = 365.0 * 86400;
// Above this load the steady state has no meaning: queues grow without end.
constexpr double kFullLoad = 0.95;

// The site with every feed-and-loop group as one node; GPUs and watts add up.
SiteModel Grouped(const SiteModel& model, std::vector<double>& nodes_of) {
  SiteModel grouped = model;
  const int32_t serving = model.nodes - model.spare_nodes;
  const int32_t groups = std::min(serving, model.feeds * model.loops);
  // A share of all nodes, whole or not: cut down, up to half of a small site would be missing.
  const double each = static_cast<double>(serving) / groups;
  nodes_of.assign(static_cast<size_t>(groups), each);
  grouped.nodes = groups;
  grouped.nodes_per_rack = 1;
  grouped.spare_nodes = 0;
  grouped.gpus_per_node = static_cast<int32_t>(std::lround(model.gpus_per_node * each));
  grouped.other_w = model.other_w * each;
  grouped.rack_limit_w = model.rack_limit_w * each / model.nodes_per_rack;
  return grouped;
}

void ApplyOutages(const SiteModel& model, double hour, const fleet::Snapshot& whole,
                  fleet::Snapshot& site) {
  for (size_t i = 0; i < site.feeds.size(); ++i) site.feeds[i] = whole.feeds[i];
  for (const SiteEvent& event : model.events) {
    if (event.kind != SiteEvent::Kind::kFeedLoss) continue;
    if (hour < event.at_hour || hour >= event.at_hour + event.hours) continue;
    site.feeds[static_cast<size_t>(event.index)].limit_w = 0;
  }
}

double ShapeAt(const std::vector<double>& shape, double now) {
  const double day = now / 86400;
  const double part = (day - std::floor(day)) * static_cast<double>(shape.size());
  return shape[std::min(static_cast<size_t>(part), shape.size() - 1)];
}

}  // namespace

SteadyNode SteadyState(const StepModel& step, double rate, double uncached, double context,
                       double output, double decode_speed, double prefill_speed) {
  SteadyNode node;
  node.prefill_share = rate * step.PromptSeconds(uncached, context - output / 2) / prefill_speed;
  const double sequences =
      rate * output * (step.sequence_s + step.context_s * context) / decode_speed;
  node.load = node.prefill_share + sequences;
  if (node.load >= 1) return node;
  node.step_s = step.base_s / decode_speed / (1 - node.load);
  node.running = rate * output * node.step_s;
  node.decode_share = std::min(1 - node.prefill_share, 1 - std::exp(-node.running));
  return node;
}

Result<MeanFieldReport> SimulateMeanField(const SiteModel& model, const MeanFieldOptions& options,
                                          const std::function<void(double)>& progress) {
  JIKJI_RETURN_IF_ERROR(Check(model));
  if (!(options.step_s > 0) || options.shape.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "needs a step above zero and a shape of the day");
  }
  std::vector<double> nodes_of;
  const SiteModel grouped = Grouped(model, nodes_of);
  fleet::Snapshot site = BuildSnapshot(grouped);
  const fleet::Snapshot whole = site;
  PowerControl power(grouped, site);
  const double down = model.failures_per_gpu_year * model.gpus_per_node * model.repair_hours *
                      3600 / kSecondsOfYear;
  const double available = 1 / (1 + down);
  MeanFieldReport report;
  SiteReport meter;
  std::vector<Replicas::Busy> busy(site.nodes.size());
  const ClassMix mix = {options.batch_share, 1 - options.batch_share, 0};
  double deferred = 0, weighted_tpot = 0;
  MeanFieldDay day;
  int64_t day_steps = 0;
  for (double now = 0; now < options.seconds; now += options.step_s) {
    const double hour = now / 3600;
    ApplyOutages(model, hour, whole, site);
    const fleet::PowerPlan& plan =
        power.Decide(site, now, options.step_s, PowerControl::EventsAt(model, now), mix);
    const double offered = options.requests_per_second * ShapeAt(options.shape, now);
    double wanted = offered;
    if (power.defer_batch()) {
      wanted -= offered * options.batch_share;
      deferred += offered * options.batch_share * options.step_s;
    } else {
      // What waited is done over about an hour.
      const double released = deferred * std::min(1.0, options.step_s / 3600);
      deferred -= released;
      wanted += released / options.step_s;
    }
    double standing = 0;
    for (size_t i = 0; i < nodes_of.size(); ++i) standing += plan.nodes[i].on ? nodes_of[i] : 0;
    const double rate = standing > 0 ? wanted / (standing * available) : 0;
    double served = 0;
    for (size_t i = 0; i < nodes_of.size(); ++i) {
      busy[i] = {};
      if (!plan.nodes[i].on) continue;
      const Speed speed = SpeedUnder(model.gpu, plan.nodes[i]);
      const auto steady = [&](double at) {
        return SteadyState(model.engine.step, at,
                           options.prompt_tokens * (1 - options.cached_share),
                           options.prompt_tokens + options.output_tokens / 2, options.output_tokens,
                           speed.decode, speed.prefill);
      };
      double taken = rate;
      SteadyNode node = steady(taken);
      if (node.load > kFullLoad) {
        taken *= kFullLoad / node.load;  // load is linear in the rate
        node = steady(taken);
      }
      served += taken * nodes_of[i] * available;
      weighted_tpot += taken * nodes_of[i] * available * node.step_s;
      busy[i].prefill_s = node.prefill_share * available * options.step_s;
      busy[i].decode_s = node.decode_share * available * options.step_s;
    }
    power.Meter(site, options.step_s, busy, meter);
    report.requests += served * options.step_s;
    report.refused += std::max(0.0, wanted - served) * options.step_s;
    day.requests_per_second += offered;
    day.mean_mw += power.meter_mw();
    day.peak_mw = std::max(day.peak_mw, power.meter_mw());
    day.energy_won += power.meter_mw() * 1000 * options.step_s / 3600 * power.price();
    ++report.steps;
    ++day_steps;
    if (static_cast<int64_t>((now + options.step_s) / 86400) > static_cast<int64_t>(now / 86400)) {
      day.requests_per_second /= static_cast<double>(day_steps);
      day.mean_mw /= static_cast<double>(day_steps);
      report.days.push_back(day);
      day = {};
      day_steps = 0;
      if (progress) progress(now / options.seconds);
    }
  }
  report.output_tokens = report.requests * options.output_tokens;
  report.tpot_mean_s = report.requests > 0 ? weighted_tpot * options.step_s / report.requests : 0;
  report.energy_kwh = meter.energy_kwh;
  report.energy_won = meter.energy_won;
  report.peak_mw = meter.peak_mw;
  report.steps_over = meter.steps_over;
  return report;
}

}  // namespace jikji::twin
