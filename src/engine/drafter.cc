#include "engine/drafter.h"

#include <algorithm>
#include <bit>

namespace jikji {
namespace {

// What one guess counts for in the rate: two that come true in a row are enough to draft in a
// single stream, and some misses end it.
constexpr double kNews = 0.125;
constexpr size_t kLeastSlots = 256;

}  // namespace

// Where the gram that ends before `end` is, or would be.
int32_t& Drafter::Slot(std::span<const TokenId> tokens, size_t end) {
  const auto gram = tokens.subspan(end - kGram, kGram);
  uint64_t hash = 0;
  for (const TokenId token : gram) {
    hash = (hash ^ static_cast<uint32_t>(token)) * 0x9E3779B97F4A7C15;
  }
  // The upper bits are those that multiplying mixes best.
  size_t slot = hash >> (64 - std::countr_zero(table_.size()));
  const auto other = [&](int32_t at) {
    return at != 0 &&
           !std::ranges::equal(tokens.subspan(static_cast<size_t>(at) - kGram, kGram), gram);
  };
  while (other(table_[slot])) slot = (slot + 1) & (table_.size() - 1);
  return table_[slot];
}

// Takes in every gram that something follows.
void Drafter::Index(std::span<const TokenId> tokens) {
  if (table_.size() < 2 * tokens.size()) {
    table_.assign(std::bit_ceil(std::max(4 * tokens.size(), kLeastSlots)), 0);
    indexed_ = 0;
  }
  for (size_t end = std::max(indexed_, kGram); end < tokens.size(); ++end) {
    Slot(tokens, end) = static_cast<int32_t>(end);
  }
  indexed_ = tokens.size();
}

int32_t Drafter::Guess(std::span<const TokenId> tokens, int32_t most, double row_share) {
  guesses_.clear();
  observed_ = 0;
  if (most < 1 || tokens.size() <= kGram) return 0;
  Index(tokens);
  const int32_t next = Slot(tokens, tokens.size());
  if (next == 0) return 0;
  const auto found = tokens.subspan(static_cast<size_t>(next));
  int32_t paying = 0;
  double chance = rate_;
  while (paying < most && static_cast<size_t>(paying) < found.size() && chance > row_share) {
    ++paying;
    chance *= rate_;
  }
  guesses_.assign(found.begin(), found.begin() + std::max(paying, 1));
  return paying;
}

void Drafter::Observe(TokenId token) {
  if (observed_ == guesses_.size()) return;
  const bool right = guesses_[observed_] == token;
  rate_ += kNews * ((right ? 1.0 : 0.0) - rate_);
  observed_ = right ? observed_ + 1 : guesses_.size();
}

}  // namespace jikji
