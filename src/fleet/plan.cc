#include "fleet/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace jikji::fleet {
namespace {

constexpr double kHoursOfYear = 8760;
constexpr double kSecondsOfYear = kHoursOfYear * 3600;
// Of a busy GPU's time: decode takes 77 to 91 % of it (arXiv 2501.08219).
constexpr double kPrefillTime = 0.2;
// Below this the act asks for no assessment.
constexpr double kAssessedMw = 10;

// The share of a sum that pays it off, with interest, in equal parts over `years`.
double CapitalRecovery(double interest, int32_t years) {
  if (interest <= 0) return 1.0 / years;
  const double growth = std::pow(1 + interest, years);
  return interest * growth / (growth - 1);
}

// A phase with what is needed to cost it year by year.
struct Built {
  PhasePlan plan;
  const Chip* chip = nullptr;
  double meter_mw_idle = 0;  // drawn with no request, and more with all GPUs busy
  double meter_mw_busy = 0;
  double server_won = 0;  // with network
  double facility_won = 0;
};

struct RackCost {
  double server_won = 0;
  double facility_won = 0;
  double total() const { return server_won + facility_won; }
};

RackCost CostOfRack(const PlanInput& input, const Chip& chip) {
  const double it_mw = static_cast<double>(chip.rack_watts) / 1e6 / (1 - input.it_overhead);
  return {
      .server_won = chip.gpus_per_rack * chip.usd * (1 + input.network_share) * input.won_per_usd,
      .facility_won = it_mw * input.facility_usd_per_mw * input.won_per_usd};
}

// Draws of `racks` at the meter, in MW, at a load from 0 to 1.
double MeterMw(const PlanInput& input, const Chip& chip, int64_t racks, double load) {
  const double busy = kPrefillTime * static_cast<double>(chip.prefill_watts) +
                      (1 - kPrefillTime) * static_cast<double>(chip.decode_watts);
  const auto idle = static_cast<double>(chip.idle_watts);
  const double gpu = idle + load * (std::max(busy, idle) - idle);
  const double other = static_cast<double>(chip.rack_watts - chip.gpus_per_rack * chip.limit_watts);
  return static_cast<double>(racks) * (other + chip.gpus_per_rack * gpu) / 1e6 /
         (1 - input.it_overhead) * input.pue;
}

Result<> ShareOut(const PlanInput& input, const Catalog& catalog, PhasePlan& phase) {
  double gpus_for_one = 0;  // token per second
  std::vector<double> each;
  for (size_t i = 0; i < input.models.size(); ++i) {
    const ModelShare& model = input.models[i];
    JIKJI_ASSIGN(const Throughput* row,
                 FindThroughput(catalog, phase.chip, model.name, model.lengths));
    const double rate = ThroughputAt(*row, model.speed);
    if (rate <= 0) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} on {} reaches {} tokens/s for a user at most, not {}", model.name,
                              phase.chip, row->points.back().first, model.speed),
                  fmt::format("model[{}].speed", i));
    }
    each.push_back(model.share / rate);
    gpus_for_one += each.back();
  }
  const double serving = static_cast<double>(phase.gpus) * input.availability;
  phase.peak_tokens_per_second = serving / gpus_for_one;
  for (size_t i = 0; i < each.size(); ++i) {
    phase.models.push_back(
        {.label = input.models[i].label,
         .gpus = phase.peak_tokens_per_second * each[i],
         .tokens_per_second = phase.peak_tokens_per_second * input.models[i].share});
  }
  return {};
}

Result<Built> Build(const PlanInput& input, const Catalog& catalog, size_t index,
                    double money_left) {
  const PhaseInput& wanted = input.phases[index];
  const auto chip = FindChip(catalog, wanted.chip);
  if (!chip) {
    return Fail(chip.error().code, chip.error().message, fmt::format("phase[{}].chip", index));
  }
  Built built;
  built.chip = *chip;
  PhasePlan& plan = built.plan;
  plan.year = wanted.year;
  plan.chip = wanted.chip;
  const RackCost cost = CostOfRack(input, **chip);
  const double it_w = wanted.megawatts * 1e6 * (1 - input.power_reserve) / input.pue;
  const auto rack_w = static_cast<double>((*chip)->rack_watts);
  plan.racks = static_cast<int64_t>(it_w * (1 - input.it_overhead) / rack_w);
  plan.limited_by = Limit::kPower;
  const double affordable = cost.total() > 0 ? std::max(0.0, money_left) / cost.total() : 1e18;
  if (affordable < static_cast<double>(plan.racks)) {
    plan.racks = static_cast<int64_t>(affordable);
    plan.limited_by = Limit::kMoney;
  }
  if (wanted.max_racks > 0 && wanted.max_racks < plan.racks) {
    plan.racks = wanted.max_racks;
    plan.limited_by = Limit::kChips;
  }
  const auto racks = static_cast<double>(plan.racks);
  plan.gpus = plan.racks * (*chip)->gpus_per_rack;
  plan.it_mw = racks * rack_w / 1e6;
  built.server_won = racks * cost.server_won;
  built.facility_won = racks * cost.facility_won;
  plan.capex_won = built.server_won + built.facility_won;
  built.meter_mw_idle = MeterMw(input, **chip, plan.racks, 0);
  built.meter_mw_busy = MeterMw(input, **chip, plan.racks, 1);
  JIKJI_RETURN_IF_ERROR(ShareOut(input, catalog, plan));
  return built;
}

YearPlan CostYear(const PlanInput& input, const std::vector<Built>& phases, const Tariff& tariff,
                  int32_t year) {
  YearPlan plan;
  plan.year = year;
  const double most = *std::ranges::max_element(input.hours);
  double active_mw = 0, idle_mw = 0, busy_mw = 0;
  for (size_t i = 0; i < phases.size(); ++i) {
    const Built& phase = phases[i];
    if (phase.plan.year == year) plan.capex_won += phase.plan.capex_won;
    if (year < phase.plan.year || year >= phase.plan.year + input.server_years) continue;
    active_mw += input.phases[i].megawatts;
    idle_mw += phase.meter_mw_idle;
    busy_mw += phase.meter_mw_busy;
    plan.gpus += phase.plan.gpus;
    plan.peak_tokens_per_second += phase.plan.peak_tokens_per_second;
    plan.maintenance_won +=
        phase.server_won * input.maintenance_share + phase.facility_won * input.facility_share;
    plan.annuity_won += phase.server_won * CapitalRecovery(input.interest, input.server_years) +
                        phase.facility_won * CapitalRecovery(input.interest, input.facility_years);
  }
  std::vector<double> load(static_cast<size_t>(kHoursOfYear));
  for (size_t hour = 0; hour < load.size(); ++hour) {
    load[hour] = idle_mw + (busy_mw - idle_mw) * input.hours[hour % 24] / most;
    plan.energy_gwh += load[hour] / 1000;
  }
  plan.peak_mw = busy_mw;
  plan.mean_mw = plan.energy_gwh * 1000 / kHoursOfYear;
  const Bill bill = BillOfYear(tariff, load);
  plan.energy_won = bill.energy_won;
  plan.base_won = bill.base_won;
  plan.staff_won = input.staff * input.staff_won * active_mw / input.megawatts;
  plan.tokens = plan.peak_tokens_per_second / most * kSecondsOfYear;
  const double of_a_user = input.requests_per_day * input.output_tokens * most / 86400;
  plan.users = plan.peak_tokens_per_second / of_a_user;
  if (plan.tokens > 0) {
    plan.won_per_million_tokens = (plan.annuity_won + plan.opex_won()) / plan.tokens * 1e6;
  }
  return plan;
}

GridImpact Impact(const PlanInput& input, const YearPlan& year) {
  return {.needed = input.megawatts >= kAssessedMw,
          .contract_mw = input.megawatts,
          .peak_mw = year.peak_mw,
          .energy_gwh = year.energy_gwh,
          .load_factor = year.peak_mw > 0 ? year.mean_mw / year.peak_mw : 0,
          .pue = input.pue,
          .flexible_mw = std::min(input.demand_response_mw, year.peak_mw),
          .tokens_per_kwh = year.energy_gwh > 0 ? year.tokens / (year.energy_gwh * 1e6) : 0};
}

void ListEstimates(const PlanInput& input, const Catalog& catalog, SitePlan& plan) {
  const auto add = [&plan](std::string estimate) {
    if (std::ranges::find(plan.estimates, estimate) == plan.estimates.end()) {
      plan.estimates.push_back(std::move(estimate));
    }
  };
  for (const PhaseInput& phase : input.phases) {
    const auto chip = FindChip(catalog, phase.chip);
    for (const std::string& field : (*chip)->estimated) add(phase.chip + " " + field);
    for (const ModelShare& model : input.models) {
      const auto row = FindThroughput(catalog, phase.chip, model.name, model.lengths);
      if ((*row)->estimated) add(fmt::format("{} {} {}", phase.chip, model.name, model.lengths));
    }
  }
}

}  // namespace

const char* LimitName(Limit limit) {
  switch (limit) {
    case Limit::kPower:
      return "power";
    case Limit::kMoney:
      return "money";
    case Limit::kChips:
      return "chips";
  }
  return "power";
}

Result<SitePlan> PlanSite(const PlanInput& input, const Catalog& catalog, const Tariff& tariff) {
  SitePlan plan;
  plan.input = input;
  std::vector<Built> built;
  double money_left = input.budget_won;
  for (size_t i = 0; i < input.phases.size(); ++i) {
    JIKJI_ASSIGN(Built phase, Build(input, catalog, i, money_left));
    money_left -= phase.plan.capex_won;
    plan.racks += phase.plan.racks;
    plan.gpus += phase.plan.gpus;
    plan.capex_won += phase.plan.capex_won;
    plan.phases.push_back(phase.plan);
    built.push_back(std::move(phase));
  }
  if (plan.racks == 0) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("not one rack fits: the limit is {}",
                    LimitName(plan.phases.front().limited_by)),
        plan.phases.front().limited_by == Limit::kMoney ? "budget.won" : "phase[0].megawatts");
  }
  const int32_t first = input.phases.front().year;
  const int32_t last = input.phases.back().year + input.server_years - 1;
  double costs = 0, tokens = 0;
  const YearPlan* busiest = nullptr;
  plan.years.reserve(static_cast<size_t>(last - first + 1));
  for (int32_t year = first; year <= last; ++year) {
    const YearPlan& cost = plan.years.emplace_back(CostYear(input, built, tariff, year));
    const double discount = std::pow(1 + input.interest, first - year);
    costs += (cost.annuity_won + cost.opex_won()) * discount;
    tokens += cost.tokens * discount;
    if (busiest == nullptr || cost.peak_mw > busiest->peak_mw) busiest = &cost;
  }
  plan.won_per_million_tokens = tokens > 0 ? costs / tokens * 1e6 : 0;
  plan.mean_price_won = busiest->energy_gwh > 0 ? (busiest->energy_won + busiest->base_won) /
                                                      (busiest->energy_gwh * 1e6)
                                                : 0;
  plan.grid = Impact(input, *busiest);
  ListEstimates(input, catalog, plan);
  return plan;
}

}  // namespace jikji::fleet
