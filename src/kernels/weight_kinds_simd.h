// How the steps of each weight type become vectors, for any instruction set with vectors of int8.
//
// A quantised kind has: kSegments of a group's quads that share a scale; kBias, log2 of what was
// added to make values unsigned, or −1; kMaximum of the unsigned values; kMinimum, whether a
// minimum is taken off; and for v-th vector of lanes from row `row`: Quad<q>, Scale, Minimum. A
// plain kind gives two columns as f32.
#ifndef JIKJI_KERNELS_WEIGHT_KINDS_SIMD_H_
#define JIKJI_KERNELS_WEIGHT_KINDS_SIMD_H_

#include "kernels/weight_panels.h"

namespace jikji::kernels {

template <class S, int kQuad>
inline typename S::I LoadNibbles(const NibbleGroup& group, int row) {
  const auto pairs = S::LoadBytes(group.pairs[kQuad % 4][row]);
  return kQuad < 4 ? S::Low4(pairs) : S::High4(pairs);
}

template <class S>
struct Q8_0Kind {
  using Step = Q8_0Step;
  static constexpr int kSegments = 1, kBias = 7, kMaximum = 255;
  static constexpr bool kMinimum = false;
  template <int kQuad>
  static typename S::I Quad(const Step& step, int group, int row) {
    return S::LoadBytes(step.quants[group][kQuad][row]);
  }
  static typename S::F Scale(const Step& step, int group, int, int row) {
    return S::LoadF16(step.d[group] + row);
  }
};

template <class S>
struct Q4_0Kind {
  using Step = Q4_0Step;
  static constexpr int kSegments = 1, kBias = 3, kMaximum = 15;
  static constexpr bool kMinimum = false;
  template <int kQuad>
  static typename S::I Quad(const Step& step, int group, int row) {
    return LoadNibbles<S, kQuad>(step.groups[group], row);
  }
  static typename S::F Scale(const Step& step, int group, int, int row) {
    return S::LoadF16(step.d[group] + row);
  }
};

// Q4_K and Q5_K.
template <class S, class StepType>
struct KKind {
  using Step = StepType;
  static constexpr int kSegments = 1, kBias = -1, kMaximum = Step::kFifth ? 31 : 15;
  static constexpr bool kMinimum = true;
  template <int kQuad>
  static typename S::I Quad(const Step& step, int group, int row) {
    const auto low = LoadNibbles<S, kQuad>(step.groups[group].low, row);
    if constexpr (Step::kFifth) {
      const auto bits = S::LoadBytes(step.groups[group].fifth.bits[row]);
      return S::Or(low, S::And(S::template ShiftLeft16<4 - kQuad>(bits), S::SetByte(16)));
    } else {
      return low;
    }
  }
  static typename S::F Scale(const Step& step, int group, int, int row) {
    return S::Mul(S::LoadF16(step.d + row), S::LoadU8(step.scales[group] + row));
  }
  static typename S::F Minimum(const Step& step, int group, int row) {
    return S::Mul(S::LoadF16(step.dmin + row), S::LoadU8(step.minima[group] + row));
  }
};

template <class S>
struct Q6_KKind {
  using Step = Q6_KStep;
  static constexpr int kSegments = 2, kBias = 5, kMaximum = 63;
  static constexpr bool kMinimum = false;
  template <int kQuad>
  static typename S::I Quad(const Step& step, int group, int row) {
    const auto low = LoadNibbles<S, kQuad>(step.groups[group].low, row);
    const auto pairs = S::LoadBytes(step.groups[group].upper.halves[kQuad / 4][row]);
    return S::Or(low, S::And(S::template ShiftLeft16<4 - 2 * (kQuad % 4)>(pairs), S::SetByte(48)));
  }
  static typename S::F Scale(const Step& step, int group, int segment, int row) {
    return S::Mul(S::LoadF16(step.d + row), S::LoadI8(step.scales[2 * group + segment] + row));
  }
};

template <class S>
struct F32Kind {
  using Step = PlainStep<F32Block>;
  static void Load(const Step& step, int row, typename S::F& first, typename S::F& second) {
    first = S::Load(step.values + row);
    second = S::Load(step.values + kPanelRows + row);
  }
};

template <class S>
struct F16Kind {
  using Step = PlainStep<F16Block>;
  static void Load(const Step& step, int row, typename S::F& first, typename S::F& second) {
    first = S::LoadF16(step.values + row);
    second = S::LoadF16(step.values + kPanelRows + row);
  }
};

template <class S>
struct BF16Kind {
  using Step = PlainStep<BF16Block>;
  static void Load(const Step& step, int row, typename S::F& first, typename S::F& second) {
    S::LoadPairsBF16(step.values + 2 * row, first, second);
  }
};

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_WEIGHT_KINDS_SIMD_H_
