// Where the tensors of a weight file lie, and what they look like from afar.
#ifndef JIKJI_HUB_COMPACT_TENSOR_PLACES_H_
#define JIKJI_HUB_COMPACT_TENSOR_PLACES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "store/blob_store.h"

namespace jikji::hub {

struct TensorPlace {
  uint64_t kind = 0;    // of its name, type and all dimensions but the first
  uint64_t looks = 0;   // of its length and some of its bytes
  uint64_t offset = 0;  // in the file
  uint64_t length = 0;
  uint8_t width = 1;  // bytes of a value
};

// In the order of the file; tensors without bytes are left out. Reads the header and a few pages of
// each. `path` says which format it is; an error where it is not read by tensor/.
Result<std::vector<TensorPlace>> TensorPlaces(const BlobStore& blobs, const Digest& digest,
                                              std::string_view path);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_COMPACT_TENSOR_PLACES_H_
