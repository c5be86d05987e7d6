#include "app/speed_bench.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <chrono>
#include <sstream>

#include "app/console.h"
#include "app/device_model.h"
#include "app/gpu_bench.h"
#include "app/model_path.h"
#include "base/file.h"
#include "kernels/isa.h"
#include "measure/decoder_speed.h"
#include "measure/machine_limits.h"
#include "measure/step_cost.h"
#include "measure/svg_chart.h"
#include "model/model.h"

namespace jikji {
namespace {

using measure::LimitKind;

struct Figure {
  bool decode = false;
  int64_t size = 1;  // tokens of the prompt, or streams
  double tokens_per_second = 0;
  double limit = 0;  // tokens per second that the machine's limits allow
  LimitKind kind = LimitKind::kBandwidth;
  double share() const { return tokens_per_second / limit; }
};

struct Report {
  const ModelDescription* model = nullptr;
  measure::SpeedOptions speed;
  measure::MachineLimits limits;
  size_t threads = 0;
  double load_seconds = 0;
  std::vector<Figure> figures;
};

// "1,4" and "16" to 1, 4, 16; zeros are left out.
Result<std::vector<int64_t>> ParseCounts(const std::vector<std::string>& texts, int64_t most,
                                         const std::string& flag) {
  std::vector<int64_t> counts;
  for (const std::string& text : texts) {
    std::istringstream parts(text);
    for (std::string part; std::getline(parts, part, ',');) {
      int64_t count = 0;
      const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), count);
      if (error != std::errc() || end != part.data() + part.size() || count < 0 || count > most) {
        return Fail(ErrorCode::kInvalidArgument,
                    fmt::format("`{}` is not a number from 0 to {}", part, most), flag);
      }
      if (count > 0) counts.push_back(count);
    }
  }
  return counts;
}

Result<std::vector<Figure>> PlannedFigures(const SpeedBench& bench) {
  JIKJI_ASSIGN(const auto prefill, ParseCounts(bench.prefill, 1 << 24, "--prefill"));
  JIKJI_ASSIGN(const auto streams, ParseCounts(bench.streams, 1024, "--streams"));
  std::vector<Figure> figures;
  for (const int64_t tokens : prefill) figures.push_back({.decode = false, .size = tokens});
  for (const int64_t count : streams) figures.push_back({.decode = true, .size = count});
  return figures;
}

// The steps of a figure's run, each as the slices that it computes.
std::vector<std::vector<measure::StepSlice>> StepsOf(const Figure& figure,
                                                     const measure::SpeedOptions& speed) {
  std::vector<std::vector<measure::StepSlice>> steps;
  if (figure.decode) {
    for (int64_t i = 0; i < speed.generate; ++i) {
      steps.emplace_back(static_cast<size_t>(figure.size),
                         measure::StepSlice{.start = speed.depth + i, .tokens = 1});
    }
    return steps;
  }
  for (int64_t done = 0; done < figure.size; done += speed.step_tokens) {
    steps.push_back({{.start = speed.depth + done,
                      .tokens = std::min<int64_t>(speed.step_tokens, figure.size - done)}});
  }
  return steps;
}

void SetLimit(const Report& report, Figure& figure) {
  double seconds = 0;
  for (const auto& step : StepsOf(figure, report.speed)) {
    const measure::StepLimit limit = LimitOf(
        CostOfStep(*report.model->checkpoint, report.model->spec, report.speed.kv_dtype, step),
        report.limits);
    seconds += limit.seconds;
    figure.kind = limit.kind;
  }
  const int64_t tokens = figure.decode ? figure.size * report.speed.generate : figure.size;
  figure.limit = static_cast<double>(tokens) / seconds;
}

Result<> Measure(Decoder& decoder, ThreadPool& pool, Report& report) {
  Progress progress(std::string(Say("measuring", "측정 중")));
  JIKJI_ASSIGN(report.limits, measure::MeasureLimits(pool));
  for (size_t i = 0; i < report.figures.size(); ++i) {
    Figure& figure = report.figures[i];
    progress.Show(static_cast<double>(i) / static_cast<double>(report.figures.size()));
    JIKJI_ASSIGN(figure.tokens_per_second,
                 figure.decode ? measure::DecodeSpeed(decoder, figure.size, report.speed, pool)
                               : measure::PrefillSpeed(decoder, figure.size, report.speed, pool));
    SetLimit(report, figure);
  }
  return {};
}

std::string_view KindText(LimitKind kind) {
  return kind == LimitKind::kBandwidth ? Say("read bandwidth", "읽기 대역폭")
         : kind == LimitKind::kInt8    ? Say("int8 peak", "int8 최대 연산")
         : kind == LimitKind::kBF16    ? Say("bf16 peak", "bf16 최대 연산")
                                       : Say("f32 peak", "f32 최대 연산");
}

void PrintText(const Report& report) {
  fmt::print("{}: {} MB, {}, {} {}, KV {}, {} {}\n", report.model->name,
             report.model->checkpoint->total_bytes() / 1000000,
             kernels::IsaName(kernels::ActiveIsa()), report.threads, Say("threads", "스레드"),
             DTypeName(report.speed.kv_dtype), Say("depth", "깊이"), report.speed.depth);
  fmt::print(
      fmt::runtime(Say(
          "machine: reads {:.1f} GB/s, {:.0f} int8 GOP/s, {:.0f} bf16 GFLOP/s, {:.0f} f32 "
          "GFLOP/s\n",
          "장비: 읽기 {:.1f} GB/s, int8 {:.0f} GOP/s, bf16 {:.0f} GFLOP/s, f32 {:.0f} GFLOP/s\n")),
      report.limits.read_bytes * 1e-9, report.limits.int8_ops * 1e-9, report.limits.bf16_ops * 1e-9,
      report.limits.f32_ops * 1e-9);
  for (const Figure& figure : report.figures) {
    const std::string what =
        figure.decode
            ? fmt::format(fmt::runtime(Say("decode, {} stream(s)", "생성, 동시 {}개")), figure.size)
            : fmt::format(fmt::runtime(Say("prefill of {} tokens", "입력 {}토큰 처리")),
                          figure.size);
    fmt::print(fmt::runtime(Say("  {:<24} {:>9.1f} tokens/s   {:>3.0f} % of {}\n",
                                "  {:<24} {:>9.1f} 토큰/초   {:>3.0f} % ({} 기준)\n")),
               what, figure.tokens_per_second, 100 * figure.share(), KindText(figure.kind));
  }
}

void PrintJson(const Report& report) {
  boost::json::array results;
  for (const Figure& figure : report.figures) {
    results.push_back({{"name", figure.decode ? "decode" : "prefill"},
                       {figure.decode ? "streams" : "tokens", figure.size},
                       {"tokens_per_second", figure.tokens_per_second},
                       {"limit_tokens_per_second", figure.limit},
                       {"limited_by", LimitName(figure.kind)},
                       {"share_of_limit", figure.share()}});
  }
  const boost::json::object json = {{"model", report.model->name},
                                    {"family", report.model->spec.family},
                                    {"weight_bytes", report.model->checkpoint->total_bytes()},
                                    {"isa", std::string(kernels::IsaName(kernels::ActiveIsa()))},
                                    {"threads", report.threads},
                                    {"kv_dtype", std::string(DTypeName(report.speed.kv_dtype))},
                                    {"depth", report.speed.depth},
                                    {"generated_tokens", report.speed.generate},
                                    {"load_seconds", report.load_seconds},
                                    {"machine",
                                     {{"read_gb_per_second", report.limits.read_bytes * 1e-9},
                                      {"int8_gop_per_second", report.limits.int8_ops * 1e-9},
                                      {"bf16_gflop_per_second", report.limits.bf16_ops * 1e-9},
                                      {"f32_gflop_per_second", report.limits.f32_ops * 1e-9}}},
                                    {"results", std::move(results)}};
  fmt::print("{}\n", boost::json::serialize(json));
}

std::string ToSvg(const Report& report) {
  const std::string_view rate = Say("tokens per second", "초당 토큰");
  const auto chart = [&](bool decode, std::string_view title, std::string_view x_label) {
    measure::ChartSeries measured{std::string(Say("measured", "측정값")), {}};
    measure::ChartSeries limit{std::string(Say("limit of the machine", "장비의 한계")), {}, true};
    for (const Figure& figure : report.figures) {
      if (figure.decode != decode) continue;
      measured.points.emplace_back(figure.size, figure.tokens_per_second);
      limit.points.emplace_back(figure.size, figure.limit);
    }
    return measure::Chart{.title = fmt::format("{}: {}", report.model->name, title),
                          .x_label = std::string(x_label),
                          .y_label = std::string(rate),
                          .log_x = true,
                          .series = {measured, limit}};
  };
  const measure::Chart charts[] = {
      chart(false, Say("prefill", "입력 처리"), Say("tokens of the prompt", "프롬프트 토큰 수")),
      chart(true, Say("decode", "생성"), Say("streams", "동시 스트림 수"))};
  return measure::RenderSvg(charts);
}

}  // namespace

void SpeedBench::AddTo(Settings& settings) {
  engine.AddTo(settings);
  settings.Add("prefill", &prefill,
               {"Lengths of prompts, one figure for each; 0: none",
                "프롬프트 길이. 값마다 한 번씩 측정. 0이면 재지 않음"});
  settings.Add("streams", &streams,
               {"Streams decoded together, one figure for each; 0: none",
                "동시에 생성할 스트림 수. 값마다 한 번씩 측정. 0이면 재지 않음"});
  settings.Add("depth", &depth,
               {"Tokens that are in the KV cache before", "미리 KV 캐시에 들어 있는 토큰 수"}, 0,
               1 << 24);
  settings.Add("generate", &generate,
               {"Tokens generated by each stream", "스트림마다 생성할 토큰 수"}, 1, 1 << 20);
  settings.Add("repeat", &repeat,
               {"Times each figure is taken; the median is shown", "측정 횟수. 중앙값을 보여 줌"},
               1, 1000);
}

Result<> SpeedBench::Run(bool json, const std::string& svg) const {
  if (engine.device != kProcessor) {
    measure::GpuSpeedOptions on_gpu;
    JIKJI_ASSIGN(on_gpu.tokens, ParseCounts(streams, 1 << 16, "--streams"));
    if (depth > 0) on_gpu.context = depth;
    on_gpu.repeat = repeat;
    return BenchGpu(engine, on_gpu, json);
  }
  JIKJI_ASSIGN(const EngineOptions options, engine.Apply());
  Report report;
  JIKJI_ASSIGN(report.figures, PlannedFigures(*this));
  JIKJI_ASSIGN(const auto path, FindModel(engine.model));
  const auto start = std::chrono::steady_clock::now();
  JIKJI_ASSIGN(Model model, LoadModel(path));
  const std::chrono::duration<double> load = std::chrono::steady_clock::now() - start;
  report.model = &model.description;
  report.speed = {
      .depth = depth, .generate = generate, .repeat = repeat, .kv_dtype = options.kv_dtype};
  report.load_seconds = load.count();
  ThreadPool pool(options.threads == 0 ? UsableCores() : options.threads);
  report.threads = pool.size();
  JIKJI_RETURN_IF_ERROR(Measure(*model.decoder, pool, report));
  if (json) {
    PrintJson(report);
  } else {
    PrintText(report);
  }
  return svg.empty() ? Result<>() : WriteFileAtomic(svg, ToSvg(report));
}

}  // namespace jikji
