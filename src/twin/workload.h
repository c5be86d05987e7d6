// The stream of requests that a simulation serves, in the order of time, made as it is asked for.
//
// Replay sends a recorded trace in `copies` that are shifted in time and share no prompts with each
// other, so that a site a hundred times larger gets a hundred times the requests with the same
// reuse. Synthetic draws Poisson arrivals under a shape of the day, lengths from a table, and
// conversations that come back with a longer prompt. Both give the same stream for the same seed.
#ifndef JIKJI_TWIN_WORKLOAD_H_
#define JIKJI_TWIN_WORKLOAD_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "fleet/site.h"
#include "twin/random.h"
#include "twin/servegen.h"
#include "twin/state_stream.h"
#include "twin/trace.h"

namespace jikji::twin {

struct Arrival {
  double time = 0;  // seconds since the start
  uint32_t prompt = 1;
  uint32_t output = 1;
  fleet::ServiceClass service = fleet::ServiceClass::kStandard;
  std::span<const uint64_t> prefix;  // valid until the next call
};

class Workload {
 public:
  virtual ~Workload() = default;
  // False where it has ended.
  virtual bool Next(Arrival& arrival) = 0;
  // Saves how far it is, or restores it into one made of the same options.
  virtual void Exchange(StateStream& stream) = 0;
  // For routing: what an answer costs is not known before it ends.
  virtual double mean_output() const = 0;
};

// Shares of requests by class, batch first.
using ClassShares = std::array<double, fleet::kServiceClasses>;

struct ReplayOptions {
  int32_t copies = 1;
  double seconds = 0;  // the trace is repeated to fill it, each time with fresh prompts
  ClassShares classes = {0, 1, 0};
  uint64_t seed = 1;
};
std::unique_ptr<Workload> Replay(Trace trace, const ReplayOptions& options);

struct SyntheticOptions {
  double requests_per_second = 1;  // the mean over a day
  double seconds = 86400;
  std::vector<double> shape = {1};  // load over the mean, of equal parts of a day
  LengthTable prompts, outputs;
  double turn_share = 0.5;        // requests that go on with an earlier conversation
  uint32_t system_prompts = 200;  // distinct first blocks, a few of them popular
  ClassShares classes = {0.2, 0.6, 0.2};
  uint64_t seed = 1;
};
std::unique_ptr<Workload> Synthetic(SyntheticOptions options);

// Lengths of the requests of a trace, for Synthetic.
struct Lengths {
  LengthTable prompts, outputs;
};
Lengths LengthsOf(const Trace& trace);
// Close to Azure's conversation trace of 2023 (means 1,155 and 211): for runs without a file.
Lengths TypicalLengths();

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_WORKLOAD_H_
