#include "api/metrics.h"

#include <prometheus/histogram.h>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <iterator>
#include <numeric>
#include <sstream>
#include <utility>
#include <vector>

namespace jikji {
namespace {

using prometheus::ClientMetric;
using prometheus::Histogram;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

// vLLM's buckets; dashboards compute quantiles over several servers from the same bounds.
const Histogram::BucketBoundaries kFirstTokenSeconds = {.001, .005, .01, .02, .04, .06, .08, .1,
                                                        .25,  .5,   .75, 1,   2.5, 5,   7.5, 10,
                                                        20,   40,   80,  160, 640, 2560};
const Histogram::BucketBoundaries kInterTokenSeconds = {
    .01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80};
const Histogram::BucketBoundaries kRequestSeconds = {
    .3, .5, .8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680};
const Histogram::BucketBoundaries kStepTokens = {1,   8,    16,   32,   64,   128,  256,
                                                 512, 1024, 2048, 4096, 8192, 16384};

// 1, 2, 5, 10, 20, 50 ... up to `most`.
Histogram::BucketBoundaries LengthBuckets(int64_t most) {
  Histogram::BucketBoundaries buckets;
  for (int64_t decade = 1; decade <= most && decade < 1'000'000'000'000; decade *= 10) {
    for (const int64_t step : {1, 2, 5}) {
      if (decade * step <= most) buckets.push_back(static_cast<double>(decade * step));
    }
  }
  if (buckets.empty()) buckets.push_back(1);
  return buckets;
}

double Seconds(std::chrono::steady_clock::time_point from,
               std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

MetricFamily Family(const char* name, const char* help, MetricType type) {
  return {.name = name, .help = help, .type = type, .metric = {}};
}

MetricFamily Gauge(const char* name, const char* help, const Labels& labels, double value) {
  MetricFamily family = Family(name, help, MetricType::Gauge);
  family.metric.emplace_back().label = labels;
  family.metric.back().gauge.value = value;
  return family;
}

MetricFamily Counter(const char* name, const char* help, const Labels& labels, int64_t value) {
  MetricFamily family = Family(name, help, MetricType::Counter);
  family.metric.emplace_back().label = labels;
  family.metric.back().counter.value = static_cast<double>(value);
  return family;
}

constexpr const char* kFinishedReasons[] = {"stop", "length", "abort", "error"};

}  // namespace

struct Metrics::Histograms {
  explicit Histograms(int64_t context)
      : prompt_tokens(LengthBuckets(context)), output_tokens(LengthBuckets(context)) {}

  Histogram end_to_end{kRequestSeconds};
  Histogram first_token{kFirstTokenSeconds};
  Histogram inter_token{kInterTokenSeconds};
  Histogram queue{kRequestSeconds};
  Histogram inference{kRequestSeconds};
  Histogram prefill{kRequestSeconds};
  Histogram decode{kRequestSeconds};
  Histogram prompt_tokens;
  Histogram output_tokens;
  Histogram step_tokens{kStepTokens};
};

Metrics::Metrics(std::string model_name, int64_t context)
    : model_name_(std::move(model_name)), histograms_(std::make_unique<Histograms>(context)) {}

Metrics::~Metrics() = default;

Engine::Observer Metrics::MakeObserver(const std::shared_ptr<Metrics>& metrics) {
  return {
      .step =
          [metrics](int64_t tokens) {
            metrics->histograms_->step_tokens.Observe(static_cast<double>(tokens));
          },
      .finished =
          [metrics](const RequestTimes& times, FinishReason reason, int64_t prompt_tokens,
                    int64_t output_tokens) {
            metrics->Finished(times, reason, prompt_tokens, output_tokens);
          },
      .inter_token =
          [metrics](double seconds) { metrics->histograms_->inter_token.Observe(seconds); },
      .first_token =
          [metrics](double seconds) { metrics->histograms_->first_token.Observe(seconds); },
  };
}

void Metrics::Finished(const RequestTimes& times, FinishReason reason, int64_t prompt_tokens,
                       int64_t output_tokens) {
  ++finished_[static_cast<size_t>(reason)];
  Histograms& seen = *histograms_;
  seen.prompt_tokens.Observe(static_cast<double>(prompt_tokens));
  seen.output_tokens.Observe(static_cast<double>(output_tokens));
  seen.end_to_end.Observe(Seconds(times.arrived, times.finished));
  // A request that was cancelled early has not come to every stage.
  if (times.started < times.arrived) return;
  seen.queue.Observe(Seconds(times.arrived, times.started));
  seen.inference.Observe(Seconds(times.started, times.finished));
  if (times.first_token < times.started) return;
  seen.prefill.Observe(Seconds(times.started, times.first_token));
  seen.decode.Observe(Seconds(times.first_token, times.finished));
}

std::string Metrics::Text(const EngineStats& stats, const EngineOptions& options,
                          const GpuMetrics* gpu) const {
  const Labels labels = {{"model_name", model_name_}, {"engine", "0"}};
  std::vector<MetricFamily> families;
  families.push_back(Gauge("vllm:num_requests_running", "Requests in the running batch.", labels,
                           static_cast<double>(stats.running)));
  families.push_back(Gauge("vllm:num_requests_waiting", "Requests waiting to be started.", labels,
                           static_cast<double>(stats.waiting)));
  const double used = stats.pages_total > 0 ? static_cast<double>(stats.pages_used) /
                                                  static_cast<double>(stats.pages_total)
                                            : 0.0;
  families.push_back(
      Gauge("vllm:kv_cache_usage_perc", "Share of the KV cache in use, 0 to 1.", labels, used));
  Labels shape = labels;
  shape.push_back({"block_size", std::to_string(options.page_tokens)});
  shape.push_back({"num_gpu_blocks", std::to_string(stats.pages_total)});
  families.push_back(
      Gauge("vllm:cache_config_info", "Tokens of a page of the KV cache, and pages.", shape, 1));
  families.push_back(
      Counter("vllm:prompt_tokens_total", "Prompt tokens read.", labels, stats.prompt_tokens));
  families.push_back(Counter("vllm:generation_tokens_total", "Tokens generated.", labels,
                             stats.generation_tokens));
  families.push_back(
      Counter("jikji:steps_total", "Steps that were computed.", labels, stats.steps));
  families.push_back(Counter("jikji:steps_planned_ahead_total",
                             "Steps that were planned while the one before them was computed.",
                             labels, stats.steps_ahead));
  families.push_back(Counter("vllm:num_preemptions_total", "Requests put back to the queue.",
                             labels, stats.preemptions));
  families.push_back(Counter("vllm:prefix_cache_queries_total",
                             "Prompt tokens looked up in the prefix cache.", labels,
                             stats.prefix_queries));
  families.push_back(Counter("vllm:prefix_cache_hits_total",
                             "Prompt tokens found in the prefix cache.", labels,
                             stats.prefix_hits));
  families.push_back(Counter("vllm:spec_decode_num_draft_tokens_total",
                             "Drafted tokens that were checked.", labels, stats.draft_tokens));
  families.push_back(Counter("vllm:spec_decode_num_accepted_tokens_total",
                             "Drafted tokens that were right.", labels, stats.accepted_tokens));
  MetricFamily finished =
      Family("vllm:request_success_total", "Requests ended, by their reason.", MetricType::Counter);
  for (size_t reason = 0; reason < std::size(kFinishedReasons); ++reason) {
    ClientMetric& metric = finished.metric.emplace_back();
    metric.label = labels;
    metric.label.push_back({"finished_reason", kFinishedReasons[reason]});
    metric.counter.value = static_cast<double>(finished_[reason]);
  }
  families.push_back(std::move(finished));
  if (gpu != nullptr) {
    gpu->AddTo(families, std::accumulate(std::begin(finished_), std::end(finished_), int64_t{0}));
  }

  const auto add = [&](const char* name, const char* help, const Histogram& histogram) {
    MetricFamily family = Family(name, help, MetricType::Histogram);
    family.metric.push_back(histogram.Collect());
    family.metric.back().label = labels;
    families.push_back(std::move(family));
  };
  const Histograms& seen = *histograms_;
  add("vllm:e2e_request_latency_seconds", "From arrival to the last token.", seen.end_to_end);
  add("vllm:time_to_first_token_seconds", "From arrival to the first token.", seen.first_token);
  add("vllm:inter_token_latency_seconds", "From one token to the next.", seen.inter_token);
  add("vllm:time_per_output_token_seconds", "From one token to the next.", seen.inter_token);
  add("vllm:request_queue_time_seconds", "From arrival to the start.", seen.queue);
  add("vllm:request_inference_time_seconds", "From the start to the last token.", seen.inference);
  add("vllm:request_prefill_time_seconds", "From the start to the first token.", seen.prefill);
  add("vllm:request_decode_time_seconds", "From the first token to the last.", seen.decode);
  add("vllm:request_prompt_tokens", "Prompt tokens of a request.", seen.prompt_tokens);
  add("vllm:request_generation_tokens", "Tokens generated for a request.", seen.output_tokens);
  add("vllm:iteration_tokens_total", "Tokens of one step of the engine.", seen.step_tokens);

  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return std::move(out).str();
}

}  // namespace jikji
