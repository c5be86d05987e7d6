// The cases that every variant of MatMul is tested and timed on, and random weights for them.
#ifndef JIKJI_KERNELS_MATMUL_CASES_H_
#define JIKJI_KERNELS_MATMUL_CASES_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/matmul.h"
#include "tensor/quant/blocks.h"

namespace jikji::kernels {

inline constexpr DType kWeightTypes[] = {DType::kF32,  DType::kF16,  DType::kBF16, DType::kQ8_0,
                                         DType::kQ4_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};

struct MatMulCase {
  int64_t rows = 0;
  int64_t cols = 0;
  int64_t tokens = 0;
  bool timed = false;  // by the benchmark too
};

// Columns are multiples of 256, which every type takes; OddMatMulCases has the rest.
inline constexpr MatMulCase kMatMulCases[] = {
    {1, 256, 1},
    {1, 256, 5},
    {3, 512, 2},
    {7, 256, 3},
    {17, 768, 9},
    {64, 1024, 17},
    {129, 256, 33},
    {40, 2304, 6},
    {512, 256, 31},
    {4096, 4096, 1, true},
    {4096, 4096, 8, true},
    {4096, 4096, 128, true},
    {4096, 4096, 16, true},
    {256, 256, 1, true},
};

// Columns that are not a multiple of any vector, for types whose blocks allow it.
inline constexpr MatMulCase kOddMatMulCases[] = {
    {1, 1, 1},  {5, 1, 3},    {9, 7, 4},    {8, 32, 1}, {3, 33, 6},
    {6, 96, 5}, {13, 160, 2}, {20, 100, 7}, {4, 31, 1}, {2, 1056, 3}};

// Owns the bytes of a random matrix at a chosen misalignment.
struct RandomWeights {
  std::vector<std::byte> bytes;
  TensorView view;
};

inline RandomWeights MakeWeights(DType dtype, int64_t rows, int64_t cols, uint32_t seed,
                                 size_t misalignment = 0) {
  RandomWeights out;
  out.bytes.resize(static_cast<size_t>(rows) * *RowBytes(dtype, static_cast<uint64_t>(cols)) +
                   misalignment);
  std::mt19937 random(seed);
  VisitBlock(dtype, [&]<class Block>() {
    for (size_t at = misalignment; at < out.bytes.size(); at += sizeof(Block)) {
      Block block;
      // Uniform bits rather than packed values: every code, scale and minimum occurs.
      auto* raw = reinterpret_cast<uint8_t*>(&block);
      for (size_t i = 0; i < sizeof block; ++i) raw[i] = static_cast<uint8_t>(random());
      const auto scale = [&] { return (static_cast<float>(random() % 2001) - 1000.0f) * 1e-5f; };
      if constexpr (requires { block.dmin; }) block.dmin = F32ToF16(scale());
      if constexpr (requires { block.d; }) block.d = F32ToF16(scale());
      if constexpr (Block::kValues == 1) {
        const float value = scale() * 10;
        block = Block::Pack(&value);
      }
      std::memcpy(&out.bytes[at], &block, sizeof block);
    }
  });
  out.view = {.name = "random",
              .dtype = dtype,
              .shape = {rows, cols},
              .data = std::span(out.bytes).subspan(misalignment)};
  return out;
}

// A matrix with memory of its own.
inline Result<WeightMatrix> PrepareAlone(const TensorView& view,
                                         std::span<const int32_t> row_order = {}) {
  WeightMemory memory;
  ThreadPool pool(1);
  return WeightMatrix::Prepare(view, memory, pool, row_order);
}

inline std::vector<float> MakeActivations(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) value = normal(random);
  return out;
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_MATMUL_CASES_H_
