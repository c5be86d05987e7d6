// What a step of a decoder must read and compute, and the least time a machine can do it in.
//
// Counted: every weight matrix once a step, the head only where logits are asked for, the keys and
// values that attention reads, two operations a multiply-add. Quantised weights are multiplied in
// int8; BF16 weights as BF16; other float weights and attention in f32. Left out, since they are
// below a percent: norms, rotations, softmax, the embedding's rows, activations.
#ifndef JIKJI_MEASURE_STEP_COST_H_
#define JIKJI_MEASURE_STEP_COST_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "measure/machine_limits.h"
#include "model/decoder_spec.h"
#include "tensor/checkpoint.h"

namespace jikji::measure {

struct StepCost {
  double bytes = 0;
  double int8_ops = 0;
  double bf16_ops = 0;
  double f32_ops = 0;
};

// `tokens` consecutive tokens of one sequence from position `start`; the last asks for logits.
struct StepSlice {
  int64_t start = 0;
  int64_t tokens = 1;
};

StepCost CostOfStep(const Checkpoint& checkpoint, const DecoderSpec& spec, DType kv_dtype,
                    std::span<const StepSlice> slices);

enum class LimitKind { kBandwidth, kInt8, kBF16, kF32 };  // what a step waits for most

// "read bandwidth", "int8 peak", "bf16 peak", "f32 peak"
std::string_view LimitName(LimitKind kind);

struct StepLimit {
  double seconds = 0;
  LimitKind kind = LimitKind::kBandwidth;
};

// Reading and computing overlap; operations of all kinds share the same units.
StepLimit LimitOf(const StepCost& cost, const MachineLimits& limits);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_STEP_COST_H_
