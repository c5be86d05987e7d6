#include "app/load_bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <mutex>
#include <vector>

#include "app/console.h"
#include "base/file.h"
#include "measure/length_trace.h"
#include "measure/load_plan.h"
#include "measure/load_run.h"
#include "measure/svg_chart.h"

namespace jikji {
namespace {

using measure::LoadOutcome;
using measure::LoadSummary;
using measure::Quantiles;

constexpr uint64_t kMostTraceBytes = 256ull << 20;

boost::json::object ToJson(const Quantiles& q) {
  return {{"p50", q.p50}, {"p95", q.p95}, {"p99", q.p99}};
}

void PrintJson(const LoadSummary& s, const measure::LoadTarget& target, const LoadBench& bench) {
  boost::json::object json = {{"url", bench.url},
                              {"model", target.model()},
                              {"clients", bench.clients},
                              {"rate", bench.rate},
                              {"requests", s.requests},
                              {"finished", s.finished},
                              {"seconds", s.seconds},
                              {"prompt_tokens", s.prompt_tokens},
                              {"cached_tokens", s.cached_tokens},
                              {"output_tokens", s.output_tokens},
                              {"output_tokens_per_second", s.output_tokens_per_second},
                              {"requests_per_second", s.requests_per_second},
                              {"good_requests_per_second", s.good_requests_per_second},
                              {"good_share", s.good_share},
                              {"time_to_first_token_seconds", ToJson(s.first)},
                              {"inter_token_seconds", ToJson(s.gap)},
                              {"request_seconds", ToJson(s.total)}};
  if (!s.error.empty()) json["error"] = s.error;
  fmt::print("{}\n", boost::json::serialize(json));
}

void PrintText(const LoadSummary& s, const measure::LoadTarget& target, const LoadBench& bench) {
  fmt::print(fmt::runtime(Say("{} at {}: {} of {} requests finished in {:.1f} s\n",
                              "{} ({}): 요청 {}/{}개 완료, {:.1f}초\n")),
             target.model(), bench.url, s.finished, s.requests, s.seconds);
  fmt::print(
      fmt::runtime(Say("  throughput           {:>9.1f} output tokens/s, {:.2f} requests/s\n",
                       "  처리량    {:>9.1f} 출력 토큰/초, {:.2f} 요청/초\n")),
      s.output_tokens_per_second, s.requests_per_second);
  fmt::print(
      fmt::runtime(Say(
          "  goodput              {:>9.2f} requests/s: {:.0f} % had their first token in {:g} s "
          "and "
          "the next in {:g} s on average\n",
          "  굿풋      {:>9.2f} 요청/초: {:.0f} %가 첫 토큰 {:g}초, 토큰 간격 평균 {:g}초 이내\n")),
      s.good_requests_per_second, 100 * s.good_share, bench.first_seconds, bench.gap_seconds);
  fmt::print(fmt::runtime(
                 Say("  prompt tokens        {:>9} of which {:.0f} % came from the prefix cache\n",
                     "  입력 토큰 {:>9}개, {:.0f} %는 프리픽스 캐시에서\n")),
             s.prompt_tokens,
             s.prompt_tokens == 0 ? 0.0
                                  : 100.0 * static_cast<double>(s.cached_tokens) /
                                        static_cast<double>(s.prompt_tokens));
  fmt::print("{}\n", Say("                             p50       p95       p99",
                         "                      p50       p95       p99"));
  const auto row = [](std::string_view name, const Quantiles& q) {
    fmt::print("  {} {:>9.3f} {:>9.3f} {:>9.3f} s\n", name, q.p50, q.p95, q.p99);
  };
  row(Say("time to first token   ", "첫 토큰까지    "), s.first);
  row(Say("inter-token latency   ", "토큰 간격      "), s.gap);
  row(Say("whole request         ", "요청 전체      "), s.total);
  if (!s.error.empty()) {
    fmt::print("  {}: {}\n", Say("an error", "오류의 예"), s.error);
  }
}

// The share of values up to each, in percent, over milliseconds.
measure::ChartSeries Distribution(std::string_view name, std::vector<double> seconds) {
  std::sort(seconds.begin(), seconds.end());
  measure::ChartSeries series{std::string(name), {}};
  // As many points as a chart has pixels.
  const size_t step = std::max<size_t>(1, seconds.size() / 400);
  for (size_t i = 0; i < seconds.size(); i += step) {
    series.points.emplace_back(
        std::max(seconds[i] * 1e3, 1e-3),
        100.0 * static_cast<double>(i + 1) / static_cast<double>(seconds.size()));
  }
  return series;
}

std::string ToSvg(const std::vector<LoadOutcome>& outcomes, const std::string& model) {
  std::vector<double> first, gaps;
  for (const LoadOutcome& outcome : outcomes) {
    if (!outcome.finished) continue;
    first.push_back(outcome.first);
    gaps.insert(gaps.end(), outcome.gaps.begin(), outcome.gaps.end());
  }
  const auto chart = [&](std::string_view title, std::vector<double> seconds) {
    return measure::Chart{.title = fmt::format("{}: {}", model, title),
                          .x_label = std::string(Say("milliseconds", "밀리초")),
                          .y_label = std::string(Say("percent within", "이내인 비율(%)")),
                          .log_x = true,
                          .series = {Distribution(title, std::move(seconds))}};
  };
  const measure::Chart charts[] = {
      chart(Say("time to first token", "첫 토큰까지"), std::move(first)),
      chart(Say("inter-token latency", "토큰 간격"), std::move(gaps))};
  return measure::RenderSvg(charts);
}

// What the requests are to be, within the server's context.
Result<measure::LoadOptions> PlanOptions(const LoadBench& bench, int64_t generate,
                                         int64_t context) {
  measure::LoadOptions options = {.requests = bench.requests,
                                  .rate = bench.rate,
                                  .shared_prefix = bench.shared_prefix,
                                  .lengths = {{bench.prompt, generate}}};
  if (context == 0) {
    return Fail(ErrorCode::kInvalidArgument,
                "the server does not tell its context: say it with --context", bench.url);
  }
  const int64_t left = context - bench.shared_prefix;
  if (!bench.trace.empty()) {
    JIKJI_ASSIGN(const std::string text, ReadFile(bench.trace, kMostTraceBytes));
    JIKJI_ASSIGN(options.lengths, measure::ParseLengthTrace(text, bench.trace));
    if (left >= 2) measure::ScaleToContext(options.lengths, left);
  }
  if (left < 2 || (bench.trace.empty() && bench.prompt + generate > left)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a request of {} tokens does not fit the server's context of {}",
                            bench.shared_prefix + bench.prompt + generate, context));
  }
  return options;
}

}  // namespace

void LoadBench::AddTo(Settings& settings) {
  settings.Add("url", &url,
               {"Put this server under load instead: http://host:port",
                "대신 이 서버에 부하를 줌: http://호스트:포트"});
  settings.Add("api-key", &api_key, {"Key for the server", "서버의 API 키"}, /*secret=*/true);
  settings.Add("clients", &clients,
               {"Load: requests in flight at most", "부하: 동시에 보낼 수 있는 요청 수"}, 1, 1024);
  settings.Add("requests", &requests, {"Load: requests in all", "부하: 전체 요청 수"}, 1, 1 << 20);
  settings.Add("rate", &rate,
               {"Load: Poisson arrivals a second; 0: each client asks again once answered",
                "부하: 초당 도착하는 요청 수(푸아송). 0이면 답을 받는 대로 다시 요청"},
               0, 1e6);
  settings.Add("prompt", &prompt, {"Load: tokens of a prompt", "부하: 프롬프트 토큰 수"}, 1,
               1 << 24);
  settings.Add("shared-prefix", &shared_prefix,
               {"Load: tokens that all prompts begin with, beyond --prompt",
                "부하: 모든 프롬프트 앞에 붙는 같은 토큰의 수"},
               0, 1 << 24);
  settings.Add("trace", &trace,
               {"Load: CSV of TIMESTAMP,ContextTokens,GeneratedTokens that gives the lengths",
                "부하: 길이를 정하는 CSV. TIMESTAMP,ContextTokens,GeneratedTokens"});
  settings.Add("seconds", &seconds,
               {"Load: after so long what is not answered counts as failed",
                "부하: 이 시간(초)이 지나면 답이 없는 요청은 실패로 셈"},
               1, 86400);
  settings.Add("first-seconds", &first_seconds,
               {"Goodput: most seconds to the first token", "굿풋: 첫 토큰까지의 한도(초)"}, 0,
               86400);
  settings.Add("gap-seconds", &gap_seconds,
               {"Goodput: most seconds between tokens, on average over a request",
                "굿풋: 요청별 평균 토큰 간격의 한도(초)"},
               0, 86400);
}

Result<> LoadBench::Run(int64_t generate, int64_t context, bool json,
                        const std::string& svg) const {
  JIKJI_ASSIGN(const auto target, measure::LoadTarget::Open(url, api_key));
  JIKJI_ASSIGN(const auto options,
               PlanOptions(*this, generate, context == 0 ? target.context() : context));
  const auto plan = measure::PlanLoad(options, target.tokens());
  std::vector<LoadOutcome> outcomes;
  {
    Progress progress(std::string(Say("measuring", "측정 중")));
    std::mutex mutex;
    outcomes = measure::RunLoad(
        target, plan,
        {.clients = static_cast<size_t>(clients), .time = std::chrono::duration<double>(seconds)},
        [&](size_t done) {
          std::lock_guard lock(mutex);
          progress.Show(static_cast<double>(done) / static_cast<double>(plan.size()));
        });
  }
  const LoadSummary summary =
      measure::Summarise(outcomes, {.first_seconds = first_seconds, .gap_seconds = gap_seconds});
  if (summary.finished == 0) {
    return Fail(ErrorCode::kUnavailable, "no request finished: " + summary.error, url);
  }
  if (json) {
    PrintJson(summary, target, *this);
  } else {
    PrintText(summary, target, *this);
  }
  return svg.empty() ? Result<>() : WriteFileAtomic(svg, ToSvg(outcomes, target.model()));
}

}  // namespace jikji
