#include "kernels/gpu/parts.h"

namespace jikji::kernels::gpu {

template <class T>
JIKJI_DEVICE void PlaceParts(const PlacePartsArgs<T>& args) {
  const auto column = static_cast<int32_t>(device::BlockX() * 256 + device::ThreadX());
  if (column >= args.width) return;
  const int64_t row = device::BlockY();
  const int32_t rank = column / args.part;
  const int32_t first = rank * args.part;
  const int32_t left = args.width - first;
  const int64_t part_stride = args.part_stride != 0 ? args.part_stride
                              : left < args.part    ? left
                                                    : args.part;
  args.to[row * args.stride + column] =
      args.from[rank * args.slot + row * part_stride + column - first];
}

JIKJI_KERNEL(jikji_place_parts_16, PlacePartsArgs<uint16_t>, 256) { PlaceParts(args); }
JIKJI_KERNEL(jikji_place_parts_32, PlacePartsArgs<float>, 256) { PlaceParts(args); }

}  // namespace jikji::kernels::gpu
