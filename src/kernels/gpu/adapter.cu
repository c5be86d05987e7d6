#include "kernels/gpu/adapter.h"
#include "kernels/gpu/math.h"

namespace jikji::kernels::gpu {

JIKJI_KERNEL(jikji_adapter_low, AdapterArgs, 256) {
  const int64_t row = device::BlockY();
  const int32_t adapter = args.adapters[row];
  if (adapter < 0) return;
  const AdapterPart part = args.parts[adapter];
  const auto r =
      static_cast<int32_t>(device::BlockX() * kAdapterWarps + device::ThreadX() / device::kWarp);
  if (part.a == nullptr || r >= part.rank) return;  // a whole warp
  const auto lane = static_cast<int32_t>(device::ThreadX() % device::kWarp);
  const float* a = part.a + int64_t{r} * args.cols;
  const uint16_t* x = args.x + row * args.x_stride;
  float sum = 0;
  for (int32_t c = lane; c < args.cols; c += 32) {
    const float value = __builtin_bit_cast(float, static_cast<uint32_t>(x[c]) << 16);
    sum = device::Fma(a[c], value, sum);
  }
  sum = WarpSum(sum);
  if (lane == 0) args.low[row * args.most_rank + r] = sum;
}

JIKJI_KERNEL(jikji_adapter_add, AdapterArgs, 256) {
  const int64_t row = device::BlockY();
  const int32_t adapter = args.adapters[row];
  if (adapter < 0) return;
  const AdapterPart part = args.parts[adapter];
  const auto i = static_cast<int32_t>(device::BlockX() * 256 + device::ThreadX());
  if (part.a == nullptr || i >= args.width) return;
  const float* low = args.low + row * args.most_rank;
  float sum = 0;
  for (int32_t r = 0; r < part.rank; ++r) {
    sum = device::Fma(part.b[int64_t{r} * args.width + i], low[r], sum);
  }
  float& y = args.y[row * args.width + i];
  y += part.scale * sum;
  if (part.gain != nullptr) y *= part.gain[i];
}

}  // namespace jikji::kernels::gpu
