#include "app/simulate_report.h"

#include <fmt/format.h>

#include "app/console.h"
#include "app/html_page.h"
#include "app/plan_report.h"
#include "app/svg_plot.h"
#include "app/text_table.h"

namespace jikji {
namespace {

using twin::ClassReport;
using twin::SeriesPoint;
using twin::SiteReport;

std::string Text(std::string_view english, std::string_view korean) {
  return std::string(Say(english, korean));
}

double Share(double part, double whole) { return whole > 0 ? part / whole : 0; }

std::string ClassText(size_t service) {
  switch (static_cast<fleet::ServiceClass>(service)) {
    case fleet::ServiceClass::kBatch:
      return Text("batch", "배치");
    case fleet::ServiceClass::kStandard:
      return Text("standard", "일반");
    case fleet::ServiceClass::kPremium:
      return Text("premium", "우선");
  }
  return {};
}

std::vector<std::vector<std::string>> ClassRows(const SiteReport& report) {
  std::vector<std::vector<std::string>> rows;
  for (size_t i = 0; i < report.classes.size(); ++i) {
    const ClassReport& one = report.classes[i];
    const double offered = static_cast<double>(one.offered);
    rows.push_back({ClassText(i), std::to_string(one.offered), std::to_string(one.finished),
                    fmt::format("{:.2f} %", 100 * Share(static_cast<double>(one.good), offered)),
                    std::to_string(one.refused), std::to_string(one.broken),
                    std::to_string(one.unfinished),
                    fmt::format("{:.0f} / {:.0f}", one.ttft.Quantile(0.5) * 1e3,
                                one.ttft.Quantile(0.95) * 1e3),
                    fmt::format("{:.1f} / {:.1f}", one.tpot.Quantile(0.5) * 1e3,
                                one.tpot.Quantile(0.95) * 1e3)});
  }
  return rows;
}

std::vector<std::string> ClassHead() {
  return {Text("class", "등급"),
          Text("offered", "요청"),
          Text("finished", "완료"),
          Text("in promise", "약속 지킴"),
          Text("refused", "거절"),
          Text("told broken", "끊김 통지"),
          Text("under way", "진행 중"),
          Text("TTFT p50/p95 ms", "첫 토큰 p50/p95 ms"),
          Text("TPOT p50/p95 ms", "토큰당 p50/p95 ms")};
}

std::vector<std::vector<std::string>> SiteRows(const SiteReport& report, const SimulationRun& run) {
  std::vector<std::vector<std::string>> rows;
  const auto add = [&](std::string_view english, std::string_view korean, std::string value) {
    rows.push_back({Text(english, korean), std::move(value)});
  };
  add("simulated requests per second of computing", "계산 1초당 시뮬레이션한 요청",
      fmt::format("{:.0f}", Share(static_cast<double>(report.requests), run.wall_seconds)));
  add("output tokens per second", "초당 출력 토큰",
      fmt::format("{:.0f}", Share(report.output_tokens, report.seconds)));
  add("prompt tokens from the cache", "캐시에서 온 프롬프트 토큰",
      fmt::format("{:.1f} %", 100 * Share(report.cached_tokens, report.prompt_tokens)));
  add("busiest node over the mean", "가장 바쁜 노드 ÷ 평균",
      fmt::format("{:.2f}", report.busiest_over_mean));
  add("node failures, nodes lost", "노드 고장, 잃은 노드",
      fmt::format("{}, {}", report.node_failures, report.nodes_lost));
  add("energy", "전력량", fmt::format("{:.1f} MWh", report.energy_kwh / 1000));
  add("electricity, without base charge", "전기료 (기본요금 제외)", WonText(report.energy_won));
  add("won per million output tokens, electricity", "출력 백만 토큰당 전기료",
      fmt::format("{:.1f}", Share(report.energy_won, report.output_tokens / 1e6)));
  add("greatest draw at the meter", "계량기 최대 전력", fmt::format("{:.3f} MW", report.peak_mw));
  add("steps over a limit", "한도를 넘은 스텝",
      fmt::format("{} / {}", report.steps_over, report.control_steps));
  return rows;
}

PlotSeries Series(const SiteReport& report, std::string label, double SeriesPoint::*value) {
  PlotSeries series{std::move(label), {}};
  for (const SeriesPoint& point : report.series) {
    series.points.emplace_back(point.hour, point.*value);
  }
  return series;
}

}  // namespace

std::string SimulationText(const SiteReport& report, const SimulationRun& run) {
  std::vector<std::vector<std::string>> classes = ClassRows(report);
  classes.insert(classes.begin(), ClassHead());
  return run.title + "\n\n" + AlignedRows(classes) + "\n" + AlignedRows(SiteRows(report, run));
}

boost::json::object SimulationJson(const SiteReport& report, const SimulationRun& run) {
  boost::json::object classes;
  for (size_t i = 0; i < report.classes.size(); ++i) {
    const ClassReport& one = report.classes[i];
    classes[fleet::ServiceClassName(static_cast<fleet::ServiceClass>(i))] = {
        {"offered", one.offered},
        {"finished", one.finished},
        {"good", one.good},
        {"refused", one.refused},
        {"retried", one.retried},
        {"broken", one.broken},
        {"unfinished", one.unfinished},
        {"ttft_p50_s", one.ttft.Quantile(0.5)},
        {"ttft_p95_s", one.ttft.Quantile(0.95)},
        {"tpot_p50_s", one.tpot.Quantile(0.5)},
        {"tpot_p95_s", one.tpot.Quantile(0.95)},
        {"latency_p50_s", one.latency.Quantile(0.5)},
        {"latency_p95_s", one.latency.Quantile(0.95)}};
  }
  boost::json::array series;
  for (const SeriesPoint& point : report.series) {
    series.push_back({{"hour", point.hour},
                      {"requests_per_second", point.requests_per_second},
                      {"output_tokens_per_second", point.output_tokens_per_second},
                      {"mean_ttft_s", point.mean_ttft_s},
                      {"meter_mw", point.meter_mw},
                      {"envelope_mw", point.envelope_mw},
                      {"won_per_kwh", point.won_per_kwh},
                      {"serving_nodes", point.serving_nodes},
                      {"active_requests", point.active_requests},
                      {"deferred_requests", point.deferred_requests}});
  }
  return {
      {"title", run.title},
      {"seconds", report.seconds},
      {"wall_seconds", run.wall_seconds},
      {"requests", report.requests},
      {"requests_per_wall_second", Share(static_cast<double>(report.requests), run.wall_seconds)},
      {"output_tokens", report.output_tokens},
      {"cached_share", Share(report.cached_tokens, report.prompt_tokens)},
      {"busiest_over_mean", report.busiest_over_mean},
      {"node_failures", report.node_failures},
      {"nodes_lost", report.nodes_lost},
      {"energy_kwh", report.energy_kwh},
      {"energy_won", report.energy_won},
      {"peak_mw", report.peak_mw},
      {"control_steps", report.control_steps},
      {"steps_over", report.steps_over},
      {"worst_over_mw", report.worst_over_mw},
      {"slowest_call_s", report.slowest_call_s},
      {"classes", std::move(classes)},
      {"series", std::move(series)}};
}

std::string SimulationPage(const SiteReport& report, const SimulationRun& run) {
  HtmlPage page(run.title);
  page.Table(ClassHead(), ClassRows(report));
  page.Table({}, SiteRows(report, run));
  const std::string hours = Text("hours", "시간");
  page.Figure(LinePlot({Series(report, Text("drawn", "사용"), &SeriesPoint::meter_mw),
                        Series(report, Text("envelope", "한도"), &SeriesPoint::envelope_mw)},
                       hours, "MW"),
              Say("Power at the meter against its envelope", "계량기 전력과 한도"));
  page.Figure(
      LinePlot({Series(report, Text("requests/s", "요청/s"), &SeriesPoint::requests_per_second)},
               hours, ""),
      Say("Requests", "요청"));
  page.Figure(LinePlot({Series(report, Text("output tokens/s", "출력 토큰/s"),
                               &SeriesPoint::output_tokens_per_second)},
                       hours, ""),
              Say("Throughput", "처리량"));
  page.Figure(
      LinePlot({Series(report, Text("mean TTFT", "평균 첫 토큰"), &SeriesPoint::mean_ttft_s)},
               hours, "s"),
      Say("Time to the first token", "첫 토큰까지의 시간"));
  page.Figure(LinePlot({Series(report, Text("won/kWh", "원/kWh"), &SeriesPoint::won_per_kwh)},
                       hours, Text("won", "원")),
              Say("Price of electricity", "전기 단가"));
  return page.Finish();
}

namespace {

std::vector<std::vector<std::string>> MeanFieldRows(const twin::MeanFieldReport& report,
                                                    const SimulationRun& run) {
  return {{Text("steps, seconds of computing", "스텝, 계산 시간(초)"),
           fmt::format("{}, {:.1f}", report.steps, run.wall_seconds)},
          {Text("requests", "요청"), fmt::format("{:.3e}", report.requests)},
          {Text("refused", "거절"),
           fmt::format("{:.3f} %", 100 * Share(report.refused, report.requests + report.refused))},
          {Text("mean time per output token", "평균 토큰당 시간"),
           fmt::format("{:.1f} ms", report.tpot_mean_s * 1e3)},
          {Text("energy", "전력량"), report.energy_kwh >= 1e6
                                         ? fmt::format("{:.1f} GWh", report.energy_kwh / 1e6)
                                         : fmt::format("{:.1f} MWh", report.energy_kwh / 1e3)},
          {Text("electricity, without base charge", "전기료 (기본요금 제외)"),
           WonText(report.energy_won)},
          {Text("greatest draw at the meter", "계량기 최대 전력"),
           fmt::format("{:.2f} MW", report.peak_mw)},
          {Text("steps over a limit", "한도를 넘은 스텝"), std::to_string(report.steps_over)}};
}

}  // namespace

std::string MeanFieldText(const twin::MeanFieldReport& report, const SimulationRun& run) {
  return run.title + "\n\n" + AlignedRows(MeanFieldRows(report, run));
}

boost::json::object MeanFieldJson(const twin::MeanFieldReport& report, const SimulationRun& run) {
  boost::json::array days;
  for (const twin::MeanFieldDay& day : report.days) {
    days.push_back({{"requests_per_second", day.requests_per_second},
                    {"mean_mw", day.mean_mw},
                    {"peak_mw", day.peak_mw},
                    {"energy_won", day.energy_won}});
  }
  return {{"title", run.title},
          {"wall_seconds", run.wall_seconds},
          {"steps", report.steps},
          {"steps_over", report.steps_over},
          {"requests", report.requests},
          {"refused", report.refused},
          {"output_tokens", report.output_tokens},
          {"tpot_mean_s", report.tpot_mean_s},
          {"energy_kwh", report.energy_kwh},
          {"energy_won", report.energy_won},
          {"peak_mw", report.peak_mw},
          {"days", std::move(days)}};
}

std::string MeanFieldPage(const twin::MeanFieldReport& report, const SimulationRun& run) {
  HtmlPage page(run.title);
  page.Table({}, MeanFieldRows(report, run));
  PlotSeries mean{Text("mean", "평균"), {}}, peak{Text("peak", "최대"), {}};
  for (size_t i = 0; i < report.days.size(); ++i) {
    mean.points.emplace_back(i, report.days[i].mean_mw);
    peak.points.emplace_back(i, report.days[i].peak_mw);
  }
  page.Figure(LinePlot({mean, peak}, Text("days", "일"), "MW"),
              Say("Power at the meter by day", "일별 계량기 전력"));
  return page.Finish();
}

}  // namespace jikji
