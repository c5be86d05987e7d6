#include "hub/compact/tensor_places.h"

#include <algorithm>
#include <cstring>

#include "store/checksum.h"
#include "tensor/gguf.h"
#include "tensor/safetensors.h"

namespace jikji::hub {
namespace {

// A page at the front, in the middle and at the end tell tensors of one length apart; whether they
// are the same is then found byte by byte.
constexpr size_t kSampleBytes = 4096;

std::string_view TextOf(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

uint64_t LooksOf(std::span<const std::byte> bytes) {
  const size_t count = std::min(kSampleBytes, bytes.size());
  uint64_t hash = bytes.size();
  for (const size_t at : {size_t{0}, (bytes.size() - count) / 2, bytes.size() - count}) {
    hash = Xxh64(TextOf(bytes.subspan(at, count)), hash);
  }
  return hash;
}

uint64_t KindOf(const TensorView& tensor) {
  uint64_t hash = Xxh64(tensor.name, static_cast<uint64_t>(tensor.dtype));
  for (size_t i = 1; i < tensor.shape.size(); ++i) {
    hash = Xxh64({reinterpret_cast<const char*>(&tensor.shape[i]), sizeof(int64_t)}, hash);
  }
  return Xxh64({}, hash + tensor.shape.size());
}

uint8_t WidthOf(DType dtype) {
  if (IsQuantised(dtype)) return 1;
  return static_cast<uint8_t>(BlockBytes(dtype));
}

}  // namespace

Result<std::vector<TensorPlace>> TensorPlaces(const BlobStore& blobs, const Digest& digest,
                                              std::string_view path) {
  JIKJI_ASSIGN(const MappedFile mapped, MappedFile::Open(blobs.PathOf(digest)));
  std::vector<TensorView> tensors;
  if (path.ends_with(".gguf")) {
    JIKJI_ASSIGN(GgufFile file, ParseGguf(mapped.bytes(), path));
    tensors = std::move(file.tensors);
  } else {
    JIKJI_ASSIGN(SafetensorsFile file, ParseSafetensors(mapped.bytes(), path));
    tensors = std::move(file.tensors);
  }
  std::vector<TensorPlace> out;
  for (const TensorView& tensor : tensors) {
    if (tensor.data.empty()) continue;
    out.push_back({KindOf(tensor), LooksOf(tensor.data),
                   static_cast<uint64_t>(tensor.data.data() - mapped.bytes().data()),
                   tensor.data.size(), WidthOf(tensor.dtype)});
  }
  std::ranges::sort(out, {}, &TensorPlace::offset);
  return out;
}

}  // namespace jikji::hub
