// The files of weights that a hub stores, and which of them may be made from which.
#ifndef JIKJI_HUB_COMPACT_INVENTORY_H_
#define JIKJI_HUB_COMPACT_INVENTORY_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "hub/hub.h"

namespace jikji::hub {

struct WeightFile {
  Digest digest{};
  uint64_t size = 0;
  std::string path;  // as it was first committed
  int64_t repository = 0;
  std::string model;                 // OWNER/NAME of that repository
  std::vector<int64_t> bases;        // repositories that its card names and that are here
  std::vector<std::string> sources;  // digests that it is made from; empty: it is plain
  bool is_source = false;            // others are made from it
};

// Safetensors and GGUF files of at least `least_bytes` that any commit holds, each once. Those
// whose card names no model of this hub come first; within that, the oldest.
Result<std::vector<WeightFile>> ListWeights(Hub& hub, Database& database, uint64_t least_bytes);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_COMPACT_INVENTORY_H_
