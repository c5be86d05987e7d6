// The residual stream on a device, f32 [rows, hidden]: begun by embeddings, added to and normed for
// the next product, and cut to the rows that are still wanted.
#ifndef JIKJI_KERNELS_GPU_STREAM_H_
#define JIKJI_KERNELS_GPU_STREAM_H_

#include "device/kernel.h"
#include "kernels/gpu/weight_tiles.h"

namespace jikji::kernels::gpu {

inline constexpr uint32_t kRowThreads = 256;

// x[row] = scale · row ids[row] of w. A block has one row. Where several embeddings make a step's
// rows, each has a launch, and rows that are another's are left alone.
struct EmbedArgs {
  WeightTiles w;
  const int32_t* ids;
  const int32_t* owners;  // [rows]: whose embedding a row is of; nullptr: all are of this one
  float* x;               // [rows, w.cols]
  float scale;
  int32_t owner;  // whose this one is
};
JIKJI_DECLARE_KERNEL(jikji_embed_F32, EmbedArgs);
JIKJI_DECLARE_KERNEL(jikji_embed_F16, EmbedArgs);
JIKJI_DECLARE_KERNEL(jikji_embed_BF16, EmbedArgs);
JIKJI_DECLARE_KERNEL(jikji_embed_Q4_0, EmbedArgs);
JIKJI_DECLARE_KERNEL(jikji_embed_Q8_0, EmbedArgs);
JIKJI_DECLARE_KERNEL(jikji_embed_Q4_K, EmbedArgs);
JIKJI_DECLARE_KERNEL(jikji_embed_Q5_K, EmbedArgs);
JIKJI_DECLARE_KERNEL(jikji_embed_Q6_K, EmbedArgs);

// x += residual_scale · post_norm(added + bias), where there is `added`; then out = BF16 of
// norm(x), where there is `out`. A norm that is nullptr is left out. A block has one row.
struct AddNormArgs {
  float* x;                // [rows, width]
  float* added;            // [rows, width], overwritten; nullptr: nothing is added
  const float* bias;       // [width] or nullptr
  const float* post_norm;  // [width] or nullptr
  const float* norm;       // [width] or nullptr
  uint16_t* out;           // [rows, out_stride] or nullptr; past width it is left alone
  int64_t out_stride;
  int32_t width;
  float residual_scale;
  float eps;
};
JIKJI_DECLARE_KERNEL(jikji_add_norm, AddNormArgs);

// out = BF16 of silu(gate + gate_bias) · (up + up_bias). A block has 256 values of one row.
struct SiluArgs {
  const float* gate;       // [rows, width]
  const float* up;         // [rows, width]
  const float* gate_bias;  // [width] or nullptr
  const float* up_bias;    // [width] or nullptr
  uint16_t* out;           // [rows, out_stride]
  int64_t out_stride;
  int32_t width;
};
JIKJI_DECLARE_KERNEL(jikji_silu_multiply, SiluArgs);

// x_out[i] = x[rows[i]], attended_out[i] = attended[rows[i]]. A block has one row.
struct KeepRowsArgs {
  const int32_t* rows;
  const float* x;
  float* x_out;
  const uint16_t* attended;
  uint16_t* attended_out;
  int32_t x_width;
  int32_t attended_width;
};
JIKJI_DECLARE_KERNEL(jikji_keep_rows, KeepRowsArgs);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_STREAM_H_
