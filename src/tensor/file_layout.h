// Where everything of a new weights file goes: its header's bytes, and the place of each tensor.
//
// Contract: what is laid out here and filled with data is read back by ParseGguf or
// ParseSafetensors; names, shapes and values that a reader would refuse are refused here. Sizes are
// known before any data is, so a file can be written while its tensors are made one by one
// (file_writer.h). Non-goals: shards, big-endian.
#ifndef JIKJI_TENSOR_FILE_LAYOUT_H_
#define JIKJI_TENSOR_FILE_LAYOUT_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "tensor/gguf_metadata.h"
#include "tensor/tensor.h"

namespace jikji {

struct TensorSpec {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // outermost first

  // Of the data; an error where the shape is negative, too large, or ends inside a block.
  Result<uint64_t> Bytes() const;
};

struct FileLayout {
  struct Place {
    uint64_t offset = 0;  // from the start of the file
    uint64_t bytes = 0;
  };
  std::string header;         // the file's first bytes
  std::vector<Place> places;  // of each tensor, as they were given
  uint64_t file_bytes = 0;    // what is in no place and not in the header is zero
};

// GGUF version 3, with the alignment that `general.alignment` asks for, else 32. Numbers are
// written as 32 bits where they fit without loss, else as 64: what llama.cpp expects of the keys it
// reads. Tensors lie in the order given.
Result<FileLayout> LayoutGguf(const GgufMetadata& metadata, std::span<const TensorSpec> tensors);

// Plain types only. The data begins at a multiple of 64 bytes; tensors lie in the order given.
Result<FileLayout> LayoutSafetensors(const std::map<std::string, std::string>& metadata,
                                     std::span<const TensorSpec> tensors);

}  // namespace jikji

#endif  // JIKJI_TENSOR_FILE_LAYOUT_H_
