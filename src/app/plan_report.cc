#include "app/plan_report.h"

#include <fmt/format.h>

#include "app/console.h"
#include "app/html_page.h"
#include "app/svg_plot.h"
#include "app/text_table.h"

namespace jikji {
namespace {

using fleet::PhasePlan;
using fleet::Sensitivity;
using fleet::SitePlan;
using fleet::YearPlan;

std::string Text(std::string_view english, std::string_view korean) {
  return std::string(Say(english, korean));
}

// 1234567 as "1,234,567".
std::string Grouped(double value) {
  std::string digits = fmt::format("{:.0f}", value);
  for (size_t at = digits.size(); at > 3 + (digits[0] == '-' ? 1 : 0);) {
    at -= 3;
    digits.insert(at, ",");
  }
  return digits;
}

std::string LimitText(fleet::Limit limit) {
  switch (limit) {
    case fleet::Limit::kPower:
      return Text("power", "전력");
    case fleet::Limit::kMoney:
      return Text("money", "예산");
    case fleet::Limit::kChips:
      return Text("chips", "칩");
  }
  return {};
}

std::string LeverText(const Sensitivity& lever) {
  const auto name = [&]() -> std::string {
    if (lever.what == "throughput") return Text("throughput", "처리량");
    if (lever.what == "chip_price") return Text("chip price", "칩 가격");
    if (lever.what == "flat_load") return Text("nights filled", "야간 부하");
    if (lever.what == "won_per_usd") return Text("exchange rate", "환율");
    if (lever.what == "server_years") return Text("server years", "서버 수명");
    if (lever.what == "tariff") return Text("tariff", "전기 요금");
    if (lever.what == "facility_price") return Text("building price", "건물 가격");
    if (lever.what == "interest") return Text("interest", "이자율");
    if (lever.what == "availability") return Text("availability", "가동률");
    return "PUE";
  }();
  return fmt::format("{} {:g}–{:g}", name, lever.low_value, lever.high_value);
}

struct Table {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> rows;
};

Table PhaseTable(const SitePlan& plan) {
  Table table;
  table.head = {
      Text("year", "연도"),  Text("chip", "칩"),         Text("racks", "랙"),    "GPU", "MW",
      Text("limit", "제약"), Text("tokens/s", "토큰/s"), Text("capex", "투자비")};
  for (size_t i = 0; i < plan.phases.size(); ++i) {
    const PhasePlan& phase = plan.phases[i];
    table.rows.push_back(
        {std::to_string(phase.year), phase.chip, Grouped(static_cast<double>(phase.racks)),
         Grouped(static_cast<double>(phase.gpus)),
         fmt::format("{:g}", plan.input.phases[i].megawatts), LimitText(phase.limited_by),
         Grouped(phase.peak_tokens_per_second), WonText(phase.capex_won)});
  }
  return table;
}

Table YearTable(const SitePlan& plan) {
  Table table;
  table.head = {Text("year", "연도"),       "GPU",
                Text("peak MW", "최대 MW"), "GWh",
                Text("tokens", "토큰"),     Text("users", "이용자"),
                Text("capex", "투자비"),    Text("opex", "운영비"),
                Text("power", "전기료"),    Text("won/M tokens", "원/백만 토큰")};
  for (const YearPlan& year : plan.years) {
    table.rows.push_back(
        {std::to_string(year.year), Grouped(static_cast<double>(year.gpus)),
         fmt::format("{:.1f}", year.peak_mw), fmt::format("{:.0f}", year.energy_gwh),
         fmt::format("{:.1f}T", year.tokens / 1e12), Grouped(year.users), WonText(year.capex_won),
         WonText(year.opex_won()), WonText(year.energy_won + year.base_won),
         Grouped(year.won_per_million_tokens)});
  }
  return table;
}

Table ModelTable(const SitePlan& plan) {
  Table table;
  table.head = {Text("model", "모델"), Text("for", "용도"), Text("tokens/s/user", "토큰/s/이용자")};
  for (const PhasePlan& phase : plan.phases) {
    table.head.push_back(fmt::format("{} {}", phase.year, phase.chip));
  }
  for (size_t i = 0; i < plan.input.models.size(); ++i) {
    const fleet::ModelShare& model = plan.input.models[i];
    table.rows.push_back({model.name, model.label, fmt::format("{:g}", model.speed)});
    for (const PhasePlan& phase : plan.phases) {
      table.rows.back().push_back(Grouped(phase.models[i].tokens_per_second) + "/s");
    }
  }
  return table;
}

Table GridTable(const SitePlan& plan) {
  const fleet::GridImpact& grid = plan.grid;
  Table table;
  const auto add = [&](std::string label, std::string value) {
    table.rows.push_back({std::move(label), std::move(value)});
  };
  add(Text("assessment needed (10 MW or more)", "평가 대상 (10 MW 이상)"),
      grid.needed ? Text("yes", "예") : Text("no", "아니요"));
  add(Text("contract power", "계약 전력"), fmt::format("{:.1f} MW", grid.contract_mw));
  add(Text("greatest demand", "최대 수요"), fmt::format("{:.1f} MW", grid.peak_mw));
  add(Text("energy in a year", "연간 사용량"), fmt::format("{:.0f} GWh", grid.energy_gwh));
  add(Text("load factor", "부하율"), fmt::format("{:.0f} %", grid.load_factor * 100));
  add("PUE", fmt::format("{:.2f}", grid.pue));
  add(Text("flexible at the grid's call", "수요 반응 가능"),
      fmt::format("{:.0f} MW", grid.flexible_mw));
  add(Text("output tokens per kWh", "kWh당 출력 토큰"), Grouped(grid.tokens_per_kwh));
  return table;
}

std::string Aligned(const Table& table) {
  std::vector<std::vector<std::string>> rows = table.rows;
  if (!table.head.empty()) rows.insert(rows.begin(), table.head);
  return AlignedRows(rows);
}

std::string Summary(const SitePlan& plan) {
  return fmt::format(
      fmt::runtime(Say("{} racks, {} GPUs, {}; {} won per million output tokens over the years; "
                       "electricity {:.0f} won/kWh all in, without VAT",
                       "랙 {}개, GPU {}개, {}. 전 기간 출력 백만 토큰당 {}원. 전기 {:.0f}원/kWh "
                       "(부가세 제외)")),
      Grouped(static_cast<double>(plan.racks)), Grouped(static_cast<double>(plan.gpus)),
      WonText(plan.capex_won), Grouped(plan.won_per_million_tokens), plan.mean_price_won);
}

std::string Estimates(const SitePlan& plan) {
  std::string list;
  for (const std::string& estimate : plan.estimates) {
    list += (list.empty() ? "" : ", ") + estimate;
  }
  return list.empty() ? Text("none", "없음") : list;
}

}  // namespace

std::string WonText(double won) {
  if (won == 0) return "0";
  if (SpeaksKorean()) {
    return won >= 1e12  ? fmt::format("{:.2f}조 원", won / 1e12)
           : won >= 1e9 ? fmt::format("{:.0f}억 원", won / 1e8)
           : won >= 1e4 ? fmt::format("{:.1f}만 원", won / 1e4)
                        : fmt::format("{:.0f}원", won);
  }
  return won >= 1e12  ? fmt::format("{:.2f} T won", won / 1e12)
         : won >= 1e9 ? fmt::format("{:.1f} bn won", won / 1e9)
         : won >= 1e6 ? fmt::format("{:.3f} M won", won / 1e6)
                      : fmt::format("{:.0f} won", won);
}

std::string PlanText(const SitePlan& plan, const std::vector<Sensitivity>& sensitivity) {
  std::string out = plan.input.name + "\n" + Summary(plan) + "\n";
  const auto section = [&out](std::string_view title, const std::string& body) {
    out += fmt::format("\n== {} ==\n{}", title, body);
  };
  section(Say("Phases", "단계"), Aligned(PhaseTable(plan)));
  section(Say("Tokens by model, at its service level", "모델별 토큰 (서비스 수준에서)"),
          Aligned(ModelTable(plan)));
  section(Say("Years", "연도별"), Aligned(YearTable(plan)));
  section(Say("Grid impact assessment", "전력계통영향평가"), Aligned(GridTable(plan)));
  Table levers;
  levers.head = {Text("what if", "만약"), Text("won/M, low", "원/백만, 낮을 때"),
                 Text("high", "높을 때"), Text("GPUs, low", "GPU, 낮을 때"),
                 Text("high", "높을 때")};
  for (const Sensitivity& lever : sensitivity) {
    levers.rows.push_back({LeverText(lever), Grouped(lever.low_won), Grouped(lever.high_won),
                           Grouped(static_cast<double>(lever.low_gpus)),
                           Grouped(static_cast<double>(lever.high_gpus))});
  }
  section(Say("Sensitivity", "민감도"), Aligned(levers));
  section(Say("Estimated, published by nobody", "공개된 값이 없어 추정한 것"),
          Estimates(plan) + "\n");
  return out;
}

boost::json::object PlanJson(const SitePlan& plan, const std::vector<Sensitivity>& sensitivity) {
  boost::json::array phases, years, levers, estimates;
  for (const PhasePlan& phase : plan.phases) {
    boost::json::array models;
    for (const fleet::ModelPlan& model : phase.models) {
      models.push_back({{"label", model.label},
                        {"gpus", model.gpus},
                        {"tokens_per_second", model.tokens_per_second}});
    }
    phases.push_back({{"year", phase.year},
                      {"chip", phase.chip},
                      {"racks", phase.racks},
                      {"gpus", phase.gpus},
                      {"limited_by", fleet::LimitName(phase.limited_by)},
                      {"it_mw", phase.it_mw},
                      {"peak_tokens_per_second", phase.peak_tokens_per_second},
                      {"capex_won", phase.capex_won},
                      {"models", std::move(models)}});
  }
  for (const YearPlan& year : plan.years) {
    years.push_back({{"year", year.year},
                     {"gpus", year.gpus},
                     {"peak_mw", year.peak_mw},
                     {"mean_mw", year.mean_mw},
                     {"energy_gwh", year.energy_gwh},
                     {"peak_tokens_per_second", year.peak_tokens_per_second},
                     {"output_tokens", year.tokens},
                     {"users", year.users},
                     {"capex_won", year.capex_won},
                     {"opex_won", year.opex_won()},
                     {"energy_won", year.energy_won},
                     {"base_won", year.base_won},
                     {"staff_won", year.staff_won},
                     {"maintenance_won", year.maintenance_won},
                     {"annuity_won", year.annuity_won},
                     {"won_per_million_tokens", year.won_per_million_tokens}});
  }
  for (const Sensitivity& lever : sensitivity) {
    levers.push_back({{"what", lever.what},
                      {"low", lever.low_value},
                      {"high", lever.high_value},
                      {"low_won_per_million_tokens", lever.low_won},
                      {"high_won_per_million_tokens", lever.high_won},
                      {"low_gpus", lever.low_gpus},
                      {"high_gpus", lever.high_gpus}});
  }
  for (const std::string& estimate : plan.estimates) estimates.emplace_back(estimate);
  const fleet::GridImpact& grid = plan.grid;
  return {{"name", plan.input.name},
          {"racks", plan.racks},
          {"gpus", plan.gpus},
          {"capex_won", plan.capex_won},
          {"won_per_million_tokens", plan.won_per_million_tokens},
          {"won_per_kwh", plan.mean_price_won},
          {"phases", std::move(phases)},
          {"years", std::move(years)},
          {"grid_impact",
           {{"needed", grid.needed},
            {"contract_mw", grid.contract_mw},
            {"peak_mw", grid.peak_mw},
            {"energy_gwh", grid.energy_gwh},
            {"load_factor", grid.load_factor},
            {"pue", grid.pue},
            {"flexible_mw", grid.flexible_mw},
            {"output_tokens_per_kwh", grid.tokens_per_kwh}}},
          {"sensitivity", std::move(levers)},
          {"estimated", std::move(estimates)}};
}

std::string PlanPage(const SitePlan& plan, const std::vector<Sensitivity>& sensitivity) {
  HtmlPage page(plan.input.name);
  page.Paragraph(Summary(plan));
  const auto table = [&page](std::string_view title, const Table& rows) {
    page.Heading(title);
    page.Table(rows.head, rows.rows);
  };
  table(Say("Phases", "단계"), PhaseTable(plan));
  table(Say("Tokens by model, at its service level", "모델별 토큰 (서비스 수준에서)"),
        ModelTable(plan));
  table(Say("Years", "연도별"), YearTable(plan));
  std::vector<PlotBar> costs, power;
  PlotSeries price{Text("won per million output tokens", "출력 백만 토큰당 원"), {}};
  for (const YearPlan& year : plan.years) {
    const std::string label = std::to_string(year.year);
    costs.push_back({label,
                     {year.annuity_won / 1e9, (year.energy_won + year.base_won) / 1e9,
                      year.maintenance_won / 1e9, year.staff_won / 1e9}});
    power.push_back({label, {year.mean_mw, year.peak_mw - year.mean_mw}});
    price.points.emplace_back(year.year, year.won_per_million_tokens);
  }
  page.Figure(BarPlot(costs,
                      {Text("servers, building", "서버·건물"), Text("electricity", "전기"),
                       Text("maintenance", "유지 보수"), Text("staff", "인건비")},
                      Text("bn won", "십억 원")),
              Say("Cost of each year", "연도별 비용"));
  page.Figure(BarPlot(power, {Text("mean", "평균"), Text("to the peak", "최대까지")}, "MW"),
              Say("Draw at the meter", "계량기 기준 전력"));
  page.Figure(LinePlot({price}, Text("year", "연도"), Text("won", "원")),
              Say("Cost of a million output tokens", "출력 백만 토큰의 비용"));
  std::vector<PlotRange> ranges;
  for (const Sensitivity& lever : sensitivity) {
    ranges.push_back({LeverText(lever), lever.low_won, lever.high_won});
  }
  page.Heading(Say("Sensitivity", "민감도"));
  page.Figure(RangePlot(ranges, plan.won_per_million_tokens,
                        Text("won per million tokens", "원/백만 토큰")),
              Say("What an input at either end of its range does to the cost",
                  "입력값이 범위의 양 끝일 때 비용"));
  table(Say("Grid impact assessment", "전력계통영향평가"), GridTable(plan));
  page.Heading(Say("Estimated, published by nobody", "공개된 값이 없어 추정한 것"));
  page.Paragraph(Estimates(plan));
  return page.Finish();
}

}  // namespace jikji
