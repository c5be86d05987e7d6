// Unigram language model (Kudo 2018): the segmentation of the highest total score, by Viterbi.
//
// Cost: the length of the piece times that of the longest token.
#ifndef JIKJI_TEXT_UNIGRAM_H_
#define JIKJI_TEXT_UNIGRAM_H_

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/string_table.h"
#include "text/token_model.h"

namespace jikji {

struct UnigramParts {
  StringTable tokens;
  std::vector<double> scores;     // by token
  std::vector<bool> not_in_text;  // by token: never found in a text; may be empty
  TokenId unknown = -1;           // -1: characters without a token are left out
  ByteTokens byte_tokens = kNoByteTokens;
};

class Unigram : public TokenModel {
 public:
  explicit Unigram(UnigramParts parts);
  void Encode(std::string_view piece, std::vector<TokenId>& out) const override;

 private:
  struct Node {
    double score = 0;
    uint32_t begin = UINT32_MAX;  // of the last token of the best way here; UINT32_MAX: no way yet
    TokenId token = -1;           // kUnknown for a character without one
  };
  static constexpr TokenId kUnknown = -1;

  void EmitUnknown(std::string_view text, std::vector<TokenId>& out) const;

  UnigramParts parts_;
  double unknown_score_ = 0;
  std::unordered_map<uint64_t, uint32_t> edges_;  // node << 8 | byte → node; the root is 0
  std::vector<TokenId> token_at_;                 // by node
};

}  // namespace jikji

#endif  // JIKJI_TEXT_UNIGRAM_H_
