// `jikji bench`: prefill and decode tokens per second of a model on this machine.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <numeric>
#include <random>

#include "app/commands.h"
#include "app/console.h"
#include "app/engine_settings.h"
#include "app/model_path.h"
#include "kernels/isa.h"
#include "model/model.h"

namespace jikji {
namespace {

constexpr int32_t kPageTokens = 16;
// Tokens of one prefill step: the engine's own default.
constexpr int32_t kStepTokens = 256;

struct Options {
  EngineSettings engine;
  int64_t prompt = 512;
  int64_t generate = 64;
  int64_t repeat = 3;
  std::vector<std::string> streams = {"1", "4"};
  bool json = false;
};

struct Figure {
  std::string name;  // "prefill" or "decode"
  int64_t streams = 1;
  double tokens_per_second = 0;  // of all streams together; the median of the repeats
};

// A decoder with a cache for some sequences of equal length, and random tokens to feed it.
class Workload {
 public:
  static Result<Workload> Make(Decoder& decoder, int64_t streams, int64_t length, DType kv_dtype) {
    Workload work(decoder);
    const auto pages = static_cast<int32_t>((length + kPageTokens - 1) / kPageTokens);
    JIKJI_ASSIGN(work.cache_, KvCache::Create(decoder.spec(), static_cast<int32_t>(streams) * pages,
                                              kPageTokens, kv_dtype));
    work.tables_.resize(static_cast<size_t>(streams));
    for (size_t s = 0; s < work.tables_.size(); ++s) {
      work.tables_[s].resize(static_cast<size_t>(pages));
      std::iota(work.tables_[s].begin(), work.tables_[s].end(), static_cast<int32_t>(s) * pages);
    }
    return work;
  }

  // Feeds `count` tokens at `start` of sequence 0, in steps, asking for the last logits only.
  void Prefill(int64_t start, int64_t count, ThreadPool& pool) {
    for (int64_t done = 0; done < count;) {
      const auto step = static_cast<int32_t>(std::min<int64_t>(kStepTokens, count - done));
      Step({{.first_row = 0,
             .tokens = step,
             .start = static_cast<int32_t>(start + done),
             .pages = tables_[0]}},
           pool);
      done += step;
    }
  }

  // One token for every sequence at `position`.
  void Decode(int64_t position, ThreadPool& pool) {
    std::vector<kernels::AttentionSlice> slices;
    for (size_t s = 0; s < tables_.size(); ++s) {
      slices.push_back({.first_row = static_cast<int32_t>(s),
                        .tokens = 1,
                        .start = static_cast<int32_t>(position),
                        .pages = tables_[s]});
    }
    Step(slices, pool);
  }

 private:
  explicit Workload(Decoder& decoder) : decoder_(&decoder) {}

  void Step(const std::vector<kernels::AttentionSlice>& slices, ThreadPool& pool) {
    const int32_t rows = slices.back().first_row + slices.back().tokens;
    std::vector<int32_t> tokens(static_cast<size_t>(rows));
    for (int32_t& token : tokens) {
      token = static_cast<int32_t>(random_() % static_cast<uint64_t>(decoder_->spec().vocab));
    }
    std::vector<int32_t> wanted;
    for (const auto& slice : slices) wanted.push_back(slice.first_row + slice.tokens - 1);
    logits_.resize(wanted.size() * static_cast<size_t>(decoder_->spec().vocab));
    decoder_->Forward({.tokens = tokens, .slices = slices, .logit_rows = wanted}, cache_, logits_,
                      pool);
  }

  Decoder* decoder_;
  KvCache cache_;
  std::vector<std::vector<int32_t>> tables_;
  std::vector<float> logits_;
  std::mt19937_64 random_{1};
};

template <class Body>
double MedianRate(int64_t repeat, double tokens, const Body& body) {
  std::vector<double> rates;
  body();  // once to warm caches and fault pages in
  for (int64_t i = 0; i < repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    body();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    rates.push_back(tokens / took.count());
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

Result<std::vector<Figure>> Measure(Decoder& decoder, const Options& options, DType kv_dtype,
                                    const std::vector<int64_t>& streams, ThreadPool& pool) {
  std::vector<Figure> figures;
  Progress progress(std::string(Say("measuring", "측정 중")));
  const double parts = static_cast<double>(streams.size()) + 1;
  JIKJI_ASSIGN(Workload single, Workload::Make(decoder, 1, options.prompt, kv_dtype));
  figures.push_back({"prefill", 1,
                     MedianRate(options.repeat, static_cast<double>(options.prompt),
                                [&] { single.Prefill(0, options.prompt, pool); })});
  for (const int64_t count : streams) {
    progress.Show(static_cast<double>(figures.size()) / parts);
    JIKJI_ASSIGN(Workload work,
                 Workload::Make(decoder, count, options.prompt + options.generate, kv_dtype));
    const double tokens = static_cast<double>(count * options.generate);
    figures.push_back({"decode", count, MedianRate(options.repeat, tokens, [&] {
                         for (int64_t i = 0; i < options.generate; ++i) {
                           work.Decode(options.prompt + i, pool);
                         }
                       })});
  }
  return figures;
}

void PrintText(const ModelDescription& model, const std::vector<Figure>& figures,
               const Options& options, size_t threads) {
  fmt::print("{}: {} MB, {}, {} {}\n", model.name, model.checkpoint->total_bytes() / 1000000,
             kernels::IsaName(kernels::ActiveIsa()), threads, Say("threads", "스레드"));
  for (const Figure& figure : figures) {
    const std::string what =
        figure.name == "prefill"
            ? fmt::format(fmt::runtime(Say("prefill of {} tokens", "입력 {}토큰 처리")),
                          options.prompt)
            : fmt::format(fmt::runtime(Say("decode at {} tokens, {} stream(s)",
                                           "{}토큰 뒤 생성, 동시 {}개")),
                          options.prompt, figure.streams);
    fmt::print("  {:<36} {:>10.1f} tokens/s\n", what, figure.tokens_per_second);
  }
}

void PrintJson(const ModelDescription& model, const std::vector<Figure>& figures,
               const Options& options, size_t threads, double load_seconds) {
  boost::json::array results;
  for (const Figure& figure : figures) {
    results.push_back({{"name", figure.name},
                       {"streams", figure.streams},
                       {"tokens_per_second", figure.tokens_per_second}});
  }
  const boost::json::object report = {{"model", model.name},
                                      {"family", model.spec.family},
                                      {"weight_bytes", model.checkpoint->total_bytes()},
                                      {"isa", std::string(kernels::IsaName(kernels::ActiveIsa()))},
                                      {"threads", threads},
                                      {"prompt_tokens", options.prompt},
                                      {"generated_tokens", options.generate},
                                      {"load_seconds", load_seconds},
                                      {"results", std::move(results)}};
  fmt::print("{}\n", boost::json::serialize(report));
}

Result<> Bench(const Options& options) {
  JIKJI_ASSIGN(const EngineOptions engine, options.engine.Apply());
  std::vector<int64_t> streams;
  for (const std::string& text : options.streams) {
    const int64_t count = std::atoll(text.c_str());
    if (count < 1 || count > 1024) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("`{}` is not a number of streams from 1 to 1024", text), "--streams");
    }
    streams.push_back(count);
  }
  JIKJI_ASSIGN(const auto path, FindModel(options.engine.model));
  const auto start = std::chrono::steady_clock::now();
  JIKJI_ASSIGN(Model model, LoadModel(path));
  const std::chrono::duration<double> load = std::chrono::steady_clock::now() - start;
  const int64_t longest = options.prompt + options.generate;
  if (longest > model.description.spec.max_position) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} tokens do not fit the model's context of {}; lower --prompt or "
                            "--generate",
                            longest, model.description.spec.max_position));
  }
  ThreadPool pool(engine.threads == 0 ? UsableCores() : engine.threads);
  JIKJI_ASSIGN(const auto figures,
               Measure(*model.decoder, options, engine.kv_dtype, streams, pool));
  if (options.json) {
    PrintJson(model.description, figures, options, pool.size(), load.count());
  } else {
    PrintText(model.description, figures, options, pool.size());
  }
  return {};
}

}  // namespace

void AddBenchCommand(CLI::App& program, int* status) {
  CLI::App* command = program.add_subcommand(
      "bench",
      std::string(Say("Measure prefill and decode speed", "입력 처리와 생성 속도를 잽니다")));
  struct State {
    Options options;
    Settings settings;
  };
  auto state = std::make_shared<State>();
  Options& options = state->options;
  options.engine.AddTo(state->settings);
  state->settings.Add("prompt", &options.prompt, "Tokens of the prompt", 1, 1 << 20);
  state->settings.Add("generate", &options.generate, "Tokens generated by each stream", 1, 1 << 20);
  state->settings.Add("repeat", &options.repeat, "Times each figure is taken; the median is shown",
                      1, 1000);
  state->settings.Add("streams", &options.streams, "Streams decoded together, one figure for each");
  state->settings.Add("json", &options.json, "Print JSON");
  state->settings.AddFlags(*command);
  command->callback([state, status] {
    auto done = state->settings.Resolve([](const char* name) { return std::getenv(name); });
    if (done) done = Bench(state->options);
    if (!done) *status = ReportError(done.error());
  });
}

}  // namespace jikji
