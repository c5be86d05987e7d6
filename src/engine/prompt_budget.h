// What a step may still take of prompts: tokens, and rows of prompt logits.
#ifndef JIKJI_ENGINE_PROMPT_BUDGET_H_
#define JIKJI_ENGINE_PROMPT_BUDGET_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

namespace jikji {

class PromptBudget {
 public:
  // `scored` prompt tokens may have their logits taken, at least 1: each is a row as wide as the
  // vocabulary. `chunk`, if given, replaces a chunk by a smaller one, at least 1.
  PromptBudget(int32_t tokens, int32_t scored, std::function<int32_t(int32_t limit)> chunk)
      : tokens_(tokens), scored_(scored), chunk_(std::move(chunk)) {}

  bool spent() const { return tokens_ == 0; }

  // The next chunk of a sequence with so many tokens left, all but the first `unscored` of which
  // have their logits taken.
  int32_t Take(int64_t left, int64_t unscored) {
    auto take = static_cast<int32_t>(std::min({left, int64_t{tokens_}, unscored + scored_}));
    if (take > 0 && chunk_) take = std::clamp(chunk_(take), 1, take);
    tokens_ -= take;
    scored_ -= static_cast<int32_t>(std::max<int64_t>(0, take - unscored));
    return take;
  }

 private:
  int32_t tokens_;
  int32_t scored_;
  std::function<int32_t(int32_t limit)> chunk_;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_PROMPT_BUDGET_H_
