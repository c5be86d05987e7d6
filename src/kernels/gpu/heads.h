// Projected queries, keys and values made ready for attention: biased, normed by head, rotated,
// rounded to F16, keys and values put into the pages of the KV cache, as F16 or F8_E4M3.
//
// A page of a layer on a device: keys [kv_head][slot][head_dim], values [kv_head][head_dim][slot],
// since that is how the matrix units take 8 values of each of them at a time (attention.cu).
// page_tokens is a multiple of 8, head_dim too.
#ifndef JIKJI_KERNELS_GPU_HEADS_H_
#define JIKJI_KERNELS_GPU_HEADS_H_

#include "device/kernel.h"

namespace jikji::kernels::gpu {

struct KvPlanes {
  void* keys;    // F16 or E4M3 [page][kv_head][slot][head_dim]
  void* values;  // [page][kv_head][head_dim][slot]
  int32_t page_tokens;
  int32_t kv_heads;
  int32_t head_dim;
  // Of E4M3, what each head's values are multiplied by (tensor/quant/f8.h): F16
  // [page][kv_head][slot]. nullptr: keys and values are F16.
  uint16_t* key_scales = nullptr;
  uint16_t* value_scales = nullptr;
};

// cos and sin of position · inv_freq, times `magnitude`. A block has 256 of the values.
struct RopeTableArgs {
  const int32_t* positions;  // [rows]
  const float* inv_freq;     // [half]
  float* cosines;            // [rows, half]
  float* sines;              // [rows, half]
  int32_t rows;
  int32_t half;
  float magnitude;
};
JIKJI_DECLARE_KERNEL(jikji_rope_table, RopeTableArgs);

// A warp has one head of one row: queries first, then keys, then values; a block has 4 warps.
struct HeadsArgs {
  const float* query;  // [rows, heads, head_dim]; nullptr: only keys and values
  const float* key;    // [rows, kv_heads, head_dim]
  const float* value;  // [rows, kv_heads, head_dim]
  const float *query_bias, *key_bias, *value_bias;  // [heads · head_dim] or nullptr
  const float *query_norm, *key_norm;               // [head_dim] or nullptr
  const float *cosines, *sines;                     // [rows, head_dim / 2]; nullptr: not rotated
  const int32_t* slots;  // [rows]: page · page_tokens + slot; below 0: stored nowhere
  uint16_t* query_out;   // F16 [rows, heads, head_dim], times query_scale
  KvPlanes kv;
  int32_t rows;
  int32_t heads;
  float query_scale;
  float eps;
};
inline constexpr uint32_t kHeadsWarps = 4;
JIKJI_DECLARE_KERNEL(jikji_heads, HeadsArgs);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_HEADS_H_
