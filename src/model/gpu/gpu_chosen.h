// The tokens that steps chose, on their way from a device: of two steps at most, in order.
#ifndef JIKJI_MODEL_GPU_GPU_CHOSEN_H_
#define JIKJI_MODEL_GPU_GPU_CHOSEN_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "device/device.h"
#include "model/decoder.h"

namespace jikji {

class GpuChosen {
 public:
  // Takes the host's memory for two steps of so many tokens.
  Result<> Create(device::Device& device, int32_t most);

  // kInternal where two steps are under way.
  Result<> CheckRoom() const;
  // All launches of a step are done; it chose tokens[i] for its row rows[i] of logits.
  Result<> Send(device::Device& device, const int32_t* tokens, std::span<const int32_t> rows);
  // Waits for the first step that was sent and not taken, and fills in what it chose.
  Result<> Take(device::Device& device, std::span<RowChoice> choices);

 private:
  struct Step {
    device::Buffer tokens;  // of the host
    std::vector<int32_t> rows;
  };

  std::array<Step, 2> steps_;
  size_t first_ = 0, sent_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_CHOSEN_H_
