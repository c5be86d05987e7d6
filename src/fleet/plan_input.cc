#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "fleet/plan.h"
#include "fleet/table_reader.h"

namespace jikji::fleet {
namespace {

constexpr Range kShare = {0, 1};
constexpr Range kYears = {1, 100};

Result<> ReadCosts(TableReader costs, PlanInput& input) {
  input.network_share = costs.Number("network_share", {0, 10});
  input.facility_usd_per_mw = costs.Number("facility_usd_per_mw", {0, 1e9});
  input.maintenance_share = costs.Number("maintenance_share", kShare);
  input.facility_share = costs.Number("facility_share", kShare);
  input.staff = costs.Number("staff", {0, 1e6});
  input.staff_won = costs.Number("staff_won", {0, 1e12});
  input.server_years = static_cast<int32_t>(costs.Integer("server_years", kYears));
  input.facility_years = static_cast<int32_t>(costs.Integer("facility_years", kYears));
  input.interest = costs.Number("interest", kShare);
  return costs.Done();
}

Result<> ReadPhases(TableReader& file, PlanInput& input) {
  double total = 0;
  for (TableReader& table : file.Tables("phase")) {
    PhaseInput phase;
    phase.year = static_cast<int32_t>(table.Integer("year", {2020, 2100}));
    phase.megawatts = table.Number("megawatts", {0.001, 100'000});
    phase.chip = table.Text("chip");
    phase.max_racks = static_cast<int64_t>(table.Number("max_racks", {0, 1e9}, 0));
    if (!input.phases.empty() && phase.year < input.phases.back().year) {
      table.Reject("year", "phases must be in the order of their years");
    }
    total += phase.megawatts;
    JIKJI_RETURN_IF_ERROR(table.Done());
    input.phases.push_back(std::move(phase));
  }
  if (total > input.megawatts * (1 + 1e-9)) {
    file.Reject("phase", fmt::format("the phases have {} MW together, the site {} (megawatts)",
                                     total, input.megawatts));
  }
  return {};
}

Result<> ReadModels(TableReader& file, PlanInput& input) {
  double total = 0;
  for (TableReader& table : file.Tables("model")) {
    ModelShare model;
    model.name = table.Text("name");
    model.label = table.Text("label", model.name);
    model.lengths = table.Text("lengths");
    model.speed = table.Number("speed", {0.1, 100'000});
    model.share = table.Number("share", {1e-6, 1});
    total += model.share;
    JIKJI_RETURN_IF_ERROR(table.Done());
    input.models.push_back(std::move(model));
  }
  if (std::abs(total - 1) > 1e-6) {
    file.Reject("model", fmt::format("the shares add up to {}, not to 1", total));
  }
  return {};
}

}  // namespace

Result<PlanInput> ReadPlanInput(std::string_view text, std::string where) {
  JIKJI_ASSIGN(TableReader file, TableReader::Parse(text, std::move(where)));
  PlanInput input;
  input.name = file.Text("name");
  input.megawatts = file.Number("megawatts", {0.001, 100'000});
  input.pue = file.Number("pue", {1, 10});
  input.it_overhead = file.Number("it_overhead", {0, 0.9});
  input.power_reserve = file.Number("power_reserve", {0, 0.9});
  input.availability = file.Number("availability", {0.01, 1});
  input.won_per_usd = file.Number("won_per_usd", {1, 1e6});
  input.demand_response_mw = file.Number("demand_response_mw", {0, input.megawatts});
  TableReader budget = file.Table("budget");
  input.budget_won = budget.Number("won", {0, 1e18});
  JIKJI_RETURN_IF_ERROR(budget.Done());
  JIKJI_RETURN_IF_ERROR(ReadCosts(file.Table("costs"), input));
  TableReader tariff = file.Table("tariff");
  input.voltage = tariff.Text("voltage");
  input.option = tariff.Text("option");
  JIKJI_RETURN_IF_ERROR(tariff.Done());
  JIKJI_RETURN_IF_ERROR(ReadPhases(file, input));
  JIKJI_RETURN_IF_ERROR(ReadModels(file, input));
  TableReader users = file.Table("users");
  input.requests_per_day = users.Number("requests_per_day", {0.001, 1e9});
  input.output_tokens = users.Number("output_tokens", {1, 1e9});
  input.hours = users.Numbers("hours", 24, {0, 1000});
  const double sum = std::accumulate(input.hours.begin(), input.hours.end(), 0.0);
  if (input.hours.size() == 24 && std::abs(sum - 24) > 0.25) {
    users.Reject("hours", fmt::format("their mean must be 1: they must add up to 24, not {}", sum));
  }
  JIKJI_RETURN_IF_ERROR(users.Done());
  JIKJI_RETURN_IF_ERROR(file.Done());
  return input;
}

}  // namespace jikji::fleet
