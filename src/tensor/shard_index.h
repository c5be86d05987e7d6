// Reads `model.safetensors.index.json`: which file of a folder holds which tensor.
//
// Contract: no key comes twice, and each file is named by a plain name that ends in `.safetensors`
// and leads nowhere but into the folder itself. Non-goals: `metadata`, which is skipped.
#ifndef JIKJI_TENSOR_SHARD_INDEX_H_
#define JIKJI_TENSOR_SHARD_INDEX_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji {

// File name to the names of its tensors, sorted.
using ShardIndex = std::map<std::string, std::vector<std::string>>;

// `name` stands for the file in errors.
Result<ShardIndex> ParseShardIndex(std::string_view text, std::string_view name);

}  // namespace jikji

#endif  // JIKJI_TENSOR_SHARD_INDEX_H_
