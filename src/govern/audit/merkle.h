// Merkle trees as certificate logs use them (RFC 9162, section 2.1, which has RFC 6962's hashing):
// one hash stands for a whole log, and short proofs show that a record is in it and that a later
// log begins with an earlier one.
#ifndef JIKJI_GOVERN_AUDIT_MERKLE_H_
#define JIKJI_GOVERN_AUDIT_MERKLE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "govern/audit/hash.h"

namespace jikji::audit {

Hash LeafHash(std::string_view record);
Hash NodeHash(const Hash& left, const Hash& right);

// A tree that grows; holds one hash for each bit of its size.
class MerkleTree {
 public:
  void Append(const Hash& leaf);
  uint64_t size() const { return size_; }
  Hash Root() const;  // of no leaf: the hash of nothing

 private:
  uint64_t size_ = 0;
  std::vector<Hash> peaks_;  // roots of the perfect subtrees, largest first
};

Hash RootOf(std::span<const Hash> leaves);

// `index` < leaves.size().
std::vector<Hash> InclusionProof(std::span<const Hash> leaves, uint64_t index);
// 0 < `size` ≤ leaves.size(): that these leaves begin with the first `size`.
std::vector<Hash> ConsistencyProof(std::span<const Hash> leaves, uint64_t size);

bool VerifyInclusion(const Hash& leaf, uint64_t index, uint64_t size, std::span<const Hash> proof,
                     const Hash& root);
bool VerifyConsistency(uint64_t old_size, const Hash& old_root, uint64_t size, const Hash& root,
                       std::span<const Hash> proof);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_MERKLE_H_
