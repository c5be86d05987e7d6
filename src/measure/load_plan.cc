#include "measure/load_plan.h"

#include <algorithm>
#include <numeric>
#include <random>

namespace jikji::measure {

std::vector<LoadRequest> PlanLoad(const LoadOptions& options, std::span<const int32_t> tokens) {
  std::mt19937_64 random(options.seed);
  const auto draw = [&](int64_t count, std::vector<int32_t>& to) {
    for (int64_t i = 0; i < count; ++i) to.push_back(tokens[random() % tokens.size()]);
  };
  std::vector<int32_t> prefix;
  draw(options.shared_prefix, prefix);
  std::vector<size_t> order(options.lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::shuffle(order.begin(), order.end(), random);
  std::exponential_distribution<double> gap(options.rate > 0 ? options.rate : 1);
  double at = 0;
  std::vector<LoadRequest> plan(static_cast<size_t>(options.requests));
  for (size_t i = 0; i < plan.size(); ++i) {
    const RequestLengths& lengths = options.lengths[order[i % order.size()]];
    plan[i].prompt = prefix;
    draw(lengths.prompt, plan[i].prompt);
    plan[i].output = lengths.output;
    if (options.rate > 0) plan[i].at = at += gap(random);
  }
  return plan;
}

}  // namespace jikji::measure
