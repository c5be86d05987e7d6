// Guesses at a sequence's next tokens from its own past: what followed the last time its last few
// tokens stood in a row ("prompt lookup").
//
// A guess costs a look into a table; checking one costs a row of the step. So every guess is held
// against the token that comes, whether it was checked beside it or not, and drafts are given out
// only as far as the rate at which guesses come true says that they pay. Guesses steer speed alone:
// a draft becomes a token only where the sampler gives the same (stepper.h). Non-goals: draft
// models.
#ifndef JIKJI_ENGINE_DRAFTER_H_
#define JIKJI_ENGINE_DRAFTER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "text/tokenizer.h"

namespace jikji {

class Drafter {
 public:
  // Tokens that stand in a row: with fewer, chance finds more than repetition does.
  static constexpr size_t kGram = 3;

  // Guesses what follows `tokens`, the whole sequence, at most `most` of them. Between calls the
  // sequence only grows. Returns how many of guesses() pay where a row costs `row_share` of a token
  // (StepCost): the i-th draft counts only if all before it are right too, so as long as rate to
  // the power of i is greater.
  int32_t Guess(std::span<const TokenId> tokens, int32_t most, double row_share);

  // At least one more than Guess returned, if any was found and `most` allowed it.
  std::span<const TokenId> guesses() const { return guesses_; }

  // The next token that came.
  void Observe(TokenId token);

  double rate() const { return rate_; }

 private:
  int32_t& Slot(std::span<const TokenId> tokens, size_t end);
  void Index(std::span<const TokenId> tokens);

  // By gram, the position after its latest; 0: an empty slot. A hash table with open addressing, at
  // most half full, whose keys lie in the sequence.
  std::vector<int32_t> table_;
  size_t indexed_ = 0;  // grams that end before this are in the table
  std::vector<TokenId> guesses_;
  size_t observed_ = 0;  // of guesses_
  double rate_ = 0;      // drafts begin where guesses have come true
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_DRAFTER_H_
