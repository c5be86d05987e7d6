// The types of a KV cache: how their lanes are loaded, and the table of functions that a variant of
// attention is, for each of them.
#ifndef JIKJI_KERNELS_ATTENTION_CACHES_SIMD_H_
#define JIKJI_KERNELS_ATTENTION_CACHES_SIMD_H_

#include "kernels/attention_simd.h"
#include "kernels/attention_store_simd.h"

namespace jikji::kernels {

template <class S>
struct F32Cache {
  static constexpr int64_t kBytes = 4;
  static constexpr bool kScaled = false, kGrouped = false;
  static typename S::F Load(const std::byte* from) { return S::Load(from); }
  static typename S::F Value(const std::byte* from) { return S::Load(from); }
};

template <class S>
struct F16Cache {
  static constexpr int64_t kBytes = 2;
  static constexpr bool kScaled = false, kGrouped = false;
  static typename S::F Load(const std::byte* from) { return S::LoadF16(from); }
  static typename S::F Value(const std::byte* from) { return S::LoadF16(from); }
};

template <class S>
struct Q8Cache {
  static constexpr int64_t kBytes = 1;
  static constexpr bool kScaled = true, kGrouped = true;
  static typename S::F Value(const std::byte* from) { return S::LoadInt8(from); }
};

template <class S>
struct F8Cache {
  static constexpr int64_t kBytes = 1;
  static constexpr bool kScaled = true, kGrouped = false;
  static typename S::F Load(const std::byte* from) { return S::LoadF8(from); }
  static typename S::F Value(const std::byte* from) { return S::LoadF8(from); }
};

template <class S>
using F32Attention = AttentionSimd<S, FloatKeys<S, F32Cache<S>>, WeightedValues<S, F32Cache<S>>>;
template <class S>
using F16Attention = AttentionSimd<S, FloatKeys<S, F16Cache<S>>, WeightedValues<S, F16Cache<S>>>;
template <class S>
using Q8Attention = AttentionSimd<S, QuantKeys<S>, WeightedValues<S, Q8Cache<S>>>;
template <class S>
using F8Attention = AttentionSimd<S, FloatKeys<S, F8Cache<S>>, WeightedValues<S, F8Cache<S>>>;

// Beside what simd_portable.h asks of it, S has
//   kMostQueries     side by side, 4 or 8
//   kScoreTile       vectors of sums at once: in scores, scores of Q8_0, and values
//   kQuantScoreTile
//   kValueTile
//   LoadInt8         bytes to lanes of f32
//   LoadF8           E4M3 without its scale to lanes of f32
//   LoadKeys         kLanes times four biased bytes
//   EncodeQuad       four of a query's whole numbers as KeySum wants them, 8 bytes
//   KeySum           lanes' sums of products, from BiasOf(32 whole numbers) to Total()
template <class S>
constexpr AttentionVariant MakeAttention() {
  return {
      [](const KvPages& pages, int64_t queries) {
        switch (pages.dtype) {
          case DType::kF32:
            return F32Attention<S>::ScratchBytes(pages, queries);
          case DType::kF16:
            return F16Attention<S>::ScratchBytes(pages, queries);
          case DType::kF8_E4M3:
            return F8Attention<S>::ScratchBytes(pages, queries);
          default:
            return Q8Attention<S>::ScratchBytes(pages, queries);
        }
      },
      [](const AttentionCall& call, const AttentionTask& task, std::byte* scratch) {
        switch (call.pages->dtype) {
          case DType::kF32:
            return F32Attention<S>::Run(call, task, scratch);
          case DType::kF16:
            return F16Attention<S>::Run(call, task, scratch);
          case DType::kF8_E4M3:
            return F8Attention<S>::Run(call, task, scratch);
          default:
            return Q8Attention<S>::Run(call, task, scratch);
        }
      },
      [](const AttentionCall& call, const AttentionTask* tasks, int64_t count, std::byte* scratch) {
        switch (call.pages->dtype) {
          case DType::kF32:
            return F32Attention<S>::MergePartials(call, tasks, count, scratch);
          case DType::kF16:
            return F16Attention<S>::MergePartials(call, tasks, count, scratch);
          case DType::kF8_E4M3:
            return F8Attention<S>::MergePartials(call, tasks, count, scratch);
          default:
            return Q8Attention<S>::MergePartials(call, tasks, count, scratch);
        }
      },
      AttentionStore<S>::Run,
  };
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_ATTENTION_CACHES_SIMD_H_
