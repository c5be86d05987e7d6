// From megawatts, chips, models and a budget to racks, tokens, users and won.
//
// PlanSite is arithmetic over its input: the same input gives the same plan. Every year from the
// first phase to the end of the last phase's servers is costed; a phase serves from the start of
// its year until its servers are paid off. Money is an estimate here, so it is in doubles; nothing
// of this is a ledger. Non-goals: queueing (twin/ simulates it), tax, residual values.
#ifndef JIKJI_FLEET_PLAN_H_
#define JIKJI_FLEET_PLAN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "fleet/catalog.h"
#include "fleet/tariff.h"

namespace jikji::fleet {

struct PhaseInput {
  int32_t year = 0;
  double megawatts = 0;  // at the meter, of this phase
  std::string chip;
  int64_t max_racks = 0;  // that can be bought; 0: any
};

struct ModelShare {
  std::string name;     // as in the catalogue
  std::string label;    // what for
  std::string lengths;  // as in the catalogue
  double speed = 0;     // tokens per second that every user gets
  double share = 0;     // of output tokens; together 1
};

struct PlanInput {
  std::string name;
  double megawatts = 0;
  double pue = 1;
  double it_overhead = 0;
  double power_reserve = 0;
  double availability = 1;
  double won_per_usd = 0;
  double demand_response_mw = 0;
  double budget_won = 0;
  double network_share = 0;
  double facility_usd_per_mw = 0;
  double maintenance_share = 0;
  double facility_share = 0;
  double staff = 0;
  double staff_won = 0;
  int32_t server_years = 4;
  int32_t facility_years = 20;
  double interest = 0;
  std::string voltage, option;
  std::vector<PhaseInput> phases;  // by year
  std::vector<ModelShare> models;
  double requests_per_day = 0;
  double output_tokens = 0;
  std::vector<double> hours;  // 24: load over the day's mean
};

Result<PlanInput> ReadPlanInput(std::string_view text, std::string where);

enum class Limit : uint8_t { kPower, kMoney, kChips };
const char* LimitName(Limit limit);

struct ModelPlan {
  std::string label;
  double gpus = 0;
  double tokens_per_second = 0;  // output, at the service level
};

struct PhasePlan {
  int32_t year = 0;
  std::string chip;
  int64_t racks = 0;
  int64_t gpus = 0;
  Limit limited_by = Limit::kPower;
  double it_mw = 0;  // what its racks may draw
  double peak_tokens_per_second = 0;
  double capex_won = 0;
  std::vector<ModelPlan> models;
};

struct YearPlan {
  int32_t year = 0;
  int64_t gpus = 0;
  double peak_mw = 0;  // at the meter, in the busiest hour
  double mean_mw = 0;
  double energy_gwh = 0;
  double peak_tokens_per_second = 0;
  double tokens = 0;  // output tokens delivered
  double users = 0;   // served at the busiest hour
  double capex_won = 0;
  double energy_won = 0, base_won = 0, staff_won = 0, maintenance_won = 0;
  double annuity_won = 0;  // servers and building, paid off over their lives
  double opex_won() const { return energy_won + base_won + staff_won + maintenance_won; }
  double won_per_million_tokens = 0;
};

// The figures that the grid impact assessment (Distributed Energy Act, decree art. 25) asks for.
struct GridImpact {
  bool needed = false;  // 10 MW or more
  double contract_mw = 0;
  double peak_mw = 0;
  double energy_gwh = 0;
  double load_factor = 0;
  double pue = 0;
  double flexible_mw = 0;
  double tokens_per_kwh = 0;  // output tokens for each kWh at the meter
};

struct SitePlan {
  PlanInput input;
  std::vector<PhasePlan> phases;
  std::vector<YearPlan> years;
  int64_t racks = 0, gpus = 0;
  double capex_won = 0;
  double won_per_million_tokens = 0;  // levelised: all costs over all tokens, both discounted
  double mean_price_won = 0;          // all-in for a kWh in the busiest year
  GridImpact grid;
  std::vector<std::string> estimates;  // inputs that nobody has published
};

Result<SitePlan> PlanSite(const PlanInput& input, const Catalog& catalog, const Tariff& tariff);

// What won per million tokens and GPUs become where one input is lower or higher.
struct Sensitivity {
  std::string what;  // "pue", ...
  double low_value = 0, high_value = 0;
  double low_won = 0, high_won = 0;
  int64_t low_gpus = 0, high_gpus = 0;
};
Result<std::vector<Sensitivity>> PlanSensitivity(const PlanInput& input, const Catalog& catalog,
                                                 const Tariff& tariff);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_PLAN_H_
