#include "kernels/gemm.h"

#include <algorithm>
#include <cstddef>

#include "kernels/gemm_variant.h"
#include "kernels/isa.h"

namespace jikji::kernels {
namespace {

const GemmVariant& Variant() {
#if defined(__x86_64__)
  switch (ActiveIsa()) {
    case Isa::kAvx512:
    case Isa::kAvx512Bf16:
      return kGemmAvx512;
    case Isa::kAvx2:
      return kGemmAvx2;
    case Isa::kPortable:
      break;
  }
#endif
  return kGemmPortable;
}

// A panel of A, 12 · 384 f32, is 18 KiB: it stays in the first-level cache while B's panels pass
// by.
constexpr int64_t kMaxK = 384;
// Packed at a time: 6 MiB of each operand at most, which the last-level cache holds.
constexpr int64_t kMaxSide = 4096;
// A task's panels of B, 8 · 32 · 384 f32, are 384 KiB: in the second-level cache.
constexpr int64_t kTilePanels = 8;
// A's transpose lies with a stride between its values: to pack it pays where many panels of B want
// it.
constexpr int64_t kFewPanels = 2;
// Multiply-adds of a product so small that each thread packs for itself: what another one packed
// would have to come out of its cache.
constexpr int64_t kSmall = 1 << 24;

int64_t CeilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Blocks of k are of even length.
int64_t BlockOf(int64_t k) { return CeilDiv(k, CeilDiv(k, kMaxK)); }

// Kept for the thread's next call.
struct Buffers {
  FloatBuffer a, b;
};

// One block of all three dimensions: packed operands and their product.
class Block {
 public:
  Block(const GemmSize& size, const MatrixView& a, const MatrixView& b, float* c, int64_t c_stride,
        bool accumulate, Buffers& buffers)
      : v_(Variant()),
        size_(size),
        a_{a.data, a.row_stride, a.col_stride},
        b_{b.data, b.col_stride, b.row_stride},
        c_(c),
        c_stride_(c_stride),
        accumulate_(accumulate),
        panels_a_(CeilDiv(size.m, v_.rows)),
        panels_b_(CeilDiv(size.n, v_.cols)),
        turned_(a_.k_stride != 1),
        in_place_(!turned_ || (a_.stride == 1 && panels_b_ <= kFewPanels) ? size.m / v_.rows : 0),
        packed_a_(buffers.a.Fit((panels_a_ - in_place_) * v_.rows * size.k)),
        packed_b_(buffers.b.Fit(panels_b_ * v_.cols * size.k)) {}

  // To be packed: those of A that are not multiplied in place, then those of B.
  int64_t panels() const { return panels_a_ - in_place_ + panels_b_; }

  void Pack(int64_t begin, int64_t end) const {
    const int64_t of_a = panels_a_ - in_place_;
    if (begin < of_a) {
      const int64_t first = (in_place_ + begin) * v_.rows;
      const int64_t last = std::min(size_.m, (in_place_ + std::min(end, of_a)) * v_.rows);
      v_.pack_a({a_.data + first * a_.stride, a_.stride, a_.k_stride}, last - first, size_.k,
                packed_a_ + begin * v_.rows * size_.k);
    }
    if (end > of_a) {
      const int64_t first = (std::max(begin, of_a) - of_a) * v_.cols;
      const int64_t last = std::min(size_.n, (end - of_a) * v_.cols);
      v_.pack_b({b_.data + first * b_.stride, b_.stride, b_.k_stride}, last - first, size_.k,
                packed_b_ + first * size_.k);
    }
  }

  // Cuts the product into at least four tasks a thread where there are so many tiles. How it is cut
  // changes no bit.
  void Cut(int64_t threads) {
    while (tasks() < 4 * threads && task_a_ * task_b_ > 1) {
      (task_a_ >= task_b_ ? task_a_ : task_b_) /= 2;
    }
  }
  int64_t tasks() const { return CeilDiv(panels_a_, task_a_) * CeilDiv(panels_b_, task_b_); }

  void Multiply(int64_t task) const {
    const int64_t across = CeilDiv(panels_b_, task_b_);
    const int64_t first_a = task / across * task_a_, first_b = task % across * task_b_;
    const int64_t end_a = std::min(panels_a_, first_a + task_a_);
    const int64_t end_b = std::min(panels_b_, first_b + task_b_);
    for (int64_t i = first_a; i < end_a; ++i) {
      const int64_t row = i * v_.rows;
      for (int64_t j = first_b; j < end_b; ++j) {
        const int64_t col = j * v_.cols;
        const GemmTile tile{c_ + row * c_stride_ + col, c_stride_, std::min(v_.rows, size_.m - row),
                            std::min(v_.cols, size_.n - col), accumulate_};
        const float* b = packed_b_ + col * size_.k;
        const GemmTiles& tiles = tile.cols <= v_.narrow.cols ? v_.narrow : v_.whole;
        const float* a = a_.data + row * a_.stride;
        if (i >= in_place_) {
          tiles.packed(packed_a_ + (i - in_place_) * v_.rows * size_.k, b, size_.k, tile);
        } else if (turned_) {
          tiles.turned(a, a_.k_stride, b, size_.k, tile);
        } else {
          tiles.in_place(a, a_.stride, b, size_.k, tile);
        }
      }
    }
  }

 private:
  const GemmVariant& v_;
  GemmSize size_;
  GemmSource a_, b_;
  float* c_;
  int64_t c_stride_;
  bool accumulate_;
  int64_t panels_a_, panels_b_;
  bool turned_;       // A's values lie a stride apart in k
  int64_t in_place_;  // the first panels of A, which are not packed
  float* packed_a_;
  float* packed_b_;
  int64_t task_a_ = kTilePanels, task_b_ = kTilePanels;
};

// Calls run(block) for each block in order: `run` packs and multiplies.
template <class Run>
void ForEachBlock(const GemmSize& size, const MatrixView& a, const MatrixView& b, float* c,
                  int64_t c_stride, bool accumulate, const Run& run) {
  if (size.m <= 0 || size.n <= 0) return;
  if (size.k <= 0) {
    if (accumulate) return;
    for (int64_t r = 0; r < size.m; ++r) std::fill_n(c + r * c_stride, size.n, 0.0f);
    return;
  }
  thread_local Buffers buffers;
  const int64_t step_k = BlockOf(size.k);
  for (int64_t i = 0; i < size.m; i += kMaxSide) {
    for (int64_t j = 0; j < size.n; j += kMaxSide) {
      for (int64_t k = 0; k < size.k; k += step_k) {
        const GemmSize part{std::min(kMaxSide, size.m - i), std::min(kMaxSide, size.n - j),
                            std::min(step_k, size.k - k)};
        const MatrixView part_a{a.data + i * a.row_stride + k * a.col_stride, a.row_stride,
                                a.col_stride};
        const MatrixView part_b{b.data + k * b.row_stride + j * b.col_stride, b.row_stride,
                                b.col_stride};
        Block block(part, part_a, part_b, c + i * c_stride + j, c_stride, accumulate || k > 0,
                    buffers);
        run(block);
      }
    }
  }
}

// Cut into one piece a thread, by rows where there are enough of them, or by columns.
void GemmInPieces(const GemmSize& size, const MatrixView& a, const MatrixView& b, float* c,
                  int64_t c_stride, bool accumulate, ThreadPool& pool) {
  constexpr int64_t kFewRows = 32;
  const auto threads = static_cast<int64_t>(pool.size());
  const bool by_rows = size.m >= kFewRows * threads || size.m >= size.n;
  const int64_t whole = by_rows ? size.m : size.n;
  const int64_t width = by_rows ? Variant().rows : Variant().cols;
  const int64_t piece = CeilDiv(CeilDiv(whole, width), threads) * width;
  pool.ParallelFor(static_cast<size_t>(CeilDiv(whole, piece)), 1, [&](size_t begin, size_t end) {
    for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
      const int64_t first = i * piece, count = std::min(piece, whole - first);
      if (by_rows) {
        const MatrixView rows{a.data + first * a.row_stride, a.row_stride, a.col_stride};
        GemmOnThread({count, size.n, size.k}, rows, b, c + first * c_stride, c_stride, accumulate);
      } else {
        const MatrixView cols{b.data + first * b.col_stride, b.row_stride, b.col_stride};
        GemmOnThread({size.m, count, size.k}, a, cols, c + first, c_stride, accumulate);
      }
    }
  });
}

}  // namespace

void Gemm(const GemmSize& size, const MatrixView& a, const MatrixView& b, float* c,
          int64_t c_stride, bool accumulate, ThreadPool& pool) {
  if (size.m * size.n * size.k <= kSmall && size.m > 0 && size.n > 0) {
    return GemmInPieces(size, a, b, c, c_stride, accumulate, pool);
  }
  ForEachBlock(size, a, b, c, c_stride, accumulate, [&](Block& block) {
    const auto panels = static_cast<size_t>(block.panels());
    pool.ParallelFor(panels, panels / (pool.size() * 4) + 1, [&](size_t begin, size_t end) {
      block.Pack(static_cast<int64_t>(begin), static_cast<int64_t>(end));
    });
    block.Cut(static_cast<int64_t>(pool.size()));
    pool.ParallelFor(static_cast<size_t>(block.tasks()), 1, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) block.Multiply(static_cast<int64_t>(i));
    });
  });
}

void GemmOnThread(const GemmSize& size, const MatrixView& a, const MatrixView& b, float* c,
                  int64_t c_stride, bool accumulate) {
  ForEachBlock(size, a, b, c, c_stride, accumulate, [&](Block& block) {
    block.Pack(0, block.panels());
    for (int64_t i = 0; i < block.tasks(); ++i) block.Multiply(i);
  });
}

void GemmPanels::Pack(const MatrixView& b, int64_t k, int64_t n) {
  const GemmVariant& v = Variant();
  k_ = k;
  float* to = packed_.Fit(CeilDiv(n, v.cols) * v.cols * k);
  v.pack_b({b.data, b.col_stride, b.row_stride}, n, k, to);
}

void GemmOnThread(const GemmSize& size, const MatrixView& a, const GemmPanels& b, int64_t first_k,
                  int64_t first_n, float* c, int64_t c_stride, bool accumulate) {
  const GemmVariant& v = Variant();
  const int64_t whole = size.m / v.rows * v.rows;
  const int64_t step = size.k > 0 ? BlockOf(size.k) : 1;
  thread_local FloatBuffer rest;  // rows of A that fill no panel
  for (int64_t k = 0; k < size.k; k += step) {
    const int64_t block = std::min(step, size.k - k);
    const float* panels = b.panels() + (first_n * b.k() + (first_k + k) * v.cols);
    if (whole < size.m) {
      v.pack_a({a.data + whole * a.row_stride + k, a.row_stride, 1}, size.m - whole, block,
               rest.Fit(v.rows * kMaxK));
    }
    for (int64_t row = 0; row < size.m; row += v.rows) {
      for (int64_t col = 0; col < size.n; col += v.cols) {
        const GemmTile tile{c + row * c_stride + col, c_stride, std::min(v.rows, size.m - row),
                            std::min(v.cols, size.n - col), accumulate || k > 0};
        const GemmTiles& tiles = tile.cols <= v.narrow.cols ? v.narrow : v.whole;
        const float* panel = panels + col * b.k();
        if (row < whole) {
          tiles.in_place(a.data + row * a.row_stride + k, a.row_stride, panel, block, tile);
        } else {
          tiles.packed(rest.data(), panel, block, tile);
        }
      }
    }
  }
}

}  // namespace jikji::kernels
