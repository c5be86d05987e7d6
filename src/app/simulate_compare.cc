#include "app/simulate_compare.h"

#include <fmt/format.h>

#include "app/console.h"
#include "app/plan_report.h"
#include "app/text_table.h"

namespace jikji {
namespace {

double KeptShare(const twin::SiteReport& report, fleet::ServiceClass service) {
  const twin::ClassReport& one = report.classes[static_cast<size_t>(service)];
  return one.offered > 0 ? static_cast<double>(one.good) / static_cast<double>(one.offered) : 0;
}

double Saved(double managed, double unmanaged) {
  return unmanaged > 0 ? 1 - managed / unmanaged : 0;
}

boost::json::object Side(const twin::SiteReport& report) {
  return {{"premium_in_promise", KeptShare(report, fleet::ServiceClass::kPremium)},
          {"standard_in_promise", KeptShare(report, fleet::ServiceClass::kStandard)},
          {"batch_in_promise", KeptShare(report, fleet::ServiceClass::kBatch)},
          {"output_tokens", report.output_tokens},
          {"energy_kwh", report.energy_kwh},
          {"energy_won", report.energy_won},
          {"peak_mw", report.peak_mw},
          {"control_steps", report.control_steps},
          {"steps_over", report.steps_over},
          {"worst_over_mw", report.worst_over_mw},
          {"slowest_call_s", report.slowest_call_s}};
}

}  // namespace

std::string ComparisonText(const twin::SiteReport& managed, const twin::SiteReport& unmanaged) {
  const auto text = [](std::string_view english, std::string_view korean) {
    return std::string(Say(english, korean));
  };
  std::vector<std::vector<std::string>> rows;
  rows.push_back({"", text("managed", "관리함"), text("unmanaged", "관리 안 함")});
  const auto add = [&](std::string name, auto show) {
    rows.push_back({std::move(name), show(managed), show(unmanaged)});
  };
  add(text("steps over a limit", "한도를 넘은 스텝"), [](const twin::SiteReport& report) {
    return fmt::format("{} / {}", report.steps_over, report.control_steps);
  });
  if (unmanaged.slowest_call_s > 0) {
    add(text("slowest to obey a call", "요청을 가장 늦게 따른 시간"),
        [](const twin::SiteReport& report) {
          return fmt::format("{:g} s", report.slowest_call_s);
        });
  }
  const auto kept = [&](std::string name, fleet::ServiceClass service) {
    add(std::move(name), [service](const twin::SiteReport& report) {
      return fmt::format("{:.2f} %", 100 * KeptShare(report, service));
    });
  };
  kept(text("premium in promise", "우선 등급이 약속 안에"), fleet::ServiceClass::kPremium);
  kept(text("standard in promise", "일반 등급이 약속 안에"), fleet::ServiceClass::kStandard);
  add(text("energy", "전력량"), [](const twin::SiteReport& report) {
    return fmt::format("{:.1f} MWh", report.energy_kwh / 1000);
  });
  add(text("electricity", "전기료"),
      [](const twin::SiteReport& report) { return WonText(report.energy_won); });
  // Work that was refused saves energy too: this does not count it.
  add(text("electricity, a million output tokens", "출력 백만 토큰당 전기료"),
      [](const twin::SiteReport& report) {
        return WonText(report.output_tokens > 0 ? report.energy_won / report.output_tokens * 1e6
                                                : 0);
      });
  add(text("greatest draw", "최대 전력"),
      [](const twin::SiteReport& report) { return fmt::format("{:.3f} MW", report.peak_mw); });
  return "\n" + AlignedRows(rows) +
         fmt::format(
             fmt::runtime(Say("managing saves {:.1f} % of energy and {:.1f} % of its cost\n",
                              "관리가 아낀 것: 전력량 {:.1f} %, 전기료 {:.1f} %\n")),
             100 * Saved(managed.energy_kwh, unmanaged.energy_kwh),
             100 * Saved(managed.energy_won, unmanaged.energy_won));
}

boost::json::object ComparisonJson(const twin::SiteReport& managed,
                                   const twin::SiteReport& unmanaged) {
  return {{"managed", Side(managed)},
          {"unmanaged", Side(unmanaged)},
          {"energy_saved", Saved(managed.energy_kwh, unmanaged.energy_kwh)},
          {"won_saved", Saved(managed.energy_won, unmanaged.energy_won)}};
}

}  // namespace jikji
