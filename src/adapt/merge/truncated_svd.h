// The largest singular values of a matrix and their vectors, by random projection (Halko,
// Martinsson & Tropp 2011) with power iterations, so that a matrix of some thousand rows takes
// seconds.
//
// Contract: the result depends on the matrix alone. A matrix whose rank is at most that asked for
// comes back whole, but for rounding. Non-goals: small singular values to many digits.
#ifndef JIKJI_ADAPT_MERGE_TRUNCATED_SVD_H_
#define JIKJI_ADAPT_MERGE_TRUNCATED_SVD_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/thread_pool.h"

namespace jikji {

struct TruncatedSvd {
  std::vector<double> values;  // descending; as many as were asked for
  std::vector<float> left;     // [values, rows]: unit vectors
  std::vector<float> right;    // [values, cols]
};

// `matrix`: [rows, cols]; `rank` at most the smaller of both.
TruncatedSvd LargestSingularValues(std::span<const float> matrix, int64_t rows, int64_t cols,
                                   int64_t rank, ThreadPool& pool);

}  // namespace jikji

#endif  // JIKJI_ADAPT_MERGE_TRUNCATED_SVD_H_
