#include "adapt/tokenizer/bpe_trainer.h"

#include <algorithm>
#include <queue>
#include <unordered_set>
#include <utility>

namespace jikji {
namespace {

constexpr uint64_t KeyOf(TokenId left, TokenId right) {
  return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
}
constexpr TokenId LeftOf(uint64_t key) { return static_cast<TokenId>(key >> 32); }
constexpr TokenId RightOf(uint64_t key) { return static_cast<TokenId>(key & 0xFFFFFFFFu); }

// The most frequent first, then the lesser ids. Counts in it may be old: they are looked up again
// when they come to the top.
struct Candidate {
  int64_t count = 0;
  uint64_t key = 0;
  bool operator<(const Candidate& other) const {
    return count != other.count ? count < other.count : key > other.key;
  }
};

}  // namespace

BpeTrainer::BpeTrainer(std::vector<std::string> tokens) : tokens_(std::move(tokens)) {
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (!tokens_[i].empty()) id_of_.emplace(tokens_[i], static_cast<TokenId>(i));
  }
}

void BpeTrainer::AddWord(const std::vector<TokenId>& tokens, int64_t count) {
  if (tokens.size() < 2) return;
  words_.push_back(
      {static_cast<uint32_t>(symbols_.size()), static_cast<uint32_t>(tokens.size()), count});
  symbols_.insert(symbols_.end(), tokens.begin(), tokens.end());
}

TokenId BpeTrainer::TokenOf(TokenId left, TokenId right, bool& is_new) {
  std::string joined = tokens_[static_cast<size_t>(left)] + tokens_[static_cast<size_t>(right)];
  const auto [found, added] = id_of_.emplace(joined, static_cast<TokenId>(tokens_.size()));
  is_new = added;
  if (added) tokens_.push_back(std::move(joined));
  return found->second;
}

void BpeTrainer::Merge(PairKey key, TokenId merged) {
  const TokenId left = LeftOf(key), right = RightOf(key);
  std::vector<uint32_t> holders = std::move(pairs_.at(key).words);
  std::ranges::sort(holders);
  holders.erase(std::unique(holders.begin(), holders.end()), holders.end());
  for (const uint32_t index : holders) {
    Word& word = words_[index];
    TokenId* symbols = symbols_.data() + word.begin;
    const auto change = [&](TokenId a, TokenId b, int64_t by) {
      Pair& pair = pairs_[KeyOf(a, b)];
      pair.count += by;
      if (by < 0) return;
      if (pair.words.empty() || pair.words.back() != index) pair.words.push_back(index);
      risen_.push_back(KeyOf(a, b));
    };
    uint32_t out = 0;
    for (uint32_t in = 0; in < word.size; ++in) {
      if (in + 1 >= word.size || symbols[in] != left || symbols[in + 1] != right) {
        symbols[out++] = symbols[in];
        continue;
      }
      // The neighbour on the left is what has been written, on the right what is still to be read.
      if (out > 0) {
        change(symbols[out - 1], left, -word.count);
        change(symbols[out - 1], merged, word.count);
      }
      if (in + 2 < word.size) {
        change(right, symbols[in + 2], -word.count);
        change(merged, symbols[in + 2], word.count);
      }
      symbols[out++] = merged;
      ++in;
    }
    word.size = out;
  }
  pairs_.erase(key);
}

std::vector<LearntMerge> BpeTrainer::Train(int64_t new_tokens, int64_t least_count,
                                           const std::function<void(double)>& progress) {
  for (uint32_t index = 0; index < words_.size(); ++index) {
    const Word& word = words_[index];
    const TokenId* symbols = symbols_.data() + word.begin;
    for (uint32_t i = 0; i + 1 < word.size; ++i) {
      Pair& pair = pairs_[KeyOf(symbols[i], symbols[i + 1])];
      pair.count += word.count;
      if (pair.words.empty() || pair.words.back() != index) pair.words.push_back(index);
    }
  }
  std::priority_queue<Candidate> queue;
  for (const auto& [key, pair] : pairs_) queue.push({pair.count, key});

  std::vector<LearntMerge> merges;
  // A pair may come again where a merge made a token that there was already.
  std::unordered_set<PairKey> learnt;
  for (int64_t made = 0; made < new_tokens && !queue.empty();) {
    const Candidate top = queue.top();
    queue.pop();
    const auto found = pairs_.find(top.key);
    if (found == pairs_.end() || found->second.count < least_count) continue;
    if (found->second.count != top.count) {
      queue.push({found->second.count, top.key});
      continue;
    }
    bool is_new = false;
    const TokenId left = LeftOf(top.key), right = RightOf(top.key);
    const TokenId merged = TokenOf(left, right, is_new);
    if (learnt.insert(top.key).second) merges.push_back({left, right, merged});
    if (is_new) ++made;
    risen_.clear();
    Merge(top.key, merged);
    std::ranges::sort(risen_);
    risen_.erase(std::unique(risen_.begin(), risen_.end()), risen_.end());
    for (const PairKey key : risen_) {
      if (const auto pair = pairs_.find(key); pair != pairs_.end()) {
        queue.push({pair->second.count, key});
      }
    }
    if (progress && made % 64 == 0) {
      progress(static_cast<double>(made) / static_cast<double>(new_tokens));
    }
  }
  return merges;
}

}  // namespace jikji
