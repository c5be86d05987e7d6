// GET /metrics: Prometheus text under vLLM's names, labels and buckets, so that the dashboards,
// gateways and autoscalers that read vLLM read this.
#ifndef JIKJI_API_METRICS_H_
#define JIKJI_API_METRICS_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "api/gpu_metrics.h"
#include "engine/engine.h"

namespace jikji {

class Metrics {
 public:
  // `context` bounds the buckets of prompt and output lengths.
  Metrics(std::string model_name, int64_t context);
  ~Metrics();

  // What the engine is to call; it keeps `metrics` alive.
  static Engine::Observer MakeObserver(const std::shared_ptr<Metrics>& metrics);

  // The whole text: what was observed, the engine's state as given, and the GPU's, where there is
  // one.
  std::string Text(const EngineStats& stats, const EngineOptions& options,
                   const GpuMetrics* gpu = nullptr) const;

 private:
  void Finished(const RequestTimes& times, FinishReason reason, int64_t prompt_tokens,
                int64_t output_tokens);

  struct Histograms;
  std::string model_name_;
  std::unique_ptr<Histograms> histograms_;
  std::atomic<int64_t> finished_[4] = {};  // by FinishReason
};

}  // namespace jikji

#endif  // JIKJI_API_METRICS_H_
