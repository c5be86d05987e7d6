// Byte pair encoding, learnt (Sennrich et al. 2016): the most frequent pair of neighbours becomes a
// token, again and again.
//
// Contract: of equally frequent pairs the one of the lesser ids is taken, so the result depends on
// the words and their counts alone, as in Hugging Face's trainer. Pairs whose joined text is a
// token already become merges to that token, and no new one. Cost: some passes over the words that
// hold the pair, each time. Non-goals: characters as the beginning (byte-level only), dropout.
#ifndef JIKJI_ADAPT_TOKENIZER_BPE_TRAINER_H_
#define JIKJI_ADAPT_TOKENIZER_BPE_TRAINER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"

namespace jikji {

struct LearntMerge {
  TokenId left = 0, right = 0, merged = 0;
};

class BpeTrainer {
 public:
  // The tokens there are: bytes of each, by id; ids without one are empty.
  explicit BpeTrainer(std::vector<std::string> tokens);

  // A word as the tokens it is made of so far.
  void AddWord(const std::vector<TokenId>& tokens, int64_t count);

  // Learns until `new_tokens` are made, or no pair comes `least_count` times. `progress` is told
  // the share done.
  std::vector<LearntMerge> Train(int64_t new_tokens, int64_t least_count,
                                 const std::function<void(double)>& progress = {});

  // With the new ones after those given.
  const std::vector<std::string>& tokens() const { return tokens_; }

 private:
  using PairKey = uint64_t;
  struct Pair {
    int64_t count = 0;
    std::vector<uint32_t> words;  // that hold it, or have held it; a word may come twice
  };
  struct Word {
    uint32_t begin = 0, size = 0;  // of symbols_
    int64_t count = 0;
  };

  TokenId TokenOf(TokenId left, TokenId right, bool& is_new);
  void Merge(PairKey key, TokenId merged);

  std::vector<std::string> tokens_;
  std::unordered_map<std::string, TokenId> id_of_;
  std::vector<TokenId> symbols_;
  std::vector<Word> words_;
  std::unordered_map<PairKey, Pair> pairs_;
  std::vector<PairKey> risen_;  // pairs whose count rose in a merge
};

}  // namespace jikji

#endif  // JIKJI_ADAPT_TOKENIZER_BPE_TRAINER_H_
