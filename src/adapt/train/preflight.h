// What a run is about to learn, shown before it starts.
#ifndef JIKJI_ADAPT_TRAIN_PREFLIGHT_H_
#define JIKJI_ADAPT_TRAIN_PREFLIGHT_H_

#include <cstdint>
#include <span>
#include <string>

#include "adapt/train/batch.h"
#include "base/error.h"
#include "model/model.h"

namespace jikji::train {

struct Preflight {
  int64_t documents = 0;
  int64_t tokens = 0;
  int64_t targets = 0;
  int64_t longest = 0;  // rows
  std::string example;  // a document as text, what is trained on between ⟦ and ⟧
};

// An error where there is nothing to learn, or, with `must_stop`, where no document trains a token
// that stops generation: the model would never end an answer.
Result<Preflight> Inspect(std::span<const Document> documents, const ModelDescription& model,
                          bool must_stop);

// The document as text, special tokens written out.
std::string MaskedText(const Document& document, const Tokenizer& tokenizer);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_PREFLIGHT_H_
