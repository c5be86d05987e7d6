// Passes over a row of logits: is every one a number, which is largest, which k are.
//
// Tokens are ranked by logit, then by id, lowest first: a total order, so that every answer is one.
#ifndef JIKJI_ENGINE_TOKEN_RANK_H_
#define JIKJI_ENGINE_TOKEN_RANK_H_

#include <cstddef>
#include <span>
#include <vector>

#include "text/tokenizer.h"

namespace jikji {

struct RankedToken {
  float logit = 0;
  TokenId id = 0;

  bool operator==(const RankedToken&) const = default;
};

// True where `a` comes before `b`.
inline bool RanksBefore(const RankedToken& a, const RankedToken& b) {
  return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
}

// False where a value is infinite or not a number.
bool AllFinite(std::span<const float> logits);

// Logits in blocks of kBlock and the largest of each: most blocks can then be passed over unread.
class BlockMaxima {
 public:
  static constexpr size_t kBlock = 64;

  // No value may be NaN. Keeps a view of `logits`.
  void Scan(std::span<const float> logits);

  // The first in rank. There must be at least one logit.
  RankedToken Top() const;

  // The first `k` in rank, in order.
  void TopK(size_t k, std::vector<RankedToken>& out);

  // Every token with logit ≥ `floor`, in order of id.
  void AtLeast(float floor, std::vector<RankedToken>& out) const;

 private:
  std::span<const float> logits_;
  std::vector<float> maxima_;
  std::vector<float> order_;
};

}  // namespace jikji

#endif  // JIKJI_ENGINE_TOKEN_RANK_H_
