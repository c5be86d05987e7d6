// `jikji simulate`: a site served request by request, or over years by its mean.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <utility>

#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/fleet_data.h"
#include "app/simulate_checkpoint.h"
#include "app/simulate_compare.h"
#include "app/simulate_report.h"
#include "app/simulate_validate.h"
#include "base/file.h"
#include "twin/archive.h"
#include "twin/engines.h"
#include "twin/simulation.h"

namespace jikji {
namespace {

constexpr std::string_view kBuiltInEvents = "week";

struct Options {
  std::string site, chips, tariff, engines;
  std::string chip = "H200";
  std::string model = "gpt-oss-120b";
  int64_t nodes = 100;
  int64_t spares = 0;
  int64_t feeds = 4, loops = 4;
  double rate = 100;
  double hours = 1;
  std::string trace;
  bool replay = false;
  int64_t block_tokens = twin::kBlockTokens;
  std::string servegen_traces, servegen_lengths;
  std::string servegen_group = "language/m-mid";
  std::string policy = "bounded";
  double megawatts = 0;
  bool uncontrolled = false;
  bool compare = false;
  std::string events;
  double failures = 0.173;
  double batch_hours = 12;
  double ttft = 2, tpot = 0.05;
  int64_t cache_blocks = -1;
  int64_t seed = 1;
  bool mean_field = false;
  double step = 10;
  bool validate = false;
  std::string validate_points, validate_power;
  std::string html;
  bool json = false;
  std::string checkpoint;
  int64_t checkpoint_minutes = 10;

  void AddTo(Settings& settings) {
    AddSite(settings);
    settings.Add("html", &html,
                 {"Write a page with plots to this file", "그림이 있는 페이지를 이 파일에 씀"});
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
    settings.Add(
        "checkpoint", &checkpoint,
        {"Save the state in this file now and then and when stopped; the same command goes "
         "on from it",
         "상태를 가끔, 그리고 멈출 때 이 파일에 저장. 같은 명령으로 이어짐"});
    settings.Add("checkpoint-minutes", &checkpoint_minutes,
                 {"Minutes from one save to the next", "저장 간격(분)"}, 1, 1440);
  }

  // All that a report depends on.
  void AddSite(Settings& settings) {
    settings.Add("nodes", &nodes, {"Nodes, each of one engine", "노드 수. 노드 하나에 엔진 하나"},
                 1, 1 << 20);
    settings.Add("spares", &spares, {"Of them, kept to replace others", "그 가운데 예비 노드"}, 0,
                 1 << 20);
    settings.Add("chip", &chip,
                 {"H200 or B200, or one of --engines", "칩: H200, B200 또는 --engines의 것"});
    settings.Add("model", &model, {"Model, as in the engines", "엔진 자료에 있는 모델"});
    settings.Add("rate", &rate, {"Requests per second, mean of a day", "초당 요청 수(하루 평균)"},
                 1e-6, 1e9);
    settings.Add("hours", &hours, {"How long", "시뮬레이션할 시간"}, 1e-4, 1e6);
    settings.Add("trace", &trace,
                 {"Recorded requests (Azure .csv, Mooncake .jsonl, either .zst): their lengths",
                  "기록된 요청 파일(Azure .csv, Mooncake .jsonl, .zst 가능): 길이를 씀"});
    settings.Add("replay", &replay,
                 {"Send the trace itself, in as many copies as the rate asks for",
                  "트레이스를 그대로, 요청 수에 맞는 벌수로 보냄"});
    settings.Add("block-tokens", &block_tokens,
                 {"Prompt tokens of a block of the replayed trace",
                  "재생하는 트레이스의 블록 하나가 뜻하는 프롬프트 토큰 수"},
                 1, 1 << 20);
    settings.Add("servegen-traces", &servegen_traces,
                 {"ServeGen archive of rates (.tar.zst)", "ServeGen 요청률 묶음(.tar.zst)"});
    settings.Add("servegen-lengths", &servegen_lengths,
                 {"ServeGen archive of lengths (.tar.zst)", "ServeGen 길이 묶음(.tar.zst)"});
    settings.Add("servegen-group", &servegen_group, {"Group of clients in it", "그 안의 묶음"});
    settings.AddChoice(
        "policy", &policy, {"How requests are routed", "라우팅 정책"},
        {"bounded", "round-robin", "least-requests", "prefix-affinity", "llm-d", "dynamo"});
    settings.Add("megawatts", &megawatts,
                 {"Envelope at the meter; 0: all that racks may draw",
                  "계량기 기준 한도(MW). 0이면 랙이 쓸 수 있는 전부"},
                 0, 1e6);
    settings.Add("uncontrolled", &uncontrolled,
                 {"Manage no power, to compare", "비교를 위해 전력을 관리하지 않음"});
    settings.Add("compare", &compare,
                 {"Run the same site a second time, unmanaged, and tell the difference",
                  "같은 사이트를 관리 없이 한 번 더 돌려 차이를 알림"});
    settings.Add("events", &events,
                 {"TOML file of what happens to the site, or `week` for the built-in one",
                  "사이트에 일어나는 일을 적은 TOML 파일. `week`는 내장된 것"});
    settings.Add("failures", &failures, {"Of a GPU, in a year", "GPU 하나의 연간 고장 수"}, 0, 1e6);
    settings.Add("batch-hours", &batch_hours,
                 {"Hours of a day in which batch runs, the cheapest",
                  "배치가 도는 하루 시간 수(가장 싼 시간)"},
                 0, 24);
    settings.Add("ttft", &ttft, {"Promised time to the first token, s", "약속한 첫 토큰 시간(초)"},
                 0, 1e6);
    settings.Add("tpot", &tpot, {"Promised time per output token, s", "약속한 토큰당 시간(초)"}, 0,
                 1e6);
    settings.Add("cache-blocks", &cache_blocks,
                 {"Blocks of --block-tokens that a node caches; -1: what its KV cache holds",
                  "노드가 캐시하는 블록 수(블록은 --block-tokens). -1이면 KV 캐시만큼"},
                 -1, 1 << 24);
    settings.Add("feeds", &feeds, {"Power feeds", "전력 피드 수"}, 1, 1000);
    settings.Add("loops", &loops, {"Cooling loops", "냉각 루프 수"}, 1, 1000);
    settings.Add("seed", &seed, {"The same seed gives the same run", "같은 시드는 같은 결과"}, 0,
                 int64_t{1} << 62);
    settings.Add("mean-field", &mean_field,
                 {"By steady states, for months and years", "정상 상태로 계산(몇 달, 몇 해)"});
    settings.Add("step", &step, {"Seconds of a step of control", "제어 스텝(초)"}, 0.1, 3600);
    settings.Add("site", &site,
                 {"TOML file of a site: its tariff and day", "사이트 TOML: 요금제와 하루 모양"});
    settings.Add("chips", &chips, {"TOML file of chips", "칩 TOML 파일"});
    settings.Add("tariff", &tariff, {"TOML file of tariffs", "요금표 TOML 파일"});
    settings.Add("engines", &engines, {"TOML file of engines", "엔진 TOML 파일"});
    settings.Add("validate", &validate,
                 {"Compare the models with measurements instead", "시뮬레이션 대신 측정값과 비교"});
    settings.Add(
        "validate-points", &validate_points,
        {"File of measured serving points (InferenceX CSV)", "측정된 서빙 자료(InferenceX CSV)"});
    settings.Add(
        "validate-power", &validate_power,
        {"Folder of measured watts (*_perf.csv.zst)", "측정된 전력 자료 폴더(*_perf.csv.zst)"});
  }
};

struct Prepared {
  twin::SiteModel model;
  std::vector<double> shape;
};

Result<Prepared> Prepare(const Options& options) {
  JIKJI_ASSIGN(const FleetInput input, ReadFleetInput(options.site, options.chips, options.tariff));
  JIKJI_ASSIGN(const DataText text, ReadFleetData(options.engines, "engines.toml"));
  JIKJI_ASSIGN(const auto engines, twin::ReadEngines(text.text, text.where));
  JIKJI_ASSIGN(const twin::NamedEngine engine,
               twin::FindEngine(engines, options.model, options.chip));
  JIKJI_ASSIGN(const fleet::Chip* chip, fleet::FindChip(input.catalog, options.chip));
  Prepared prepared;
  prepared.shape = input.site.hours;
  twin::SiteModel& model = prepared.model;
  model.nodes = static_cast<int32_t>(options.nodes);
  model.spare_nodes = static_cast<int32_t>(options.spares);
  model.feeds = static_cast<int32_t>(options.feeds);
  model.loops = static_cast<int32_t>(options.loops);
  model.gpus_per_node = engine.gpus;
  model.nodes_per_rack = std::max(1, chip->gpus_per_rack / engine.gpus);
  model.gpu = {.idle_w = chip->idle_watts,
               .floor_w = chip->floor_watts,
               .decode_w = chip->decode_watts,
               .prefill_w = chip->prefill_watts,
               .limit_w = chip->limit_watts};
  model.rack_limit_w = chip->rack_watts;
  model.other_w =
      (chip->rack_watts - chip->gpus_per_rack * chip->limit_watts) / model.nodes_per_rack;
  model.engine = engine.engine;
  model.cache_blocks = static_cast<size_t>(options.cache_blocks >= 0
                                               ? options.cache_blocks
                                               : engine.engine.kv_tokens / options.block_tokens);
  model.route.block_tokens = static_cast<int32_t>(options.block_tokens);
  model.megawatts = options.megawatts;
  model.pue = input.site.pue;
  model.controlled = !options.uncontrolled;
  model.batch_hours = options.batch_hours;
  model.failures_per_gpu_year = options.failures;
  model.tariff = input.tariff;
  JIKJI_ASSIGN(model.route.policy, fleet::ParseRoutePolicy(options.policy));
  if (!options.events.empty()) {
    JIKJI_ASSIGN(
        const DataText events,
        ReadFleetData(options.events == kBuiltInEvents ? "" : options.events, "week.toml"));
    JIKJI_ASSIGN(model.events, twin::ReadSiteEvents(events.text, events.where));
  }
  return prepared;
}

Result<std::unique_ptr<twin::Workload>> MakeWorkload(const Options& options,
                                                     const std::vector<double>& shape) {
  const double seconds = options.hours * 3600;
  const auto seed = static_cast<uint64_t>(options.seed);
  twin::SyntheticOptions synthetic;
  synthetic.requests_per_second = options.rate;
  synthetic.seconds = seconds;
  synthetic.shape = shape;
  synthetic.seed = seed;
  twin::Lengths lengths = twin::TypicalLengths();
  if (!options.servegen_traces.empty()) {
    JIKJI_ASSIGN(const std::string rates, twin::ReadData(options.servegen_traces));
    JIKJI_ASSIGN(const std::string tables, twin::ReadData(options.servegen_lengths));
    JIKJI_ASSIGN(twin::ServeGen servegen, twin::ParseServeGen(rates, tables, options.servegen_group,
                                                              options.servegen_traces));
    lengths = {std::move(servegen.prompts), std::move(servegen.outputs)};
    // Its first day, as the shape of every day.
    const auto steps =
        std::min<size_t>(servegen.rates.size(), static_cast<size_t>(86400 / servegen.step_s));
    servegen.rates.resize(steps);
    const double mean = std::accumulate(servegen.rates.begin(), servegen.rates.end(), 0.0) /
                        static_cast<double>(steps);
    if (!(mean > 0)) {
      return Fail(ErrorCode::kInvalidArgument, "has no request on its first day",
                  options.servegen_group);
    }
    for (double& rate : servegen.rates) rate /= mean;
    synthetic.shape = servegen.rates;
  }
  if (!options.trace.empty()) {
    JIKJI_ASSIGN(twin::Trace trace, twin::ReadTrace(options.trace));
    if (options.replay) {
      const double own = static_cast<double>(trace.requests.size()) / trace.seconds;
      const auto copies = static_cast<int32_t>(std::round(options.rate / own));
      if (copies < 1) {
        return Fail(ErrorCode::kInvalidArgument,
                    fmt::format("the trace itself has {:.3g} requests/s: --replay sends it once at "
                                "least; raise --rate, or leave --replay out",
                                own),
                    "--rate");
      }
      return twin::Replay(std::move(trace), {.copies = copies, .seconds = seconds, .seed = seed});
    }
    lengths = twin::LengthsOf(trace);
  } else if (options.replay) {
    return Fail(ErrorCode::kInvalidArgument, "--replay needs --trace", "--replay");
  }
  if (options.block_tokens != twin::kBlockTokens) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("drawn requests have blocks of {} tokens; others need --replay",
                            twin::kBlockTokens),
                "--block-tokens");
  }
  synthetic.prompts = std::move(lengths.prompts);
  synthetic.outputs = std::move(lengths.outputs);
  return twin::Synthetic(std::move(synthetic));
}

class Stopwatch {
 public:
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

SimulationRun Describe(const Options& options, const twin::SiteModel& model, double seconds) {
  return {fmt::format(fmt::runtime(Say("{} nodes of {} {} with {}, {} requests/s, {} h, {}",
                                       "{}개 노드({}× {}), {}, 초당 {}건, {}시간, {}")),
                      model.nodes, model.gpus_per_node, options.chip, options.model, options.rate,
                      options.hours, options.policy),
          seconds};
}

Result<> MeanField(const Options& options, const Prepared& prepared) {
  const Stopwatch watch;
  Progress progress(std::string(Say("simulating", "시뮬레이션")));
  JIKJI_ASSIGN(const twin::MeanFieldReport report,
               twin::SimulateMeanField(prepared.model,
                                       {.seconds = options.hours * 3600,
                                        .step_s = options.step,
                                        .requests_per_second = options.rate,
                                        .shape = prepared.shape},
                                       [&](double share) { progress.Show(share); }));
  const SimulationRun run = Describe(options, prepared.model, watch.Seconds());
  if (!options.html.empty()) {
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(options.html, MeanFieldPage(report, run)));
  }
  fmt::print("{}", options.json ? boost::json::serialize(MeanFieldJson(report, run)) + "\n"
                                : MeanFieldText(report, run));
  return {};
}

Result<std::unique_ptr<SimulationCheckpoints>> OpenCheckpoints(Options options) {
  if (options.checkpoint.empty()) return nullptr;
  if (options.compare || options.mean_field) {
    return Fail(ErrorCode::kInvalidArgument, "goes with neither --compare nor --mean-field",
                "--checkpoint");
  }
  Settings settings;
  options.AddSite(settings);
  const std::string files[] = {options.site,
                               options.chips,
                               options.tariff,
                               options.engines,
                               options.events == kBuiltInEvents ? "" : options.events,
                               options.trace,
                               options.servegen_traces,
                               options.servegen_lengths};
  return SimulationCheckpoints::Open(options.checkpoint,
                                     std::chrono::minutes(options.checkpoint_minutes),
                                     settings.Values(), files);
}

Result<twin::SiteReport> Simulated(const Options& options, const twin::SiteModel& model,
                                   const std::vector<double>& shape,
                                   const twin::StateKeeping* keeping = nullptr) {
  JIKJI_ASSIGN(const std::unique_ptr<twin::Workload> workload, MakeWorkload(options, shape));
  Progress progress(std::string(Say("simulating", "시뮬레이션")));
  return twin::Simulate(
      model, *workload,
      {.seconds = options.hours * 3600,
       .control_s = options.step,
       .seed = static_cast<uint64_t>(options.seed),
       .promise = {options.ttft, options.tpot}},
      [&](double share) { progress.Show(share); }, keeping);
}

// What would be passed over, or be noticed only when hours of computing are done.
Result<> CheckTogether(const Options& options) {
  const auto alone = [](const char* setting, std::string_view english, std::string_view korean) {
    return Fail(ErrorCode::kInvalidArgument, std::string(Say(english, korean)), setting);
  };
  if (options.mean_field) {
    if (options.compare || options.replay || !options.trace.empty() ||
        !options.servegen_traces.empty()) {
      return alone("--mean-field",
                   "goes with none of --compare, --trace, --replay and --servegen-traces: steady "
                   "states know a rate and no requests",
                   "--compare, --trace, --replay, --servegen-traces와 함께 쓸 수 없습니다. 정상 "
                   "상태 계산은 요청이 아니라 요청률만 압니다");
    }
  }
  if (options.compare && options.uncontrolled) {
    return alone("--compare", "compares with the unmanaged site: leave --uncontrolled out",
                 "관리하지 않는 사이트와 비교하므로 --uncontrolled를 빼세요");
  }
  if (options.servegen_traces.empty() != options.servegen_lengths.empty()) {
    return alone("--servegen-traces", "goes with --servegen-lengths, and the other way round",
                 "--servegen-lengths와 함께 주어야 합니다");
  }
  for (const auto& [setting, path] :
       {std::pair("--html", &options.html), std::pair("--checkpoint", &options.checkpoint)}) {
    if (path->empty()) continue;
    const std::filesystem::path file = *path;
    const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) {
      return Fail(ErrorCode::kNotFound,
                  std::string(Say("there is no such folder", "그런 폴더가 없습니다")),
                  fmt::format("{}: {}", setting, folder.string()));
    }
    if (std::filesystem::is_directory(file, ignored)) {
      return Fail(ErrorCode::kInvalidArgument,
                  std::string(Say("is a folder; name a file", "폴더입니다. 파일 이름을 주세요")),
                  fmt::format("{}: {}", setting, *path));
    }
  }
  return {};
}

Result<> Run(Options& options) {
  if (options.validate) {
    return ValidateTwin(options.validate_points, options.validate_power, options.json);
  }
  JIKJI_RETURN_IF_ERROR(CheckTogether(options));
  JIKJI_ASSIGN(const Prepared prepared, Prepare(options));
  if (options.mean_field && options.checkpoint.empty()) return MeanField(options, prepared);
  JIKJI_ASSIGN(const auto checkpoints, OpenCheckpoints(options));
  const Stopwatch watch;
  JIKJI_ASSIGN(const twin::SiteReport report,
               Simulated(options, prepared.model, prepared.shape,
                         checkpoints ? &checkpoints->keeping() : nullptr));
  if (checkpoints) JIKJI_RETURN_IF_ERROR(checkpoints->End());
  const SimulationRun run = Describe(options, prepared.model, watch.Seconds());
  if (!options.html.empty()) {
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(options.html, SimulationPage(report, run)));
  }
  boost::json::object json = SimulationJson(report, run);
  std::string text = SimulationText(report, run);
  if (options.compare) {
    twin::SiteModel unmanaged = prepared.model;
    unmanaged.controlled = false;
    JIKJI_ASSIGN(const twin::SiteReport other, Simulated(options, unmanaged, prepared.shape));
    json["comparison"] = ComparisonJson(report, other);
    text += ComparisonText(report, other);
  }
  fmt::print("{}", options.json ? boost::json::serialize(json) + "\n" : text);
  return {};
}

}  // namespace

void AddSimulateCommand(Program& program) {
  program.Add("simulate",
              Say("Simulate a site: requests, caches, failures, power and the bill",
                  "사이트를 시뮬레이션합니다: 요청, 캐시, 고장, 전력, 전기료"),
              &Run);
}

}  // namespace jikji
