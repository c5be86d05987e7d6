// Many texts through an engine at once: how likely a model finds them, and how it goes on from
// them.
//
// Requests are kept in flight as the engine can batch them, in the order given: texts that begin
// alike and stand together share their pages. Contract: results are in order, and depend on each
// text alone (promise 1). Non-goals: what is asked, and what the answers are worth.
#ifndef JIKJI_MEASURE_HARNESS_SCORER_H_
#define JIKJI_MEASURE_HARNESS_SCORER_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "measure/harness/score_tokens.h"

namespace jikji::measure {

using ShowProgress = std::function<void(double share)>;  // 0 to 1; may be empty

struct Prompt {
  std::vector<TokenId> tokens;  // of which the last are kept where the context holds no more
  std::vector<std::string> stop;
  int64_t max_tokens = 256;
};

struct Generated {
  std::string text;    // up to the stop string or the end of the turn
  bool ended = false;  // so, and not at max_tokens
};

class Scorer {
 public:
  // The engine outlives this.
  explicit Scorer(Engine& engine) : engine_(engine) {}

  // Natural logarithms of the probabilities of each one's scored tokens.
  Result<std::vector<std::vector<float>>> Score(std::span<const ScoreTokens> texts,
                                                const ShowProgress& progress = {});
  // Greedily.
  Result<std::vector<Generated>> Generate(std::span<const Prompt> prompts,
                                          const ShowProgress& progress = {});

  Engine& engine() { return engine_; }

 private:
  // `take` is called from the engine's thread, one at a time.
  Result<> Run(size_t count, const std::function<GenerationRequest(size_t)>& make,
               const std::function<void(size_t, Delta&)>& take, const ShowProgress& progress);

  Engine& engine_;
  uint64_t next_id_ = 0;
};

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_SCORER_H_
