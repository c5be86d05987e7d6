#include "adapt/train/batch_source.h"

#include <numeric>
#include <utility>

#include "adapt/train/random.h"

namespace jikji::train {

BatchSource::BatchSource(std::span<const Document> documents, int64_t rows, uint64_t seed)
    : documents_(documents), rows_(rows), seed_(seed) {
  Shuffle();
}

void BatchSource::Shuffle() {
  order_.resize(documents_.size());
  std::iota(order_.begin(), order_.end(), 0u);
  Random random(seed_ + 0x9E3779B97F4A7C15ull * static_cast<uint64_t>(position_.epoch));
  for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[random.Below(i)]);
}

void BatchSource::Seek(const DataPosition& position) {
  position_ = position;
  Shuffle();
}

Batch BatchSource::Next() {
  Batch batch;
  while (true) {
    if (position_.next == static_cast<int64_t>(documents_.size())) {
      position_ = {position_.epoch + 1, 0};
      Shuffle();
    }
    const Document& document = documents_[order_[static_cast<size_t>(position_.next)]];
    const auto wanted = static_cast<int64_t>(document.tokens.size()) - 1;
    if (batch.rows() + wanted > rows_) {
      if (batch.target_count() > 0) return batch;
      batch = {};  // documents without a target teach nothing
      continue;
    }
    batch.Append(document);
    ++position_.next;
  }
}

uint64_t Fingerprint(std::span<const Document> documents) {
  uint64_t hash = 0xCBF29CE484222325ull;  // FNV-1a, a token at a time
  const auto mix = [&](uint64_t value) { hash = (hash ^ value) * 0x100000001B3ull; };
  for (const Document& document : documents) {
    mix(document.tokens.size());
    for (size_t i = 0; i < document.tokens.size(); ++i) {
      mix(static_cast<uint64_t>(document.tokens[i]) * 2 + (document.trained[i] ? 1 : 0));
    }
  }
  return hash;
}

}  // namespace jikji::train
