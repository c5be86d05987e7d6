// Causal attention over a paged KV cache on a device, for prompts and decoding alike.
//
// Contract (promise 1): the output of a row depends on its query, and on the keys and values at
// positions up to its own, alone, bit for bit. Positions are cut into chunks of kChunk, counted
// from 0; a chunk is gone through 32 positions at a time (softmax as it goes, Milakov & Gimelshein
// 2018); chunks' results are merged in order. Whether one warp goes through all chunks or each has
// a warp of its own changes nothing, nor does what else shares a tile: what a row may not see adds
// exactly zero.
#ifndef JIKJI_KERNELS_GPU_ATTENTION_H_
#define JIKJI_KERNELS_GPU_ATTENTION_H_

#include "device/kernel.h"
#include "kernels/gpu/heads.h"

namespace jikji::kernels::gpu {

inline constexpr int32_t kChunk = 512;         // positions
inline constexpr int32_t kAttentionRows = 16;  // of a matrix tile: rows of the batch times heads
inline constexpr uint32_t kAttentionWarps = 4;
inline constexpr int32_t kMostHeadDim = 128;

// A warp's work: rows of one slice and heads of one KV head, 16 pairs at most, over chunks
// [first_chunk, first_chunk + chunks). One of no rows (and one head) fills a list up.
struct AttentionItem {
  int32_t first_row;   // of the batch
  int32_t rows;        // consecutive
  int32_t position;    // of first_row
  int32_t page_table;  // where the slice's pages begin in `pages`
  int32_t first_head;  // heads [first_head, first_head + heads), all of one KV head
  int32_t heads;
  int32_t first_chunk;
  int32_t chunks;
  int32_t part;   // of `parts`, to put the result in, or, with several chunks, what is so far
  int32_t whole;  // 1: no chunk is another item's, so the result goes to `out`
};

struct AttentionArgs {
  const AttentionItem* items;  // with whole == 0 only one chunk each
  const int32_t* pages;
  const uint16_t* query;  // F16 [rows, heads, head_dim], scaled
  uint16_t* out;          // BF16 [rows, out_stride]
  int64_t out_stride;
  // A part of each of 16 rows of a tile, f32: [part][16][head_dim + 2]: the sum of weighted values,
  // the maximum, the sum of weights.
  float* parts;
  KvPlanes kv;
  int32_t item_count;
  int32_t heads;
  int32_t window;  // 0: all positions
};
JIKJI_DECLARE_KERNEL(jikji_attention_32, AttentionArgs);
JIKJI_DECLARE_KERNEL(jikji_attention_64, AttentionArgs);
JIKJI_DECLARE_KERNEL(jikji_attention_96, AttentionArgs);
JIKJI_DECLARE_KERNEL(jikji_attention_128, AttentionArgs);
// Where keys and values are E4M3.
JIKJI_DECLARE_KERNEL(jikji_attention_F8_32, AttentionArgs);
JIKJI_DECLARE_KERNEL(jikji_attention_F8_64, AttentionArgs);
JIKJI_DECLARE_KERNEL(jikji_attention_F8_96, AttentionArgs);
JIKJI_DECLARE_KERNEL(jikji_attention_F8_128, AttentionArgs);

// Merges the parts of items that were split: one item for each tile, with `part` the first chunk's,
// and `chunks` all of them, whose parts follow. A block has one tile.
JIKJI_DECLARE_KERNEL(jikji_attention_merge, AttentionArgs);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_ATTENTION_H_
