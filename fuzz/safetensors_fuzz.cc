// Any bytes as a safetensors file and as a shard index: an error or a file, and a file's views tile
// the bytes after the header.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>
#include <vector>

#include "tensor/safetensors.h"
#include "tensor/shard_index.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  const auto index = jikji::ParseShardIndex(
      std::string_view(reinterpret_cast<const char*>(data), size), "index.json");
  if (index) {
    for (const auto& [name, tensors] : *index) {
      if (tensors.empty() || name.find('/') != std::string::npos) std::abort();
    }
  }
  const auto parsed = jikji::ParseSafetensors(file, "input.safetensors");
  if (!parsed) {
    if (parsed.error().where.empty()) std::abort();  // an error must say where
    return 0;
  }
  size_t total = 0;
  for (const jikji::TensorView& tensor : parsed->tensors) {
    const std::less_equal<const std::byte*> before;
    if (!before(file.data(), tensor.data.data())) std::abort();
    if (!before(tensor.data.data() + tensor.data.size(), file.data() + file.size())) std::abort();
    if (!jikji::UnpackTensor(tensor)) std::abort();
    total += tensor.data.size();
  }
  if (total + 8 > size) std::abort();
  return 0;
}
