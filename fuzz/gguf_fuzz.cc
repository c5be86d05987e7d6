// Any bytes as a GGUF file: an error or a file, and a file's views lie in the bytes.
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <span>
#include <vector>

#include "tensor/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto file = std::as_bytes(std::span(data, size));
  const auto parsed = jikji::ParseGguf(file, "input.gguf");
  if (!parsed) {
    if (parsed.error().where.empty()) std::abort();  // an error must say where
    return 0;
  }
  for (const jikji::TensorView& tensor : parsed->tensors) {
    const std::less_equal<const std::byte*> before;
    if (!before(file.data(), tensor.data.data())) std::abort();
    if (!before(tensor.data.data() + tensor.data.size(), file.data() + file.size())) std::abort();
    // Reads every byte of the view, under the address sanitizer.
    if (!jikji::UnpackTensor(tensor)) std::abort();
  }
  for (const auto& [key, value] : parsed->metadata.entries()) {
    (void)parsed->metadata.Int(key);
    (void)parsed->metadata.Number(key);
    (void)parsed->metadata.Strings(key);
  }
  return 0;
}
