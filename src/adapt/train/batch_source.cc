#include "adapt/train/batch_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/file.h"
#include "base/random.h"

namespace jikji::train {

BatchSource::BatchSource(std::span<const Document> documents, int64_t group, int64_t rows,
                         uint64_t seed)
    : documents_(documents), group_(static_cast<size_t>(group)), rows_(rows), seed_(seed) {
  Shuffle();
}

void BatchSource::Shuffle() {
  order_.resize(documents_.size() / group_);
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
    if (position_.next == static_cast<int64_t>(order_.size())) {
      position_ = {position_.epoch + 1, 0};
      Shuffle();
    }
    const size_t first = order_[static_cast<size_t>(position_.next)] * group_;
    const std::span<const Document> group = documents_.subspan(first, group_);
    int64_t wanted = 0;
    for (const Document& d : group) wanted += static_cast<int64_t>(d.tokens.size()) - 1;
    if (batch.rows() + wanted > rows_) {
      if (batch.target_count() > 0) return batch;
      batch = {};  // documents without a target teach nothing
      continue;
    }
    for (size_t i = 0; i < group.size(); ++i) batch.Append(group[i], first + i);
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

uint64_t Fingerprint(const Checkpoint& weights) {
  constexpr size_t kPieceBytes = 16 << 20;  // of a file larger than memory
  constexpr size_t kLanes = 4;              // side by side, since each waits for its last product
  std::array<uint64_t, kLanes> lanes = {1, 2, 3, 4};
  const auto mix = [](uint64_t& lane, uint64_t value) {
    lane = (lane ^ value) * 0x9E3779B97F4A7C15ull;
    lane ^= lane >> 29;
  };
  const auto mix_bytes = [&](std::span<const std::byte> bytes) {
    mix(lanes[0], bytes.size());
    std::array<uint64_t, kLanes> words;
    for (; bytes.size() >= sizeof words; bytes = bytes.subspan(sizeof words)) {
      std::memcpy(words.data(), bytes.data(), sizeof words);
      for (size_t i = 0; i < kLanes; ++i) mix(lanes[i], words[i]);
    }
    words = {};
    if (!bytes.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
    for (size_t i = 0; i < kLanes; ++i) mix(lanes[i], words[i]);
  };
  for (const TensorView& tensor : weights.tensors()) {
    mix_bytes(std::as_bytes(std::span(tensor.name)));
    mix(lanes[0], static_cast<uint64_t>(tensor.dtype));
    mix_bytes(std::as_bytes(std::span(tensor.shape)));
    for (auto rest = tensor.data; !rest.empty();) {
      const auto piece = rest.first(std::min(kPieceBytes, rest.size()));
      mix_bytes(piece);
      DropMappedPages(piece);
      rest = rest.subspan(piece.size());
    }
  }
  for (size_t i = 1; i < kLanes; ++i) mix(lanes[0], lanes[i]);
  return lanes[0];
}

}  // namespace jikji::train
