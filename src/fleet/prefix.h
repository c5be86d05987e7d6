// The name of a prompt's beginning: one hash for each full block, each chained to those before it.
//
// Two prompts share their first n blocks exactly if their first n hashes are equal (but for a
// collision of 64 bits). Non-goals: cryptographic strength; a hash never leaves the site, and a
// wrong match costs speed, never an answer.
#ifndef JIKJI_FLEET_PREFIX_H_
#define JIKJI_FLEET_PREFIX_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace jikji::fleet {

// A good mix of one word (the finalizer of SplitMix64); deterministic choices are drawn from it.
constexpr uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
  return x ^ (x >> 31);
}

// One of `count` for a mixed word, without a division.
constexpr uint64_t Below(uint64_t mixed, uint64_t count) {
  return static_cast<uint64_t>((static_cast<unsigned __int128>(mixed) * count) >> 64);
}

// The hash of a block after those that `before` stands for.
constexpr uint64_t Chain(uint64_t before, uint64_t block) { return Mix(before ^ Mix(block)); }

// Hashes of the whole blocks of `block_bytes` at the front of `text`, at most `max_blocks`. `salt`
// parts those who must not learn of each other's prompts (tenants) from one another.
std::vector<uint64_t> PrefixHashes(std::string_view text, size_t block_bytes, size_t max_blocks,
                                   uint64_t salt);

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_PREFIX_H_
