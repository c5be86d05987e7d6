// The workload of a large provider (ServeGen): how its rate moved over two weeks, and how long
// prompts and answers were.
//
// Two archives: traces (`GROUP/chunk-N-trace.csv`: seconds, requests per second, ...) and lengths
// (`GROUP/chunk-N-dataset.json`: histograms by time). Clients are added up; lengths are weighted by
// each client's mean rate. Prompt and answer are taken as independent, which they are not quite.
#ifndef JIKJI_TWIN_SERVEGEN_H_
#define JIKJI_TWIN_SERVEGEN_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace jikji::twin {

// Values with the share of them at or below each.
using LengthTable = std::vector<std::pair<double, double>>;

struct ServeGen {
  double step_s = 600;
  std::vector<double> rates;  // requests per second in each step
  LengthTable prompts, outputs;
};

// `group`: "language/m-large", ... The archives are unpacked tars.
Result<ServeGen> ParseServeGen(std::string_view traces_tar, std::string_view lengths_tar,
                               std::string_view group, std::string_view where);

// The value at a share from 0 to 1.
double LengthAt(const LengthTable& table, double share);

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_SERVEGEN_H_
