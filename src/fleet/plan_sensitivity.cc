#include <algorithm>
#include <cmath>

#include "fleet/plan.h"

namespace jikji::fleet {
namespace {

struct Scenario {
  PlanInput input;
  Catalog catalog;
  Tariff tariff;
};

// An input that may turn out lower or higher, and how it is set.
struct Lever {
  const char* what;
  double low, high;
  void (*set)(Scenario&, double);
};

void ScaleTariff(Tariff& tariff, double factor) {
  tariff.base_won_per_kw_month *= factor;
  tariff.climate_won *= factor;
  tariff.fuel_won *= factor;
  for (auto& season : tariff.energy_won) {
    for (double& won : season) won *= factor;
  }
}

// A day's shape pulled towards its mean: 0 is as it was, 1 is flat, as if batch filled the nights.
void Flatten(std::vector<double>& hours, double share) {
  for (double& load : hours) load += (1 - load) * share;
}

// Ranges as wide as what is honestly not known.
constexpr Lever kLevers[] = {
    {"throughput", 0.7, 1.3,
     [](Scenario& s, double factor) {
       for (Throughput& row : s.catalog.throughputs) {
         for (auto& [speed, rate] : row.points) rate *= factor;
       }
     }},
    {"chip_price", 0.8, 1.2,
     [](Scenario& s, double factor) {
       for (Chip& chip : s.catalog.chips) chip.usd *= factor;
     }},
    {"flat_load", 0, 0.5, [](Scenario& s, double share) { Flatten(s.input.hours, share); }},
    {"won_per_usd", 0.9, 1.1, [](Scenario& s, double factor) { s.input.won_per_usd *= factor; }},
    {"server_years", 3, 5,
     [](Scenario& s, double years) { s.input.server_years = static_cast<int32_t>(years); }},
    {"tariff", 0.8, 1.2, [](Scenario& s, double factor) { ScaleTariff(s.tariff, factor); }},
    {"facility_price", 0.75, 1.25,
     [](Scenario& s, double factor) { s.input.facility_usd_per_mw *= factor; }},
    {"interest", 0.04, 0.08, [](Scenario& s, double interest) { s.input.interest = interest; }},
    {"pue", 1.05, 1.25, [](Scenario& s, double pue) { s.input.pue = pue; }},
    {"availability", 0.9, 0.98, [](Scenario& s, double share) { s.input.availability = share; }},
};

}  // namespace

Result<std::vector<Sensitivity>> PlanSensitivity(const PlanInput& input, const Catalog& catalog,
                                                 const Tariff& tariff) {
  std::vector<Sensitivity> found;
  for (const Lever& lever : kLevers) {
    Sensitivity entry{.what = lever.what, .low_value = lever.low, .high_value = lever.high};
    for (const bool high : {false, true}) {
      Scenario scenario{input, catalog, tariff};
      lever.set(scenario, high ? lever.high : lever.low);
      JIKJI_ASSIGN(const SitePlan plan,
                   PlanSite(scenario.input, scenario.catalog, scenario.tariff));
      (high ? entry.high_won : entry.low_won) = plan.won_per_million_tokens;
      (high ? entry.high_gpus : entry.low_gpus) = plan.gpus;
    }
    found.push_back(std::move(entry));
  }
  std::ranges::stable_sort(found, [](const Sensitivity& a, const Sensitivity& b) {
    return std::abs(a.high_won - a.low_won) > std::abs(b.high_won - b.low_won);
  });
  return found;
}

}  // namespace jikji::fleet
