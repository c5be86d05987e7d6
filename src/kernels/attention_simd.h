// Attention for any instruction set: online softmax (Milakov & Gimelshein 2018) over blocks of
// positions, several queries side by side.
//
// Contract (promise 1): a query's result is a fixed sequence of operations given its keys and
// values. Segments of kAttentionSegment positions begin at its multiples, each from nothing; blocks
// of kAttentionBlock within them. In a block: the scores, each a sum over dimensions in order;
// their maximum; their exponentials added in lanes by position; then each value vector times its
// weight, added in order of position. Segments are merged in order. Queries that are computed side
// by side share loads, never sums.
#ifndef JIKJI_KERNELS_ATTENTION_SIMD_H_
#define JIKJI_KERNELS_ATTENTION_SIMD_H_

#include <cstring>
#include <limits>

#include "kernels/attention_block_simd.h"
#include "kernels/attention_keys_simd.h"
#include "kernels/attention_values_simd.h"
#include "kernels/attention_variant.h"
#include "kernels/exp_simd.h"

namespace jikji::kernels {

// Keys: FloatKeys or QuantKeys. Values: FloatValues or QuantValues.
template <class S, class Keys, class Values>
struct AttentionSimd {
  using F = typename S::F;
  static constexpr float kLowest = -std::numeric_limits<float>::infinity();

  // Of a softmax in the making: e^(score − maximum) summed up, and times the values.
  struct Sums {
    float maximum;
    float total;
    float* values;  // [padded dimensions]
  };

  // One row and head in the making.
  struct Query {
    const float* in;
    float* out;
    int32_t begin, end;  // the positions it attends to
    int32_t from, to;    // those of them in the block, from the block's begin
    Sums all;            // of the segments that are done
    Sums segment;        // of the one at hand
    typename Keys::Coded coded;
  };

  struct Frame {
    int64_t padded;  // head_dim in whole vectors
    Query* queries;
    KvBlock<S> block;
    float* scores;  // of the queries side by side, [kMostQueries][kScoreStride]
    float* scaled;  // the same as weights for each group with a scale

    Frame(Arena& arena, const KvPages& pages, int64_t count)
        : padded((pages.head_dim + S::kLanes - 1) / S::kLanes * S::kLanes),
          queries(arena.Take<Query>(count)),
          block(arena, pages),
          scores(arena.Take<float>(S::kMostQueries * kScoreStride)),
          scaled(arena.Take<float>(S::kMostQueries * block.groups * kScoreStride)) {
      for (int64_t i = 0; i < count; ++i) {
        float* all = arena.Take<float>(padded);
        float* segment = arena.Take<float>(padded);
        const auto coded = Keys::Take(arena, pages.head_dim);
        if (arena.measures()) continue;
        queries[i].all = {kLowest, 0.0f, all};
        queries[i].segment = {kLowest, 0.0f, segment};
        queries[i].coded = coded;
      }
    }
  };

  static int64_t ScratchBytes(const KvPages& pages, int64_t queries) {
    Arena arena(nullptr);
    Frame frame(arena, pages, queries);
    return arena.used();
  }

  static void Multiply(float* values, float factor, int64_t padded) {
    const F lanes = S::Set1(factor);
    for (int64_t d = 0; d < padded; d += S::kLanes) {
      S::Store(values + d, S::Mul(S::Load(values + d), lanes));
    }
  }
  static float ExpOne(float x) {
    float lanes[S::kLanes];
    S::Store(lanes, Exp<S>(S::Set1(x)));
    return lanes[0];
  }

  // The block's scores to weights e^(score − maximum), and the sums so far to the new maximum.
  // Lanes outside of the query's positions become weights of exactly zero.
  static void Weigh(Query& q, float* scores, int64_t padded) {
    const int32_t begin = q.from / S::kLanes * S::kLanes;
    const int32_t end = (q.to + S::kLanes - 1) / S::kLanes * S::kLanes;
    for (int32_t i = begin; i < q.from; ++i) scores[i] = kLowest;
    for (int32_t i = q.to; i < end; ++i) scores[i] = kLowest;
    F most = S::Set1(q.segment.maximum);
    for (int32_t i = begin; i < end; i += S::kLanes) most = S::Max(S::Load(scores + i), most);
    float lanes[S::kLanes];
    S::Store(lanes, most);
    float maximum = lanes[0];
    for (int i = 1; i < S::kLanes; ++i) maximum = Greater(maximum, lanes[i]);
    const F top = S::Set1(maximum);
    F total = S::Zero();
    for (int32_t i = begin; i < end; i += S::kLanes) {
      const F weight = Exp<S>(S::Sub(S::Load(scores + i), top));
      S::Store(scores + i, weight);
      total = S::Add(total, weight);
    }
    if (maximum != q.segment.maximum) {
      const float factor = ExpOne(q.segment.maximum - maximum);
      q.segment.total *= factor;
      Multiply(q.segment.values, factor, padded);
      q.segment.maximum = maximum;
    }
    q.segment.total += S::Reduce(total);
  }

  // Adds a segment's sums to those of the segments before it.
  static void Merge(Sums& all, const Sums& segment, int64_t padded) {
    if (all.total == 0.0f) {  // nothing before: a sum of weights has at least e^0
      all.maximum = segment.maximum;
      all.total = segment.total;
      for (int64_t d = 0; d < padded; d += S::kLanes) {
        S::Store(all.values + d, S::Load(segment.values + d));
      }
      return;
    }
    const float maximum = Greater(all.maximum, segment.maximum);
    const float before = ExpOne(all.maximum - maximum);
    const float now = ExpOne(segment.maximum - maximum);
    all.maximum = maximum;
    all.total = all.total * before + segment.total * now;
    for (int64_t d = 0; d < padded; d += S::kLanes) {
      const F scaled = S::Mul(S::Load(all.values + d), S::Set1(before));
      S::Store(all.values + d, S::Fma(S::Load(segment.values + d), S::Set1(now), scaled));
    }
  }

  static void Write(const Sums& sums, float* out, int64_t dim) {
    for (int64_t d = 0; d < dim; ++d) out[d] = sums.values[d] / sums.total;
  }

  // One block for kN queries. Scores of positions that one query of them lacks are computed and
  // dropped; values are added for those that all have, and for each query's others alone.
  template <int kN>
  static void Tile(Frame& frame, Query* queries) {
    int32_t lowest = queries[0].from, highest = queries[0].to;
    int32_t begin = lowest, end = highest;
    typename Keys::Coded coded[kN];
    for (int n = 0; n < kN; ++n) {
      lowest = Lesser(lowest, queries[n].from);
      highest = Greater(highest, queries[n].to);
      begin = Greater(begin, queries[n].from);
      end = Lesser(end, queries[n].to);
      coded[n] = queries[n].coded;
    }
    if (lowest >= highest) return;
    Keys::template Scores<kN>(frame.block, coded, lowest, highest, frame.scores);
    for (int n = 0; n < kN; ++n) {
      if (queries[n].from < queries[n].to) {
        Weigh(queries[n], frame.scores + n * kScoreStride, frame.padded);
      }
    }
    const float* weights[kN];
    float* sums[kN];
    for (int n = 0; n < kN; ++n) sums[n] = queries[n].segment.values;
    Values::template Weights<kN>(frame.block, frame.scores, frame.scaled, weights);
    if (begin >= end) {
      for (int n = 0; n < kN; ++n) {
        Values::template Sum<1>(frame.block, weights + n, sums + n, queries[n].from, queries[n].to);
      }
      return;
    }
    for (int n = 0; n < kN; ++n) {
      Values::template Sum<1>(frame.block, weights + n, sums + n, queries[n].from, begin);
    }
    Values::template Sum<kN>(frame.block, weights, sums, begin, end);
    for (int n = 0; n < kN; ++n) {
      Values::template Sum<1>(frame.block, weights + n, sums + n, end, queries[n].to);
    }
  }

  static void Block(Frame& frame, int64_t count) {
    int64_t i = 0;
    if constexpr (S::kMostQueries >= 8) {
      for (; i + 8 <= count; i += 8) Tile<8>(frame, frame.queries + i);
    }
    for (; i + 4 <= count; i += 4) Tile<4>(frame, frame.queries + i);
    for (; i + 2 <= count; i += 2) Tile<2>(frame, frame.queries + i);
    if (i < count) Tile<1>(frame, frame.queries + i);
  }

  // The queries of a task; returns how many.
  static int64_t Prepare(const AttentionCall& call, const AttentionTask& task, Frame& frame) {
    const int64_t dim = call.pages->head_dim;
    const int32_t group = call.heads / call.pages->kv_heads;
    int64_t i = 0;
    for (int32_t t = task.first; t < task.first + task.tokens; ++t) {
      for (int32_t h = 0; h < group; ++h, ++i) {
        const int64_t row = int64_t{task.slice->first_row} + t;
        const int64_t offset = (row * call.heads + task.kv_head * group + h) * dim;
        Query& q = frame.queries[i];
        q.in = call.q + offset;
        q.out = call.out + offset;
        q.end = task.slice->start + t + 1;
        q.begin = call.window > 0 ? Greater(0, q.end - call.window) : 0;
      }
    }
    return i;
  }

  static void Run(const AttentionCall& call, const AttentionTask& task, std::byte* scratch) {
    const KvPages& pages = *call.pages;
    Arena arena(scratch);
    Frame frame(arena, pages, int64_t{task.tokens} * (call.heads / pages.kv_heads));
    const int64_t count = Prepare(call, task, frame);
    for (int64_t i = 0; i < count; ++i) {
      Keys::Encode(frame.queries[i].in, call.scale, pages.head_dim, frame.queries[i].coded);
    }
    // Ends and begins rise with the token.
    const int32_t lowest = Greater(frame.queries[0].begin, task.begin);
    const int32_t highest = Lesser(frame.queries[count - 1].end, task.end);
    frame.block.Open(pages, task.slice->pages.data(), task.kv_head);
    for (int32_t segment = lowest / kAttentionSegment * kAttentionSegment; segment < highest;
         segment += kAttentionSegment) {
      const int32_t segment_end = Lesser(segment + kAttentionSegment, highest);
      for (int64_t i = 0; i < count; ++i) {
        Sums& sums = frame.queries[i].segment;
        sums.maximum = kLowest;
        sums.total = 0.0f;
        std::memset(sums.values, 0, static_cast<size_t>(frame.padded) * sizeof(float));
      }
      const int32_t first = Greater(segment, lowest) / kAttentionBlock * kAttentionBlock;
      for (int32_t block = first; block < segment_end; block += kAttentionBlock) {
        const int32_t block_end = Lesser(block + kAttentionBlock, segment_end);
        frame.block.Enter(block, Greater(block, lowest), block_end, highest);
        for (int64_t i = 0; i < count; ++i) {
          Query& q = frame.queries[i];
          q.from = Lesser(Greater(q.begin, block), block_end) - block;
          q.to = Lesser(Greater(q.end, block + q.from), block_end) - block;
        }
        Block(frame, count);
      }
      for (int64_t i = 0; i < count; ++i) {
        Query& q = frame.queries[i];
        if (q.begin < segment_end && segment < q.end && task.partial == nullptr) {
          Merge(q.all, q.segment, frame.padded);
        }
      }
    }
    for (int64_t i = 0; i < count; ++i) {
      const Query& q = frame.queries[i];
      if (task.partial == nullptr) {
        Write(q.all, q.out, pages.head_dim);
        continue;
      }
      float* partial = task.partial + i * PartialFloats(pages.head_dim);
      partial[0] = q.segment.maximum;
      partial[1] = q.segment.total;
      std::memcpy(partial + kPartialValues, q.segment.values,
                  static_cast<size_t>(frame.padded) * sizeof(float));
    }
  }

  static void MergePartials(const AttentionCall& call, const AttentionTask* tasks, int64_t count,
                            std::byte* scratch) {
    const KvPages& pages = *call.pages;
    Arena arena(scratch);
    Frame frame(arena, pages, int64_t{tasks->tokens} * (call.heads / pages.kv_heads));
    const int64_t queries = Prepare(call, *tasks, frame);
    for (int64_t i = 0; i < queries; ++i) {
      Query& q = frame.queries[i];
      for (int64_t t = 0; t < count; ++t) {
        float* partial = tasks[t].partial + i * PartialFloats(pages.head_dim);
        if (q.begin < tasks[t].end && tasks[t].begin < q.end) {
          Merge(q.all, {partial[0], partial[1], partial + kPartialValues}, frame.padded);
        }
      }
      Write(q.all, q.out, pages.head_dim);
    }
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_SIMD_H_
