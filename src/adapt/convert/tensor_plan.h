// The tensors of a model under another format's names and in its order of rows.
#ifndef JIKJI_ADAPT_CONVERT_TENSOR_PLAN_H_
#define JIKJI_ADAPT_CONVERT_TENSOR_PLAN_H_

#include <functional>
#include <vector>

#include "adapt/weights/weight_plan.h"
#include "base/error.h"
#include "model/decoder_spec.h"
#include "tensor/checkpoint.h"

namespace jikji {

// `type_of` says what a tensor becomes.
Result<std::vector<PlannedTensor>> PlanTensors(
    const Checkpoint& from, const DecoderSpec& spec, CheckpointFormat to,
    const std::function<DType(const TensorView&)>& type_of);

}  // namespace jikji

#endif  // JIKJI_ADAPT_CONVERT_TENSOR_PLAN_H_
