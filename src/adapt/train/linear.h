// A projection in training: y = x · Wᵀ + bias, and with an adapter y += scale · (x · Aᵀ) · Bᵀ
// (LoRA, Hu et al. 2021).
#ifndef JIKJI_ADAPT_TRAIN_LINEAR_H_
#define JIKJI_ADAPT_TRAIN_LINEAR_H_

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "adapt/train/matrix.h"
#include "base/thread_pool.h"

namespace jikji::train {

// A norm's weight or a bias. Where there is none, `value` is empty; where it is frozen, `gradient`.
struct Vector {
  std::span<const float> value;
  std::span<float> gradient;
};

struct Adapter {
  Matrix a;  // [rank, in]
  Matrix b;  // [out, rank]
  float scale = 1;
  Vector magnitude;  // [out]; empty without DoRA
};

class Linear {
 public:
  Matrix weight;
  Vector bias;
  std::optional<Adapter> adapter;

  // y: [tokens, out]
  void Forward(const float* x, int64_t tokens, float* y, ThreadPool& pool) const;
  // Adds to the gradients of what is trained; d_x[tokens, in] (+)= its own.
  void Backward(const float* x, const float* d_y, int64_t tokens, float* d_x, bool accumulate,
                ThreadPool& pool) const;

 private:
  // x · Wᵀ and the adapter's part.
  void Product(const float* x, int64_t tokens, float* y, ThreadPool& pool) const;
  // magnitude / norm of each row; and 1 / norm.
  void Gains(std::vector<float>& gains, std::vector<float>& inverse, ThreadPool& pool) const;
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_LINEAR_H_
