#include "kernels/document_attention.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/training_variant.h"

namespace jikji::kernels {
namespace {

// Queries of a strip: enough to make up for packing the keys once for each.
constexpr int64_t kQueryTile = 96;

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
};

Strip StripAt(int64_t first, int64_t rows, int32_t window) {
  const int64_t end = std::min(rows, first + kQueryTile);
  const int64_t from = window > 0 ? std::max<int64_t>(0, first - window + 1) : 0;
  return {first, end, from, end};
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

void Blank(float* row, const Seen& seen, int64_t count) {
  std::fill(row, row + seen.begin, 0.0f);
  std::fill(row + seen.end, row + count, 0.0f);
}

Head HeadOf(const AttentionShape& shape, const DocumentRows& document, int32_t head, const float* q,
            const float* k, const float* v) {
  const int64_t stride = int64_t{shape.heads} * shape.head_dim;
  const int64_t kv_stride = int64_t{shape.kv_heads} * shape.head_dim;
  const int32_t kv_head = head / (shape.heads / shape.kv_heads);
  const int64_t at = document.first * stride + int64_t{head} * shape.head_dim;
  const int64_t kv_at = document.first * kv_stride + int64_t{kv_head} * shape.head_dim;
  return {q + at, k + kv_at, v + kv_at, document.count, stride, kv_stride};
}

// scores[queries, keys] = q · kᵀ.
void Scores(const Head& head, const Strip& strip, int64_t dim, float* scores) {
  GemmOnThread({strip.queries(), strip.keys(), dim},
               Plain(head.q + strip.first * head.stride, head.stride),
               Transposed(head.k + strip.from * head.kv_stride, head.kv_stride), scores,
               strip.keys(), false);
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
    thread_local std::vector<float> scores;
    for (int64_t first = 0; first < head.rows; first += kQueryTile) {
      const Strip strip = StripAt(first, head.rows, shape.window);
      scores.resize(static_cast<size_t>(strip.queries() * strip.keys()));
      Scores(head, strip, dim, scores.data());
      for (int64_t i = 0; i < strip.queries(); ++i) {
        float* row = scores.data() + i * strip.keys();
        const Seen seen = SeenBy(strip, i, shape.window);
        const float sum = variant.softmax(row + seen.begin, seen.end - seen.begin, shape.scale);
        Blank(row, seen, strip.keys());
        log_sum_exp[(document.first + first + i) * shape.heads + h] = sum;
      }
      float* to = out + (document.first + first) * head.stride + h * dim;
      GemmOnThread({strip.queries(), dim, strip.keys()}, Plain(scores.data(), strip.keys()),
                   Plain(head.v + strip.from * head.kv_stride, head.kv_stride), to, head.stride,
                   false);
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
    thread_local std::vector<float> weights, gradients;
    for (int64_t first = 0; first < head.rows; first += kQueryTile) {
      const Strip strip = StripAt(first, head.rows, shape.window);
      const int64_t keys = strip.keys();
      weights.resize(static_cast<size_t>(strip.queries() * keys));
      gradients.resize(weights.size());
      Scores(head, strip, dim, weights.data());
      const int64_t query_at = at + first * stride;
      const MatrixView out_gradient = Plain(d_out + query_at, stride);
      GemmOnThread({strip.queries(), keys, dim}, out_gradient,
                   Transposed(head.v + strip.from * head.kv_stride, head.kv_stride),
                   gradients.data(), keys, false);
      for (int64_t i = 0; i < strip.queries(); ++i) {
        float* weight = weights.data() + i * keys;
        float* gradient = gradients.data() + i * keys;
        const Seen seen = SeenBy(strip, i, shape.window);
        const int64_t count = seen.end - seen.begin;
        const int64_t row_at = query_at + i * stride;
        const float mean = variant.dot(d_out + row_at, out + row_at, dim);
        variant.probabilities(weight + seen.begin, count, shape.scale,
                              log_sum_exp[(document.first + first + i) * shape.heads + h]);
        variant.softmax_backward(weight + seen.begin, gradient + seen.begin, count, mean,
                                 shape.scale);
        Blank(weight, seen, keys);
        Blank(gradient, seen, keys);
      }
      float* to_k = head_k.data() + at + strip.from * stride;
      float* to_v = head_v.data() + at + strip.from * stride;
      GemmOnThread({keys, dim, strip.queries()}, Transposed(weights.data(), keys), out_gradient,
                   to_v, stride, true);
      GemmOnThread({keys, dim, strip.queries()}, Transposed(gradients.data(), keys),
                   Plain(head.q + first * stride, stride), to_k, stride, true);
      GemmOnThread({strip.queries(), dim, keys}, Plain(gradients.data(), keys),
                   Plain(head.k + strip.from * head.kv_stride, head.kv_stride), d_q + query_at,
                   stride, false);
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
  const uint64_t strips = threads * kQueryTile * static_cast<uint64_t>(longest) * 2;
  return (heads + strips) * sizeof(float);
}

}  // namespace jikji::kernels
