// The part of `jikji bench` that runs a model in this process: prefill and decode, and how near
// they come to what the machine can do.
#ifndef JIKJI_APP_SPEED_BENCH_H_
#define JIKJI_APP_SPEED_BENCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "app/engine_settings.h"
#include "app/settings.h"
#include "base/error.h"

namespace jikji {

struct SpeedBench {
  EngineSettings engine;
  std::vector<std::string> prefill = {"32", "128", "512"};
  std::vector<std::string> streams = {"1", "4", "16"};
  int64_t depth = 0;
  int64_t generate = 64;
  int64_t repeat = 3;

  void AddTo(Settings& settings);
  // Prints a table, or JSON; writes a chart to `svg` unless that is empty.
  Result<> Run(bool json, const std::string& svg) const;
};

}  // namespace jikji

#endif  // JIKJI_APP_SPEED_BENCH_H_
