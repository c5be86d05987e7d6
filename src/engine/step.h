// One step from its plan to its end: the batch for the decoder, what its rows of logits are for,
// and what came of them.
//
// A step refers to sequences, which may end while it is under way: what it computes of them is then
// of no use (Forget). Its vectors are kept for their memory.
#ifndef JIKJI_ENGINE_STEP_H_
#define JIKJI_ENGINE_STEP_H_

#include <chrono>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "engine/scheduler.h"
#include "engine/sequence.h"
#include "model/decoder.h"
#include "model/model.h"

namespace jikji {

struct Step {
  static constexpr int64_t kSample = -1;

  struct Part {
    Sequence* sequence = nullptr;  // nullptr: it has ended
    int32_t tokens = 0;
    int64_t prompt_read = 0;  // of its prompt, what was found in the cache included
    bool ends = false;        // the step ends its prompt, and no token is wanted
  };
  // Rows of logits, and what they are for: one to score a token of a prompt, or one to sample a
  // token and behind it one for each draft.
  struct Job {
    size_t part = 0;
    int64_t scored = kSample;  // position of the prompt token to score
    size_t first_row = 0;      // of the step's logits
    int32_t drafts = 0;
    // The tokens, as far as each but the last equals its draft; or what was wrong, as the last.
    std::vector<Result<SampledToken>> sampled = {};
    TokenLogprob score = {};
  };

  // The batch of what is planned; sequences then stand behind it. Where the decoder chooses, it is
  // asked for what it may choose. No step but the one before may be under way.
  void Build(std::span<const StepPart> planned, const ModelDescription& model, bool chooses);

  Batch batch() {
    return {.tokens = tokens,
            .slices = slices,
            .logit_rows = logit_rows,
            .adapters = slice_adapters,
            .choices = choices};
  }

  // Once it is submitted: the next step can be built before it ends. Every token is chosen where
  // the next can take it, and nothing else of the next depends on it.
  bool foreseeable() const;

  void Forget(const Sequence& sequence);

  std::vector<Part> parts;
  int32_t streams = 0;  // of the parts, those that decode
  std::vector<TokenId> tokens;
  std::vector<kernels::AttentionSlice> slices;
  std::vector<int32_t> slice_adapters;
  std::vector<int32_t> logit_rows;
  std::vector<Job> jobs;
  // One for each row of logits, where the decoder chooses.
  std::vector<RowChoice> choices;

  bool ahead = false;  // planned while another was under way
  Result<> submitted;
  std::chrono::steady_clock::time_point start;  // when it was submitted

 private:
  void Add(const StepPart& planned);
  void DescribeChoices(const ModelDescription& model);

  std::vector<std::vector<kernels::LogitAdjustment>> adjustments_;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_STEP_H_
