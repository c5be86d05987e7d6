// The order in which documents are trained on, and their packing into batches.
//
// Contract: a position is all there is to remember: after Seek the batches are those that came
// after it the first time. Each epoch shuffles anew, by its number and the seed.
#ifndef JIKJI_ADAPT_TRAIN_BATCH_SOURCE_H_
#define JIKJI_ADAPT_TRAIN_BATCH_SOURCE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "adapt/train/batch.h"
#include "tensor/checkpoint.h"

namespace jikji::train {

struct DataPosition {
  int64_t epoch = 0;
  int64_t next = 0;  // group of the epoch's order

  bool operator==(const DataPosition&) const = default;
};

class BatchSource {
 public:
  // `documents` outlive this. Each `group` of them, one after the other, stay together: 1, or 2 for
  // the answers of a preference. No group takes more than `rows` rows, and at least one has a
  // target.
  BatchSource(std::span<const Document> documents, int64_t group, int64_t rows, uint64_t seed);

  // The next documents, as many as fit: at least one target. Their numbers are those of
  // `documents`.
  Batch Next();

  DataPosition position() const { return position_; }
  void Seek(const DataPosition& position);

 private:
  void Shuffle();

  std::span<const Document> documents_;
  size_t group_;
  int64_t rows_;
  uint64_t seed_;
  DataPosition position_;
  std::vector<uint32_t> order_;
};

// One number for the documents' tokens and what is trained of them: whether a run goes on with the
// data that it began with.
uint64_t Fingerprint(std::span<const Document> documents);

// Of a model's weights: names, types, shapes and every byte. What was read may leave memory again.
uint64_t Fingerprint(const Checkpoint& weights);

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_BATCH_SOURCE_H_
