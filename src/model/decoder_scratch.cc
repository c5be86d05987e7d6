#include "model/decoder_scratch.h"

namespace jikji {
namespace {

struct Widths {
  int64_t hidden, query, key, intermediate;
};

Widths WidthsOf(const DecoderSpec& spec) {
  return {spec.hidden, spec.heads * spec.head_dim, spec.kv_heads * spec.head_dim,
          spec.intermediate};
}

template <class T>
void Grow(std::vector<T>& values, int64_t count) {
  if (values.size() < static_cast<size_t>(count)) values.resize(static_cast<size_t>(count));
}

}  // namespace

void DecoderScratch::Fit(const DecoderSpec& spec, int64_t tokens) {
  const Widths width = WidthsOf(spec);
  Grow(positions, tokens);
  Grow(x, tokens * width.hidden);
  Grow(normed, tokens * width.hidden);
  Grow(query, tokens * width.query);
  Grow(key, tokens * width.key);
  Grow(value, tokens * width.key);
  Grow(attended, tokens * width.query);
  Grow(gate, tokens * width.intermediate);
  Grow(up, tokens * width.intermediate);
  Grow(added, tokens * width.hidden);
}

uint64_t DecoderScratch::Bytes(const DecoderSpec& spec, int64_t tokens) {
  const Widths width = WidthsOf(spec);
  const int64_t values =
      3 * width.hidden + 2 * width.query + 2 * width.key + 2 * width.intermediate;
  return static_cast<uint64_t>(tokens) *
         (static_cast<uint64_t>(values) * sizeof(float) + sizeof(int32_t));
}

}  // namespace jikji
