// Rows of one forward and backward pass: documents packed one after the other, none of which sees
// another.
#ifndef JIKJI_ADAPT_TRAIN_BATCH_H_
#define JIKJI_ADAPT_TRAIN_BATCH_H_

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/document_attention.h"

namespace jikji::train {

inline constexpr int32_t kNoTarget = -1;

// One sequence, and which of its tokens the loss is taken on. The first is never: nothing comes
// before it.
struct Document {
  std::vector<int32_t> tokens;
  std::vector<bool> trained;  // as many
};

struct Batch {
  std::vector<int32_t> tokens;
  std::vector<int32_t> targets;    // the token that should follow, or kNoTarget
  std::vector<int32_t> positions;  // within the document
  std::vector<kernels::DocumentRows> documents;
  std::vector<size_t> numbers;  // of the documents, as whoever packed them counts them

  int64_t rows() const { return static_cast<int64_t>(tokens.size()); }
  int64_t target_count() const;

  // A document of n tokens takes n − 1 rows: of the last nothing is asked.
  void Append(const Document& document, size_t number = 0);
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_BATCH_H_
