// Reads a safetensors file: a JSON header that says where each tensor lies, then their bytes.
//
// Contract: no more trust than safetensors' own reader gives, and less. The header is at most
// 100,000,000 bytes, starts with `{`, is UTF-8 and ends in nothing but spaces; no key comes twice;
// `__metadata__` holds strings alone; the tensors tile the rest of the file from its first byte to
// its last without a hole or an overlap. An error names file:offset and the rule. Non-goals: types
// that models do not keep weights in (a tensor of one is an error that names it), writing.
#ifndef JIKJI_TENSOR_SAFETENSORS_H_
#define JIKJI_TENSOR_SAFETENSORS_H_

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "tensor/tensor.h"

namespace jikji {

struct SafetensorsFile {
  std::map<std::string, std::string> metadata;
  std::vector<TensorView> tensors;  // sorted by name; views into the bytes parsed
};

// `name` stands for the file in errors.
Result<SafetensorsFile> ParseSafetensors(std::span<const std::byte> file, std::string_view name);

}  // namespace jikji

#endif  // JIKJI_TENSOR_SAFETENSORS_H_
