// Tokens chosen on a device from rows of logits: adjusted, cut by min-p, top-k and top-p, drawn.
//
// Contract: the token is the one that the processor's sampler chooses from the same logits, bit for
// bit (kernels/token_choice.h): weights are whole numbers, so that neither the number of threads
// nor the order in which they add decides anything. A block has one row, which it reads some times:
// once where the choice is greedy, up to a dozen times for top-k and top-p together.
#ifndef JIKJI_KERNELS_GPU_CHOOSE_H_
#define JIKJI_KERNELS_GPU_CHOOSE_H_

#include "device/kernel.h"
#include "kernels/token_choice.h"

namespace jikji::kernels::gpu {

inline constexpr uint32_t kChooseThreads = 1024;

struct ChooseRow {
  ChoiceParams params;
  int32_t row;               // of the logits
  int32_t first_adjustment;  // of `adjustments`, no token twice
  int32_t adjustments;
  int32_t vocab;  // at most kMostChoiceVocab
};

// What comes of a row: a token, or one of these.
inline constexpr int32_t kNotNumbers = -1;   // a logit is infinite or no number
inline constexpr int32_t kNothingLeft = -2;  // none can be chosen after the adjustments

struct ChooseArgs {
  float* logits;  // [rows, stride], adjusted in place
  const ChooseRow* rows;
  const LogitAdjustment* adjustments;
  int32_t* tokens;  // one for each block
  int64_t stride;
};
JIKJI_DECLARE_KERNEL(jikji_choose, ChooseArgs);

// Tokens of a step that the one before it has chosen: where tokens[i] is −1 − n, it becomes
// chosen[n]. Where none was chosen it becomes some token, since what is made of it is not used.
inline constexpr uint32_t kTakeChosenThreads = 256;
struct TakeChosenArgs {
  int32_t* tokens;
  const int32_t* chosen;
  int32_t count;
};
JIKJI_DECLARE_KERNEL(jikji_take_chosen, TakeChosenArgs);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_CHOOSE_H_
