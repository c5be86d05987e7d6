// For tests: a decoder of some thousand weights, and documents that it can learn.
#ifndef JIKJI_ADAPT_TRAIN_SMALL_MODEL_H_
#define JIKJI_ADAPT_TRAIN_SMALL_MODEL_H_

#include <cstdint>
#include <vector>

#include "adapt/train/batch.h"
#include "adapt/train/trainer.h"
#include "base/random.h"
#include "model/decoder_spec.h"

namespace jikji::train {

inline DecoderSpec SmallSpec() {
  DecoderSpec spec;
  spec.family = "llama";
  spec.hidden = 24;
  spec.intermediate = 40;
  spec.heads = 3;
  spec.kv_heads = 1;
  spec.head_dim = 8;
  spec.vocab = 50;
  spec.max_position = 512;
  spec.tied_head = true;
  spec.layers.resize(2);
  return spec;
}

// Counts up from a random token; most of it is trained on.
inline Document SmallDocument(uint64_t seed, size_t length) {
  Random random(seed);
  Document document;
  const uint64_t first = random.Below(50);
  for (size_t i = 0; i < length; ++i) {
    document.tokens.push_back(static_cast<int32_t>((first + i) % 50));
    document.trained.push_back(random.Uniform() < 0.7);
  }
  document.trained.back() = true;
  return document;
}

inline std::vector<Document> SmallDocuments(uint64_t count) {
  std::vector<Document> documents;
  for (uint64_t i = 0; i < count; ++i) documents.push_back(SmallDocument(i, 5 + i % 17));
  return documents;
}

inline TrainOptions SmallOptions(int64_t steps) {
  TrainOptions options;
  options.schedule = {.peak = 5e-3, .floor = 5e-4, .warmup = 3, .steps = steps};
  options.batch_rows = 64;
  return options;
}

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_SMALL_MODEL_H_
