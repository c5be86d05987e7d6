// The part of `jikji bench` that puts a server under load by its OpenAI API and tells what its
// users would see: time to first token, inter-token latency, throughput, goodput.
#ifndef JIKJI_APP_LOAD_BENCH_H_
#define JIKJI_APP_LOAD_BENCH_H_

#include <cstdint>
#include <string>

#include "app/settings.h"
#include "base/error.h"

namespace jikji {

struct LoadBench {
  std::string url;
  std::string api_key;
  int64_t clients = 16;
  int64_t requests = 64;
  double rate = 0;
  int64_t prompt = 512;
  int64_t shared_prefix = 0;
  std::string trace;
  double seconds = 240;
  double first_seconds = 2;
  double gap_seconds = 0.25;

  void AddTo(Settings& settings);
  // `generate` tokens an answer unless a trace says it; `context` 0: as the server tells. Prints a
  // table, or JSON; writes a chart to `svg` unless that is empty.
  Result<> Run(int64_t generate, int64_t context, bool json, const std::string& svg) const;
};

}  // namespace jikji

#endif  // JIKJI_APP_LOAD_BENCH_H_
