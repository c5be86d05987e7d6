#include "model/gpu/gpu_chosen.h"

#include "kernels/gpu/choose.h"

namespace jikji {
namespace {

constexpr size_t kFirstMark = 4;

}  // namespace

Result<> GpuChosen::Create(device::Device& device, int32_t most) {
  for (Step& step : steps_) {
    JIKJI_ASSIGN(step.tokens, device.AllocateHost(static_cast<uint64_t>(most) * sizeof(int32_t)));
  }
  return {};
}

Result<> GpuChosen::CheckRoom() const {
  if (sent_ < steps_.size()) return {};
  return Fail(ErrorCode::kInternal, "two steps are under way, and the first is not finished");
}

Result<> GpuChosen::Send(device::Device& device, const int32_t* tokens,
                         std::span<const int32_t> rows) {
  const size_t at = (first_ + sent_) % steps_.size();
  steps_[at].rows.assign(rows.begin(), rows.end());
  JIKJI_RETURN_IF_ERROR(device.StartCopyToHost(
      steps_[at].tokens.data(), reinterpret_cast<const std::byte*>(tokens), rows.size_bytes()));
  JIKJI_RETURN_IF_ERROR(device.Mark(kFirstMark + at));
  ++sent_;
  return {};
}

Result<> GpuChosen::Take(device::Device& device, std::span<RowChoice> choices) {
  if (sent_ == 0) return Fail(ErrorCode::kInternal, "no step is under way");
  const Step& step = steps_[first_];
  const size_t mark = kFirstMark + first_;
  first_ = (first_ + 1) % steps_.size();
  --sent_;
  JIKJI_RETURN_IF_ERROR(device.Wait(mark));
  const auto* tokens = step.tokens.As<int32_t>();
  for (size_t i = 0; i < step.rows.size(); ++i) {
    using enum RowChoice::Outcome;
    RowChoice& choice = choices[static_cast<size_t>(step.rows[i])];
    choice.token = tokens[i];
    choice.outcome = tokens[i] >= 0                           ? kToken
                     : tokens[i] == kernels::gpu::kNotNumbers ? kNotNumbers
                                                              : kNothingLeft;
  }
  return {};
}

}  // namespace jikji
