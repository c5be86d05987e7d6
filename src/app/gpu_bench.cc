#include "app/gpu_bench.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <memory>
#include <string>

#include "app/console.h"
#include "app/device_model.h"
#include "app/model_path.h"
#include "model/model.h"

namespace jikji {

Result<> BenchGpu(const EngineSettings& settings, const measure::GpuSpeedOptions& options,
                  bool json) {
  DecoderSpec spec = measure::EightBillion();
  std::string model = "8B";
  if (!settings.model.empty()) {
    JIKJI_ASSIGN(const auto path, FindModel(settings.model));
    JIKJI_ASSIGN(const ModelDescription description, DescribeModel(path));
    spec = description.spec;
    model = description.name;
  }
  if (settings.tensor_parallel != 1) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("kernels are measured on one GPU: leave --tensor-parallel out",
                                "커널은 GPU 하나에서 잽니다. --tensor-parallel 없이 실행하세요")));
  }
  JIKJI_ASSIGN(const GpuGroup devices, OpenOneCopy(settings.device, 1));
  const auto& device = devices.front();
  JIKJI_ASSIGN(const measure::GpuSpeed speed, measure::MeasureGpu(*device, spec, options));
  const device::Properties& properties = device->properties();
  const double rate = speed.copy_bytes_per_second;
  boost::json::array results;
  if (!json) {
    fmt::print(fmt::runtime(Say("{} (CUDA {}), shapes of {}: copies {:.0f} GB/s\n",
                                "{} (CUDA {}), {} 모양: 복사 {:.0f} GB/s\n")),
               properties.name, properties.driver, model, rate * 1e-9);
  }
  for (const measure::GpuFigure& figure : speed.figures) {
    const double floor = figure.bytes / rate;
    results.push_back({{"what", figure.what},
                       {"bytes", figure.bytes},
                       {"operations", figure.operations},
                       {"microseconds", figure.seconds * 1e6},
                       {"floor_microseconds", floor * 1e6},
                       {"share_of_bandwidth", floor / figure.seconds},
                       {"teraflops", figure.operations / figure.seconds * 1e-12}});
    if (json) continue;
    fmt::print(
        fmt::runtime(Say("  {:<44} {:>10.1f} µs   {:>3.0f} % of bandwidth   {:>6.1f} TFLOP/s\n",
                         "  {:<44} {:>10.1f} µs   대역폭의 {:>3.0f} %   {:>6.1f} TFLOP/s\n")),
        figure.what, figure.seconds * 1e6, 100 * floor / figure.seconds,
        figure.operations / figure.seconds * 1e-12);
  }
  if (json) {
    fmt::print("{}\n",
               boost::json::serialize(boost::json::object{{"device", properties.name},
                                                          {"cuda", properties.driver},
                                                          {"model", model},
                                                          {"copy_gb_per_second", rate * 1e-9},
                                                          {"results", std::move(results)}}));
  }
  return {};
}

}  // namespace jikji
