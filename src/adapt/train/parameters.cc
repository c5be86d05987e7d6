#include "adapt/train/parameters.h"

#include <fmt/format.h>

#include <functional>
#include <new>
#include <numeric>

namespace jikji::train {

size_t Parameters::Add(std::string name, std::vector<int64_t> shape) {
  const auto count = static_cast<size_t>(
      std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>()));
  list_.push_back({std::move(name), std::move(shape), count_, count});
  count_ += count;
  return list_.size() - 1;
}

Result<> Parameters::Allocate() {
  try {
    memory_.assign(4 * count_, 0.0f);
  } catch (const std::bad_alloc&) {
    return Fail(ErrorCode::kResourceExhausted,
                fmt::format("no memory for {} MB of weights, gradients and moments; a LoRA adapter "
                            "needs far less",
                            Bytes(count_) / 1000000));
  }
  return {};
}

}  // namespace jikji::train
