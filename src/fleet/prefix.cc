#include "fleet/prefix.h"

#include <algorithm>
#include <cstring>

namespace jikji::fleet {
namespace {

uint64_t HashBlock(std::string_view block) {
  uint64_t hash = block.size();
  while (!block.empty()) {
    uint64_t word = 0;
    const size_t count = std::min(block.size(), sizeof word);
    std::memcpy(&word, block.data(), count);
    hash = Chain(hash, word);
    block.remove_prefix(count);
  }
  return hash;
}

}  // namespace

std::vector<uint64_t> PrefixHashes(std::string_view text, size_t block_bytes, size_t max_blocks,
                                   uint64_t salt) {
  std::vector<uint64_t> hashes;
  if (block_bytes == 0) return hashes;
  const size_t blocks = std::min(text.size() / block_bytes, max_blocks);
  hashes.reserve(blocks);
  uint64_t before = Mix(salt);
  for (size_t i = 0; i < blocks; ++i) {
    before = Chain(before, HashBlock(text.substr(i * block_bytes, block_bytes)));
    hashes.push_back(before);
  }
  return hashes;
}

}  // namespace jikji::fleet
