// `jikji bench`: prefill and decode tokens per second of a model on this machine.
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "app/speed_bench.h"

namespace jikji {
namespace {

struct Options {
  SpeedBench speed;
  bool json = false;
  std::string svg;

  void AddTo(Settings& settings) {
    speed.AddTo(settings);
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
    settings.Add("svg", &svg, {"File to write a chart to", "그래프를 쓸 파일"});
  }
};

Result<> Bench(Options& options) { return options.speed.Run(options.json, options.svg); }

}  // namespace

void AddBenchCommand(Program& program) {
  program.Add("bench",
              Say("Measure prefill and decode speed beside the machine's limits",
                  "입력 처리와 생성 속도를 장비의 한계와 함께 잽니다"),
              &Bench);
}

}  // namespace jikji
