// Columns that several devices computed, each some, brought together in rows.
#ifndef JIKJI_KERNELS_GPU_PARTS_H_
#define JIKJI_KERNELS_GPU_PARTS_H_

#include "device/kernel.h"

namespace jikji::kernels::gpu {

// to[row, column] = the value of the rank whose column it is. A block has 256 columns of one row.
template <class T>
struct PlacePartsArgs {
  const T* from;  // [ranks][slot]: of each rank [rows, its stride]
  T* to;          // [rows, stride]; past width it is left alone
  int64_t slot;
  int64_t part_stride;  // of a rank's rows; 0: as many as it has columns
  int64_t stride;
  int32_t part;   // columns of a rank; the last ones have what is left
  int32_t width;  // of all ranks together
};
JIKJI_DECLARE_KERNEL(jikji_place_parts_16, PlacePartsArgs<uint16_t>);
JIKJI_DECLARE_KERNEL(jikji_place_parts_32, PlacePartsArgs<float>);

}  // namespace jikji::kernels::gpu

#endif  // JIKJI_KERNELS_GPU_PARTS_H_
