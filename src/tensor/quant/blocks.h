// The list of weight types: which block struct each DType is made of. A new type is a struct beside
// this file and a line in VisitBlock.
#ifndef JIKJI_TENSOR_QUANT_BLOCKS_H_
#define JIKJI_TENSOR_QUANT_BLOCKS_H_

#include <utility>

#include "tensor/dtype.h"
#include "tensor/quant/plain.h"
#include "tensor/quant/q4_0.h"
#include "tensor/quant/q4_k.h"
#include "tensor/quant/q5_k.h"
#include "tensor/quant/q6_k.h"
#include "tensor/quant/q8_0.h"

namespace jikji {

// `VisitBlock(dtype, []<class Block>() { return sizeof(Block); })`.
template <class Visitor>
constexpr decltype(auto) VisitBlock(DType dtype, Visitor&& visitor) {
  switch (dtype) {
    case DType::kF32:
      return visitor.template operator()<F32Block>();
    case DType::kF16:
      return visitor.template operator()<F16Block>();
    case DType::kBF16:
      return visitor.template operator()<BF16Block>();
    case DType::kQ4_0:
      return visitor.template operator()<Q4_0Block>();
    case DType::kQ8_0:
      return visitor.template operator()<Q8_0Block>();
    case DType::kQ4_K:
      return visitor.template operator()<Q4_KBlock>();
    case DType::kQ5_K:
      return visitor.template operator()<Q5_KBlock>();
    case DType::kQ6_K:
      return visitor.template operator()<Q6_KBlock>();
    case DType::kF8_E4M3:
      break;  // no type of weights
  }
  std::unreachable();
}

}  // namespace jikji

#endif  // JIKJI_TENSOR_QUANT_BLOCKS_H_
