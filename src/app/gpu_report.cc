#include "app/gpu_report.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "app/console.h"
#include "app/text_table.h"
#include "measure/gpu_monitor.h"

namespace jikji {
namespace {

using measure::GpuInfo;
using measure::GpuMonitor;
using measure::GpuReading;

// null where the GPU does not tell.
template <class T>
boost::json::value Known(const std::optional<T>& value) {
  return value ? boost::json::value(*value) : boost::json::value();
}

boost::json::object Report(const GpuInfo& gpu, const Result<GpuReading>& reading) {
  boost::json::object out = {{"name", gpu.name},
                             {"uuid", gpu.uuid},
                             {"compute_capability", fmt::format("{}.{}", gpu.major, gpu.minor)},
                             {"memory_bytes", Known(gpu.memory_bytes)},
                             {"limit_watts", Known(gpu.limit_watts)},
                             {"max_sm_mhz", Known(gpu.max_sm_mhz)},
                             {"max_memory_mhz", Known(gpu.max_memory_mhz)}};
  if (!reading) {
    out["error"] = reading.error().ToString();
    return out;
  }
  out["used_bytes"] = Known(reading->used_bytes);
  out["watts"] = Known(reading->watts);
  out["joules"] = Known(reading->joules);
  out["sm_mhz"] = Known(reading->sm_mhz);
  out["memory_mhz"] = Known(reading->memory_mhz);
  out["celsius"] = Known(reading->celsius);
  out["uncorrected_errors"] = Known(reading->uncorrected_errors);
  return out;
}

// "123 / 700 W", with a dash for what the GPU does not tell.
template <class A, class B>
std::string OutOf(const std::optional<A>& value, const std::optional<B>& most, double unit,
                  std::string_view name) {
  const auto text = [&](const auto& part) {
    return part ? fmt::format("{:.0f}", static_cast<double>(*part) / unit) : std::string("-");
  };
  return fmt::format("{} / {} {}", text(value), text(most), name);
}

void Print(size_t index, const GpuInfo& gpu, const Result<GpuReading>& reading) {
  const auto row = [](std::string_view label, std::string_view value) {
    fmt::print("{}", LabelledLine(label, value));
  };
  row(fmt::format("GPU {}", index),
      fmt::format("{}, sm_{}{}, {}", gpu.name, gpu.major, gpu.minor, gpu.uuid));
  if (!reading) {
    row(Say("  error", "  오류"), reading.error().ToString());
    return;
  }
  row(Say("  memory in use", "  쓰는 메모리"),
      OutOf(reading->used_bytes, gpu.memory_bytes, 1e6, "MB"));
  row(Say("  power", "  전력"), OutOf(reading->watts, gpu.limit_watts, 1, "W"));
  row(Say("  clock", "  클럭"), OutOf(reading->sm_mhz, gpu.max_sm_mhz, 1, "MHz"));
  row(Say("  memory clock", "  메모리 클럭"),
      OutOf(reading->memory_mhz, gpu.max_memory_mhz, 1, "MHz"));
  if (reading->celsius)
    row(Say("  temperature", "  온도"), fmt::format("{} °C", *reading->celsius));
  if (reading->uncorrected_errors) {
    row(Say("  memory errors", "  메모리 오류"),
        fmt::format(fmt::runtime(Say("{} uncorrected", "정정 못 한 것 {}건")),
                    *reading->uncorrected_errors));
  }
}

}  // namespace

Result<> PrintGpus(bool json) {
  JIKJI_ASSIGN(const auto monitor, GpuMonitor::Open());
  const auto gpus = monitor->gpus();
  if (json) {
    boost::json::array list;
    for (size_t i = 0; i < gpus.size(); ++i) list.push_back(Report(gpus[i], monitor->Read(i)));
    fmt::print("{}\n",
               boost::json::serialize(boost::json::object{{"driver", monitor->driver_version()},
                                                          {"cuda", monitor->cuda_version()},
                                                          {"gpus", std::move(list)}}));
    return {};
  }
  fmt::print("{}", LabelledLine(Say("driver", "드라이버"),
                                fmt::format("{}, CUDA {}", monitor->driver_version(),
                                            monitor->cuda_version())));
  for (size_t i = 0; i < gpus.size(); ++i) Print(i, gpus[i], monitor->Read(i));
  return {};
}

}  // namespace jikji
