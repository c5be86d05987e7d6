#include "kernels/matmul.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/isa.h"
#include "kernels/matmul_variant.h"

namespace jikji::kernels {
namespace {

const MatMulVariant& Variant() {
#if defined(__x86_64__)
  switch (ActiveIsa()) {
    case Isa::kAvx512:
    case Isa::kAvx512Bf16:
      return kMatMulAvx512;
    case Isa::kAvx2:
      return kMatMulAvx2;
    case Isa::kPortable:
      break;
  }
#endif
  return kMatMulPortable;
}

// Null where BF16 weights are multiplied as f32.
const MatMulBF16* BF16Variant() {
#if defined(__x86_64__)
  if (ActiveIsa() == Isa::kAvx512Bf16) return &kMatMulBF16Avx512;
#endif
  return nullptr;
}

constexpr int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The activations of a call as kernels of one class read them (matmul_variant.h): tiles as equal as
// whole tokens make them, since a small last one would use the weights badly.
struct Tiles {
  int64_t tokens = 0;
  int64_t count = 0;
  int64_t token_words = 0;  // of 32 bits
  const int32_t* words = nullptr;

  int64_t First(int64_t tile) const { return tile * tokens / count; }
  int Tokens(int64_t tile) const { return static_cast<int>(First(tile + 1) - First(tile)); }
  const int32_t* At(int64_t tile) const { return words + First(tile) * token_words; }
};

// Grows and is kept for the thread's next call.
using Scratch = std::vector<int32_t>;

// Fills `tiles`, whose sizes are set; fill(token, tile, column, columns) writes a token.
template <class Fill>
void FillTiles(Tiles& tiles, Scratch& scratch, ThreadPool& pool, const Fill& fill) {
  const auto words = static_cast<size_t>(tiles.tokens * tiles.token_words);
  if (scratch.size() < words) scratch.resize(words);
  tiles.words = scratch.data();
  const int64_t grain = 16384 / tiles.token_words + 1;  // tokens of several microseconds
  const int64_t most = CeilDiv(tiles.tokens, tiles.count);
  pool.ParallelFor(static_cast<size_t>(tiles.count), static_cast<size_t>(CeilDiv(grain, most)),
                   [&](size_t begin, size_t end) {
                     for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end);
                          ++i) {
                       int32_t* tile = scratch.data() + tiles.First(i) * tiles.token_words;
                       const int columns = tiles.Tokens(i);
                       for (int t = 0; t < columns; ++t) fill(tiles.First(i) + t, tile, t, columns);
                     }
                   });
}

Tiles QuantTiles(const MatMulVariant& variant, const float* x, int64_t tokens, int64_t cols,
                 ThreadPool& pool) {
  thread_local Scratch scratch;
  const int64_t used = cols / kGroup;
  const int64_t groups = CeilDiv(used, 2) * 2;
  Tiles tiles{.tokens = tokens,
              .count = CeilDiv(tokens, variant.quant_tokens),
              .token_words = groups * TileRows::kCount};
  FillTiles(tiles, scratch, pool, [&](int64_t token, int32_t* tile, int column, int columns) {
    variant.quantise(x + token * cols, used, tile, column, columns);
    if (used == groups) return;
    int32_t* const rest = tile + used * TileRows::kCount * columns;
    for (int row = 0; row < TileRows::kCount; ++row) rest[row * columns + column] = 0;
  });
  return tiles;
}

Tiles FloatTiles(const MatMulVariant& variant, const float* x, int64_t tokens, int64_t cols,
                 ThreadPool& pool) {
  thread_local Scratch scratch;
  Tiles tiles{.tokens = tokens,
              .count = CeilDiv(tokens, variant.float_tokens),
              .token_words = CeilDiv(cols, 2) * 2};
  FillTiles(tiles, scratch, pool, [&](int64_t token, int32_t* tile, int column, int columns) {
    const float* from = x + token * cols;
    for (int64_t c = 0; c < cols; ++c) std::memcpy(&tile[c * columns + column], from + c, 4);
    if (cols % 2 != 0) tile[cols * columns + column] = 0;
  });
  return tiles;
}

Tiles BF16Tiles(const MatMulBF16& variant, const float* x, int64_t tokens, int64_t cols,
                ThreadPool& pool) {
  thread_local Scratch scratch;
  Tiles tiles{
      .tokens = tokens, .count = CeilDiv(tokens, variant.tokens), .token_words = CeilDiv(cols, 2)};
  FillTiles(tiles, scratch, pool, [&](int64_t token, int32_t* tile, int column, int columns) {
    variant.pack(x + token * cols, cols, tile, column, columns);
  });
  return tiles;
}

// The activations of a call in each form that its weights ask for, and the kernels that take them.
class Operands {
 public:
  Operands(std::span<const MatMulOutput> outputs, const float* x, int64_t tokens,
           ThreadPool& pool) {
    for (const MatMulOutput& output : outputs) {
      const int64_t cols = output.weights->cols();
      const Form form = FormOf(output.weights->dtype());
      if (tiles_[form].words != nullptr) continue;
      tiles_[form] = form == kQuantised ? QuantTiles(variant_, x, tokens, cols, pool)
                     : form == kBF16    ? BF16Tiles(*bf16_variant_, x, tokens, cols, pool)
                                        : FloatTiles(variant_, x, tokens, cols, pool);
    }
  }

  const Tiles& For(DType weights) const { return tiles_[FormOf(weights)]; }
  MultiplyPanels Kernel(DType weights) const {
    return FormOf(weights) == kBF16 ? bf16_variant_->kernel : variant_.kernel(weights);
  }

 private:
  enum Form { kPlain, kQuantised, kBF16, kForms };
  Form FormOf(DType weights) const {
    if (IsQuantised(weights)) return kQuantised;
    return weights == DType::kBF16 && bf16_variant_ != nullptr ? kBF16 : kPlain;
  }

  const MatMulVariant& variant_ = Variant();
  const MatMulBF16* bf16_variant_ = BF16Variant();
  Tiles tiles_[kForms];
};

// A chunk of work must be worth handing to another thread, which costs about a microsecond: this
// many bytes of weights take several, even from cache.
constexpr int64_t kMinChunkBytes = 64 << 10;
// With several tiles a chunk of weights is read once for each: it should stay in the second-level
// cache, of which servers' cores have 512 KiB or more. Larger chunks read the activations less
// often.
constexpr int64_t kMaxChunkBytes = 256 << 10;

int64_t PanelsPerChunk(int64_t panels, int64_t bytes, int64_t tokens, int64_t threads) {
  const int64_t panel_bytes = bytes / panels;
  // Four tokens cost about as much as reading the weights once from memory.
  const int64_t least = CeilDiv(kMinChunkBytes, panel_bytes * std::max<int64_t>(1, tokens / 4));
  const int64_t most = tokens > 1 ? std::max<int64_t>(1, kMaxChunkBytes / panel_bytes) : panels;
  // Several chunks for each thread, since threads are seldom equally fast.
  const int64_t even = CeilDiv(panels, threads * 8);
  return std::max(least, std::min(even, most));
}

// Panels [begin, end) of one product.
void Multiply(const MatMulOutput& output, MultiplyPanels kernel, const Tiles& tiles, int64_t begin,
              int64_t end) {
  const WeightMatrix& w = *output.weights;
  const int64_t first_row = begin * kPanelRows;
  const PanelRange panels{.data = w.Panel(begin),
                          .panel_bytes = w.panel_bytes(),
                          .count = end - begin,
                          .rows = std::min(end * kPanelRows, w.rows()) - first_row,
                          .steps = w.steps()};
  for (int64_t tile = 0; tile < tiles.count; ++tile) {
    kernel(panels, tiles.At(tile), tiles.Tokens(tile),
           output.y + tiles.First(tile) * w.rows() + first_row, w.rows());
  }
}

}  // namespace

void MatMul(std::span<const MatMulOutput> outputs, const float* x, int64_t tokens,
            ThreadPool& pool) {
  int64_t panels = 0, bytes = 0;
  for (const MatMulOutput& output : outputs) {
    panels += output.weights->panels();
    bytes += static_cast<int64_t>(output.weights->bytes());
  }
  if (tokens <= 0 || panels == 0) return;
  const Operands operands(outputs, x, tokens, pool);
  const int64_t grain = PanelsPerChunk(panels, bytes, tokens, static_cast<int64_t>(pool.size()));
  pool.ParallelFor(
      static_cast<size_t>(panels), static_cast<size_t>(grain), [&](size_t begin, size_t end) {
        int64_t first = static_cast<int64_t>(begin), left = static_cast<int64_t>(end - begin);
        for (const MatMulOutput& output : outputs) {
          const int64_t here = output.weights->panels();
          const int64_t count = std::clamp<int64_t>(here - first, 0, left);
          if (count > 0) {
            const DType dtype = output.weights->dtype();
            Multiply(output, operands.Kernel(dtype), operands.For(dtype), first, first + count);
            left -= count;
          }
          first = std::max<int64_t>(0, first - here);
        }
      });
}

}  // namespace jikji::kernels
