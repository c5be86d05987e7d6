// A read-only view of a tensor that lies in a file: type, shape, bytes.
//
// Shapes are row-major with the outermost dimension first, as in safetensors and PyTorch; GGUF's
// order is reversed on reading. Contract: bytes().size() is exactly what dtype and shape ask for.
// The view lives as long as its Checkpoint. `data` may begin at any byte: safetensors promises no
// alignment; in GGUF it is a multiple of 8.
#ifndef JIKJI_TENSOR_TENSOR_H_
#define JIKJI_TENSOR_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "tensor/dtype.h"

namespace jikji {

struct TensorView {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;
  std::span<const std::byte> data;

  int64_t rows() const;  // product of all dimensions but the last; 1 for a vector
  int64_t cols() const;  // the last dimension
  int64_t values() const { return rows() * cols(); }
};

// Unpacks rows [first, first + count) to f32. out: [count, cols], row-major.
Result<> UnpackRows(const TensorView& tensor, int64_t first, int64_t count, std::span<float> out);

// The whole tensor as f32.
Result<std::vector<float>> UnpackTensor(const TensorView& tensor);

}  // namespace jikji

#endif  // JIKJI_TENSOR_TENSOR_H_
