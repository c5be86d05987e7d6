// `jikji bench`: prefill and decode tokens per second of a model on this machine, or a server under
// load.
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/load_bench.h"
#include "app/speed_bench.h"

namespace jikji {
namespace {

struct Options {
  SpeedBench speed;
  LoadBench load;
  bool json = false;
  std::string svg;

  void AddTo(Settings& settings) {
    speed.AddTo(settings);
    load.AddTo(settings);
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
    settings.Add("svg", &svg, {"File to write a chart to", "그래프를 쓸 파일"});
  }
};

Result<> Bench(Options& options) {
  if (options.load.url.empty()) return options.speed.Run(options.json, options.svg);
  return options.load.Run(options.speed.generate, options.speed.engine.context, options.json,
                          options.svg);
}

}  // namespace

void AddBenchCommand(Program& program) {
  program.Add("bench",
              Say("Measure speed beside the machine's limits, or a server under load",
                  "속도를 장비의 한계와 함께, 또는 부하를 받는 서버를 잽니다"),
              &Bench);
}

}  // namespace jikji
