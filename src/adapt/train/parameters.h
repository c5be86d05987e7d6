// What a run trains: tensors one after the other in one piece of memory, with their gradients and
// the optimiser's two moments laid out alike.
#ifndef JIKJI_ADAPT_TRAIN_PARAMETERS_H_
#define JIKJI_ADAPT_TRAIN_PARAMETERS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"

namespace jikji::train {

struct Parameter {
  std::string name;  // as in the file that the run writes
  std::vector<int64_t> shape;
  size_t offset = 0;  // of its first value
  size_t count = 0;

  // Weight decay is for matrices: norms and biases have no directions to spare.
  bool decays() const { return shape.size() > 1; }
};

class Parameters {
 public:
  // The number of the parameter. Before Allocate.
  size_t Add(std::string name, std::vector<int64_t> shape);
  // All zero. An error where the system has not so much memory.
  Result<> Allocate();

  std::span<const Parameter> list() const { return list_; }
  size_t count() const { return count_; }  // values

  // The whole, or one parameter's.
  std::span<float> values() { return Part(0); }
  std::span<float> gradients() { return Part(1); }
  std::span<float> first_moments() { return Part(2); }
  std::span<float> second_moments() { return Part(3); }
  std::span<float> value(size_t i) { return Of(values(), i); }
  std::span<float> gradient(size_t i) { return Of(gradients(), i); }

  std::span<float> Of(std::span<float> whole, size_t i) const {
    return whole.subspan(list_[i].offset, list_[i].count);
  }

  // Of all four, for so many values.
  static uint64_t Bytes(uint64_t count) { return count * 4 * sizeof(float); }

 private:
  std::span<float> Part(size_t i) { return std::span(memory_).subspan(i * count_, count_); }

  std::vector<Parameter> list_;
  size_t count_ = 0;
  std::vector<float> memory_;
};

}  // namespace jikji::train

#endif  // JIKJI_ADAPT_TRAIN_PARAMETERS_H_
