#include "kernels/document_attention.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/training_variant.h"

namespace jikji::kernels {
namespace {

// Queries of a strip: whole tiles of Gemm, and few, so that a strip of some hundred keys stays in
// the nearer caches and little of it is beyond the diagonal.
constexpr int64_t kQueryTile = 48;
// Rows of a strip are worked on in vectors of this many values and none over.
constexpr int64_t kVector = 16;

int64_t RoundUp(int64_t count) { return (count + kVector - 1) / kVector * kVector; }

// One head of one document. Pointers are at its first row's head; strides are between rows.
struct Head {
  const float* q;
  const float* k;
  const float* v;
  int64_t rows;
  int64_t stride;     // of q, out and their gradients
  int64_t kv_stride;  // of k and v
};

// Queries [first, end) of a head and the keys [from, to) that any of them sees.
struct Strip {
  int64_t first, end, from, to;

  int64_t queries() const { return end - first; }
  int64_t keys() const { return to - from; }
  // Between rows. A power of two would have them share few sets of the cache.
  int64_t stride() const { return RoundUp(keys()) + kVector; }
};

Strip StripAt(int64_t first, int64_t rows, int32_t window) {
  const int64_t end = std::min(rows, first + kQueryTile);
  const int64_t from = window > 0 ? std::max<int64_t>(0, first - window + 1) : 0;
  return {first, end, from / GemmPanels::kAlign * GemmPanels::kAlign, end};
}

// The keys of query `row` (from `first`): [begin, end) of the strip.
struct Seen {
  int64_t begin, end;
};

Seen SeenBy(const Strip& strip, int64_t row, int32_t window) {
  const int64_t query = strip.first + row;
  const int64_t begin = window > 0 ? std::max(strip.from, query - window + 1) : strip.from;
  return {begin - strip.from, query + 1 - strip.from};
}

// The whole vectors around them.
Seen Around(const Seen& seen) { return {seen.begin / kVector * kVector, RoundUp(seen.end)}; }

// Values of `around` that are not seen.
void Hide(float* row, const Seen& seen, const Seen& around) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  std::fill(row + around.begin, row + seen.begin, kNever);
  std::fill(row + seen.end, row + around.end, kNever);
}

// What is not in `around`, where e^−∞ has made the rest zero.
void Blank(float* row, const Seen& around, int64_t count) {
  std::fill(row, row + around.begin, 0.0f);
  if (around.end < count) std::fill(row + around.end, row + count, 0.0f);
}

// Weights or gradients of a strip, and the head's keys and values as right operands.
struct Scratch {
  std::vector<float> weights, gradients;
  GemmPanels keys, turned_keys, values, turned_values;

  static float* Fit(std::vector<float>& values, const Strip& strip) {
    const auto count = static_cast<size_t>(strip.queries() * strip.stride());
    if (values.size() < count) values.resize(count);
    return values.data();
  }
};

Head HeadOf(const AttentionShape& shape, const DocumentRows& document, int32_t head, const float* q,
            const float* k, const float* v) {
  const int64_t stride = int64_t{shape.heads} * shape.head_dim;
  const int64_t kv_stride = int64_t{shape.kv_heads} * shape.head_dim;
  const int32_t kv_head = head / (shape.heads / shape.kv_heads);
  const int64_t at = document.first * stride + int64_t{head} * shape.head_dim;
  const int64_t kv_at = document.first * kv_stride + int64_t{kv_head} * shape.head_dim;
  return {q + at, k + kv_at, v + kv_at, document.count, stride, kv_stride};
}

// scores[queries, keys] = rows · operand, whose columns are the keys.
void Scores(const Strip& strip, const MatrixView& rows, const GemmPanels& operand, int64_t dim,
            float* scores) {
  GemmOnThread({strip.queries(), strip.keys(), dim}, rows, operand, 0, strip.from, scores,
               strip.stride(), false);
}

// out[queries, dim] = weights · operand, whose rows are the keys.
void Weighted(const Strip& strip, const float* weights, const GemmPanels& operand, int64_t dim,
              float* out, int64_t stride) {
  GemmOnThread({strip.queries(), dim, strip.keys()}, Plain(weights, strip.stride()), operand,
               strip.from, 0, out, stride, false);
}

// body(document, head) for each of them, shared among the threads.
template <class Body>
void ForEachHead(const AttentionShape& shape, std::span<const DocumentRows> documents,
                 ThreadPool& pool, const Body& body) {
  const auto heads = static_cast<size_t>(shape.heads);
  pool.ParallelFor(documents.size() * heads, 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      body(documents[i / heads], static_cast<int32_t>(i % heads));
    }
  });
}

}  // namespace

void DocumentAttention(const AttentionShape& shape, std::span<const DocumentRows> documents,
                       const float* q, const float* k, const float* v, float* out,
                       float* log_sum_exp, ThreadPool& pool) {
  const TrainingVariant& variant = ActiveTrainingVariant();
  const int64_t dim = shape.head_dim;
  ForEachHead(shape, documents, pool, [&](const DocumentRows& document, int32_t h) {
    const Head head = HeadOf(shape, document, h, q, k, v);
    thread_local Scratch scratch;
    scratch.turned_keys.Pack(Transposed(head.k, head.kv_stride), dim, head.rows);
    scratch.values.Pack(Plain(head.v, head.kv_stride), head.rows, dim);
    for (int64_t first = 0; first < head.rows; first += kQueryTile) {
      const Strip strip = StripAt(first, head.rows, shape.window);
      float* scores = Scratch::Fit(scratch.weights, strip);
      Scores(strip, Plain(head.q + first * head.stride, head.stride), scratch.turned_keys, dim,
             scores);
      for (int64_t i = 0; i < strip.queries(); ++i) {
        float* row = scores + i * strip.stride();
        const Seen seen = SeenBy(strip, i, shape.window), around = Around(seen);
        Hide(row, seen, around);
        log_sum_exp[(document.first + first + i) * shape.heads + h] =
            variant.softmax(row + around.begin, around.end - around.begin, shape.scale);
        Blank(row, around, strip.keys());
      }
      Weighted(strip, scores, scratch.values, dim,
               out + (document.first + first) * head.stride + h * dim, head.stride);
    }
  });
}

void DocumentAttentionBackward(const AttentionShape& shape, std::span<const DocumentRows> documents,
                               int64_t rows, const float* q, const float* k, const float* v,
                               const float* out, const float* log_sum_exp, const float* d_out,
                               float* d_q, float* d_k, float* d_v, ThreadPool& pool) {
  const TrainingVariant& variant = ActiveTrainingVariant();
  const int64_t dim = shape.head_dim;
  const int64_t stride = int64_t{shape.heads} * dim;
  std::fill_n(d_q, rows * stride, 0.0f);
  // Each query head has its own sums for the keys and values that it shares.
  thread_local std::vector<float> kept_k, kept_v;
  std::vector<float>& head_k = kept_k;
  std::vector<float>& head_v = kept_v;
  head_k.assign(static_cast<size_t>(rows * stride), 0.0f);
  head_v.assign(static_cast<size_t>(rows * stride), 0.0f);
  ForEachHead(shape, documents, pool, [&](const DocumentRows& document, int32_t h) {
    const Head head = HeadOf(shape, document, h, q, k, v);
    const int64_t at = document.first * stride + h * dim;
    thread_local Scratch scratch;
    scratch.turned_keys.Pack(Transposed(head.k, head.kv_stride), dim, head.rows);
    scratch.turned_values.Pack(Transposed(head.v, head.kv_stride), dim, head.rows);
    scratch.keys.Pack(Plain(head.k, head.kv_stride), head.rows, dim);
    for (int64_t first = 0; first < head.rows; first += kQueryTile) {
      const Strip strip = StripAt(first, head.rows, shape.window);
      const int64_t keys = strip.keys();
      float* weights = Scratch::Fit(scratch.weights, strip);
      float* gradients = Scratch::Fit(scratch.gradients, strip);
      const int64_t query_at = at + first * stride;
      const MatrixView queries = Plain(head.q + first * stride, stride);
      const MatrixView out_gradient = Plain(d_out + query_at, stride);
      Scores(strip, queries, scratch.turned_keys, dim, weights);
      Scores(strip, out_gradient, scratch.turned_values, dim, gradients);
      for (int64_t i = 0; i < strip.queries(); ++i) {
        float* weight = weights + i * strip.stride();
        float* gradient = gradients + i * strip.stride();
        const Seen seen = SeenBy(strip, i, shape.window), around = Around(seen);
        const int64_t count = around.end - around.begin;
        const int64_t row_at = query_at + i * stride;
        const float mean = variant.dot(d_out + row_at, out + row_at, dim);
        Hide(weight, seen, around);
        variant.probabilities(weight + around.begin, count, shape.scale,
                              log_sum_exp[(document.first + first + i) * shape.heads + h]);
        variant.softmax_backward(weight + around.begin, gradient + around.begin, count, mean,
                                 shape.scale);
        Blank(weight, around, keys);
        Blank(gradient, around, keys);
      }
      float* to_k = head_k.data() + at + strip.from * stride;
      float* to_v = head_v.data() + at + strip.from * stride;
      GemmOnThread({keys, dim, strip.queries()}, Transposed(weights, strip.stride()), out_gradient,
                   to_v, stride, true);
      GemmOnThread({keys, dim, strip.queries()}, Transposed(gradients, strip.stride()), queries,
                   to_k, stride, true);
      Weighted(strip, gradients, scratch.keys, dim, d_q + query_at, stride);
    }
  });
  const int64_t group = shape.heads / shape.kv_heads;
  pool.ParallelFor(static_cast<size_t>(rows * shape.kv_heads), 64, [&](size_t begin, size_t end) {
    for (auto i = static_cast<int64_t>(begin); i < static_cast<int64_t>(end); ++i) {
      for (int64_t d = 0; d < dim; ++d) {
        float sum_k = 0.0f, sum_v = 0.0f;
        for (int64_t g = 0; g < group; ++g) {
          sum_k += head_k[static_cast<size_t>((i * group + g) * dim + d)];
          sum_v += head_v[static_cast<size_t>((i * group + g) * dim + d)];
        }
        d_k[i * dim + d] = sum_k;
        d_v[i * dim + d] = sum_v;
      }
    }
  });
}

uint64_t DocumentAttentionScratch(const AttentionShape& shape, int64_t rows, int64_t longest,
                                  size_t threads) {
  const auto heads = static_cast<uint64_t>(rows) * static_cast<uint64_t>(shape.heads) *
                     static_cast<uint64_t>(shape.head_dim) * 2;
  const uint64_t strips = threads * kQueryTile * static_cast<uint64_t>(longest + 2 * kVector) * 2;
  const uint64_t operands = threads * static_cast<uint64_t>(longest) *
                            static_cast<uint64_t>(shape.head_dim + 2 * kVector) * 4;
  return (heads + strips + operands) * sizeof(float);
}

}  // namespace jikji::kernels
