// Attention for any instruction set: online softmax (Milakov & Gimelshein 2018) over blocks of
// positions, several queries side by side.
//
// Contract (promise 1): a query's result is a fixed sequence of operations given its keys and
// values: blocks of kBlock positions that begin at multiples of kBlock; within a block the scores,
// their maximum, their exponentials added in lanes by distance from the query's first position of
// the block, then each value vector times its weight, added in order of position. Queries that are
// computed side by side share loads, never sums; where their ranges differ the rest is computed
// alone.
#ifndef JIKJI_KERNELS_ATTENTION_SIMD_H_
#define JIKJI_KERNELS_ATTENTION_SIMD_H_

#include <cstring>
#include <limits>

#include "kernels/attention_variant.h"
#include "kernels/exp_simd.h"

namespace jikji::kernels {

template <class S, class Cache>
struct AttentionSimd {
  using F = typename S::F;
  static constexpr int32_t kBlock = kAttentionBlock;
  static constexpr int kQueries = 4;  // side by side: one load of a key serves them all

  using Query = AttentionQuery;

  // In place of std::min and std::max, whose code would be shared with files compiled for lesser
  // instruction sets.
  template <class T>
  static T Lesser(T a, T b) {
    return b < a ? b : a;
  }
  template <class T>
  static T Greater(T a, T b) {
    return a < b ? b : a;
  }

  struct Head {
    const KvPages* pages;
    const int32_t* table;
    int32_t kv_head;
    int32_t block = 0;             // the block at hand begins here
    int64_t offsets[kBlock] = {};  // of its positions, since finding a page takes a division

    // Positions [begin, end) lie in the block that begins at `first`.
    void Enter(int32_t first, int32_t begin, int32_t end) {
      block = first;
      for (int32_t position = begin; position < end; ++position) {
        const int64_t page = table[position / pages->page_tokens];
        const int64_t row =
            (page * pages->kv_heads + kv_head) * pages->page_tokens + position % pages->page_tokens;
        offsets[position - block] = row * pages->head_dim * Cache::kBytes;
      }
    }
    const std::byte* Key(int32_t position) const { return pages->keys + offsets[position - block]; }
    const std::byte* Value(int32_t position) const {
      return pages->values + offsets[position - block];
    }
  };

  static F LoadCache(const std::byte* from, int64_t i, int64_t count) {
    if (i + S::kLanes <= count) return Cache::Load(from + i * Cache::kBytes);
    std::byte buffer[S::kLanes * Cache::kBytes] = {};
    std::memcpy(buffer, from + i * Cache::kBytes, static_cast<size_t>((count - i) * Cache::kBytes));
    return Cache::Load(buffer);
  }

  // Scores of kN queries for positions [begin, end), which all of them attend to.
  template <int kN>
  static void Scores(const Head& head, Query* const* q, int32_t begin, int32_t end) {
    constexpr int kP = 2;  // positions at a time, so that a multiply-add need not wait
    const int64_t dim = head.pages->head_dim;
    int32_t p = begin;
    for (; p + kP <= end; p += kP) ScoreTile<kN, kP>(head, q, p, dim);
    for (; p < end; ++p) ScoreTile<kN, 1>(head, q, p, dim);
  }

  template <int kN, int kP>
  static void ScoreTile(const Head& head, Query* const* q, int32_t position, int64_t dim) {
    F sum[kP][kN];
    const std::byte* keys[kP];
    for (int j = 0; j < kP; ++j) {
      keys[j] = head.Key(position + j);
      for (int n = 0; n < kN; ++n) sum[j][n] = S::Zero();
    }
    for (int64_t i = 0; i < dim; i += S::kLanes) {
      F key[kP];
      for (int j = 0; j < kP; ++j) key[j] = LoadCache(keys[j], i, dim);
      for (int n = 0; n < kN; ++n) {
        const F query = S::Load(q[n]->scaled + i);
        for (int j = 0; j < kP; ++j) sum[j][n] = S::Fma(query, key[j], sum[j][n]);
      }
    }
    for (int j = 0; j < kP; ++j) {
      float scores[kN];
      if constexpr (kN == 4) {
        S::Reduce4(sum[j], scores);
      } else {
        for (int n = 0; n < kN; ++n) scores[n] = S::Reduce(sum[j][n]);
      }
      for (int n = 0; n < kN; ++n) q[n]->scores[position + j - q[n]->from] = scores[n];
    }
  }

  // The block's scores to weights e^(score − maximum), and the sums so far to the new maximum.
  static void Weigh(Query& q, int64_t padded_dim) {
    const int32_t count = q.to - q.from;
    float maximum = q.maximum;
    for (int32_t i = 0; i < count; ++i) maximum = Greater(maximum, q.scores[i]);
    const F top = S::Set1(maximum);
    F total = S::Zero();
    int32_t i = 0;
    for (; i + S::kLanes <= count; i += S::kLanes) {
      const F weight = Exp<S>(S::Sub(S::Load(q.scores + i), top));
      S::Store(q.scores + i, weight);
      total = S::Add(total, weight);
    }
    if (i < count) {
      S::StorePart(q.scores + i, count - i,
                   Exp<S>(S::Sub(S::LoadPart(q.scores + i, count - i), top)));
      total = S::Add(total, S::LoadPart(q.scores + i, count - i));
    }
    if (maximum != q.maximum) {
      float factor[S::kLanes];
      S::Store(factor, Exp<S>(S::Set1(q.maximum - maximum)));
      q.total *= factor[0];
      for (int64_t d = 0; d < padded_dim; d += S::kLanes) {
        S::Store(q.sum + d, S::Mul(S::Load(q.sum + d), S::Set1(factor[0])));
      }
    }
    q.maximum = maximum;
    q.total += S::Reduce(total);
  }

  // Adds weight · value of positions [begin, end) to the sums of kN queries.
  template <int kN>
  static void Values(const Head& head, Query* const* q, int32_t begin, int32_t end) {
    const int64_t dim = head.pages->head_dim;
    int64_t d = 0;
    for (; d + 4 * S::kLanes <= dim && kN * 4 <= S::kValueTile; d += 4 * S::kLanes) {
      ValueTile<kN, 4>(head, q, begin, end, d, dim);
    }
    for (; d + 2 * S::kLanes <= dim; d += 2 * S::kLanes) {
      ValueTile<kN, 2>(head, q, begin, end, d, dim);
    }
    for (; d < dim; d += S::kLanes) ValueTile<kN, 1>(head, q, begin, end, d, dim);
  }

  template <int kN, int kD>
  static void ValueTile(const Head& head, Query* const* q, int32_t begin, int32_t end, int64_t d,
                        int64_t dim) {
    F sum[kN][kD];
    for (int n = 0; n < kN; ++n) {
      for (int j = 0; j < kD; ++j) sum[n][j] = S::Load(q[n]->sum + d + j * S::kLanes);
    }
    for (int32_t p = begin; p < end; ++p) {
      const std::byte* value = head.Value(p);
      F lanes[kD];
      for (int j = 0; j < kD; ++j) lanes[j] = LoadCache(value, d + j * S::kLanes, dim);
      for (int n = 0; n < kN; ++n) {
        const F weight = S::Set1(q[n]->scores[p - q[n]->from]);
        for (int j = 0; j < kD; ++j) sum[n][j] = S::Fma(weight, lanes[j], sum[n][j]);
      }
    }
    for (int n = 0; n < kN; ++n) {
      for (int j = 0; j < kD; ++j) S::Store(q[n]->sum + d + j * S::kLanes, sum[n][j]);
    }
  }

  // One block for up to kQueries queries: together where all of them attend, alone elsewhere.
  static void Block(const Head& head, Query* const* q, int count, int64_t padded_dim) {
    int32_t begin = q[0]->from;
    int32_t end = q[0]->to;
    for (int n = 1; n < count; ++n) {
      begin = Greater(begin, q[n]->from);
      end = Lesser(end, q[n]->to);
    }
    const bool together = count == kQueries && begin < end;
    if (together) Scores<kQueries>(head, q, begin, end);
    for (int n = 0; n < count; ++n) {
      Scores<1>(head, q + n, q[n]->from, together ? begin : q[n]->to);
      if (together) Scores<1>(head, q + n, end, q[n]->to);
      if (q[n]->from < q[n]->to) Weigh(*q[n], padded_dim);
    }
    if (!together) {
      for (int n = 0; n < count; ++n) Values<1>(head, q + n, q[n]->from, q[n]->to);
      return;
    }
    for (int n = 0; n < count; ++n) Values<1>(head, q + n, q[n]->from, begin);
    Values<kQueries>(head, q, begin, end);
    for (int n = 0; n < count; ++n) Values<1>(head, q + n, end, q[n]->to);
  }

  static void Run(const AttentionCall& call, const AttentionTask& task, Query* queries,
                  float* floats) {
    const KvPages& pages = *call.pages;
    const AttentionSlice& slice = *task.slice;
    const int64_t dim = pages.head_dim;
    const int64_t padded = (dim + S::kLanes - 1) / S::kLanes * S::kLanes;
    const int32_t group = call.heads / pages.kv_heads;
    Head head{.pages = &pages, .table = slice.pages.data(), .kv_head = task.kv_head};

    const int64_t count = int64_t{task.tokens} * group;
    int32_t lowest = std::numeric_limits<int32_t>::max();
    int32_t highest = 0;
    for (int64_t i = 0; i < count; ++i) {
      const int32_t token = task.first + static_cast<int32_t>(i) / group;
      const int64_t row = slice.first_row + token;
      const int64_t offset =
          (row * call.heads + task.kv_head * group + static_cast<int32_t>(i) % group) * dim;
      Query& q = queries[i];
      q = Query{.in = call.q + offset, .out = call.out + offset};
      q.end = slice.start + token + 1;
      q.begin = call.window > 0 ? Greater(0, q.end - call.window) : 0;
      q.scaled = floats + i * (2 * padded + kBlock);
      q.sum = q.scaled + padded;
      q.scores = q.sum + padded;
      for (int64_t d = 0; d < padded; ++d) {
        q.scaled[d] = d < dim ? q.in[d] * call.scale : 0.0f;
        q.sum[d] = 0.0f;
      }
      lowest = Lesser(lowest, q.begin);
      highest = Greater(highest, q.end);
    }
    for (int32_t block = lowest / kBlock * kBlock; block < highest; block += kBlock) {
      head.Enter(block, Greater(block, lowest), Lesser(block + kBlock, highest));
      for (int64_t first = 0; first < count; first += kQueries) {
        Query* tile[kQueries];
        const int size = count - first < kQueries ? static_cast<int>(count - first) : kQueries;
        for (int n = 0; n < size; ++n) {
          Query& q = queries[first + n];
          q.from = Lesser(Greater(q.begin, block), block + kBlock);
          q.to = Lesser(Greater(q.end, q.from), block + kBlock);
          tile[n] = &q;
        }
        Block(head, tile, size, padded);
      }
    }
    for (int64_t i = 0; i < count; ++i) {
      const Query& q = queries[i];
      for (int64_t d = 0; d < dim; ++d) q.out[d] = q.sum[d] / q.total;
    }
  }
};

// How the lanes of a cache's type are loaded.
template <class S>
struct F32Cache {
  static constexpr int64_t kBytes = 4;
  static typename S::F Load(const std::byte* from) { return S::Load(from); }
};
template <class S>
struct F16Cache {
  static constexpr int64_t kBytes = 2;
  static typename S::F Load(const std::byte* from) { return S::LoadF16(from); }
};

template <class S>
void RunAttention(const AttentionCall& call, const AttentionTask& task, AttentionQuery* queries,
                  float* floats) {
  if (call.pages->dtype == DType::kF32) {
    AttentionSimd<S, F32Cache<S>>::Run(call, task, queries, floats);
  } else {
    AttentionSimd<S, F16Cache<S>>::Run(call, task, queries, floats);
  }
}

template <class S>
void StoreCacheF16(const float* from, int64_t count, std::byte* to) {
  int64_t i = 0;
  for (; i + S::kLanes <= count; i += S::kLanes) S::StoreF16(to + i * 2, S::Load(from + i));
  if (i == count) return;
  std::byte buffer[S::kLanes * 2];
  S::StoreF16(buffer, S::LoadPart(from + i, count - i));
  std::memcpy(to + i * 2, buffer, static_cast<size_t>(count - i) * 2);
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_SIMD_H_
