// A new weights file as a plan: what each tensor shall be, and of which rows of which tensor it is
// made; and the writing of it, row by row.
//
// Contract: of the sources and the new file never more than some MiB are in memory, however large
// the model. Where the type stays, the bytes do. Values that are not finite are an error where they
// would have to be quantised.
#ifndef JIKJI_ADAPT_WEIGHTS_WEIGHT_PLAN_H_
#define JIKJI_ADAPT_WEIGHTS_WEIGHT_PLAN_H_

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "tensor/file_layout.h"
#include "tensor/file_writer.h"
#include "tensor/tensor.h"

namespace jikji {

struct PlannedTensor {
  TensorSpec spec;
  TensorView source;  // of spec's shape, or of as many rows and columns with those of `tail`
  // The source's row that becomes row i; empty: i itself.
  std::vector<int32_t> row_order = {};
  // Rows that come after the source's; none where it has no data.
  TensorView tail = {};
  // Where set, the values instead of the source's: [rows, cols] of spec, called once, when it is
  // this tensor's turn. They are in memory whole while they are written.
  std::function<Result<std::vector<float>>()> make = {};
  bool mapped = true;  // the source lies in a mapped file, whose pages may be dropped once read
};

std::vector<TensorSpec> SpecsOf(std::span<const PlannedTensor> tensors);

// Writes the tensors into `writer`, whose layout was made of SpecsOf(tensors). `progress` is told
// the share done, 0 to 1.
Result<> WritePlanned(std::span<const PlannedTensor> tensors, TensorFileWriter& writer,
                      ThreadPool& pool, const std::function<void(double)>& progress = {});

// `values` packed as `dtype`: a multiple of the type's block of them. out: their bytes. An error
// with the index of the first value that is not finite, where the type is quantised.
Result<> PackInto(std::span<const float> values, DType dtype, std::span<std::byte> out);

}  // namespace jikji

#endif  // JIKJI_ADAPT_WEIGHTS_WEIGHT_PLAN_H_
