#include "govern/audit/merkle.h"

#include <bit>

namespace jikji::audit {
namespace {

// The largest power of two below `size`, which is at least 2.
uint64_t SplitOf(uint64_t size) { return std::bit_floor(size - 1); }

// RFC 9162, 2.1.4.1: SUBPROOF(size, leaves, whole).
void Subproof(std::span<const Hash> leaves, uint64_t size, bool whole, std::vector<Hash>& proof) {
  if (size == leaves.size()) {
    if (!whole) proof.push_back(RootOf(leaves));
    return;
  }
  const uint64_t split = SplitOf(leaves.size());
  if (size <= split) {
    Subproof(leaves.first(split), size, whole, proof);
    proof.push_back(RootOf(leaves.subspan(split)));
  } else {
    Subproof(leaves.subspan(split), size - split, false, proof);
    proof.push_back(RootOf(leaves.first(split)));
  }
}

}  // namespace

Hash LeafHash(std::string_view record) { return Sha256Of({{"\0", 1}, record}); }

Hash NodeHash(const Hash& left, const Hash& right) {
  return Sha256Of({{"\1", 1}, BytesOf(left), BytesOf(right)});
}

void MerkleTree::Append(const Hash& leaf) {
  Hash hash = leaf;
  // Each trailing one bit of the size is a perfect tree that now becomes half of a larger one.
  for (uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    hash = NodeHash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  ++size_;
}

Hash MerkleTree::Root() const {
  if (peaks_.empty()) return Sha256Of({});
  Hash root = peaks_.back();
  for (size_t i = peaks_.size() - 1; i-- > 0;) root = NodeHash(peaks_[i], root);
  return root;
}

Hash RootOf(std::span<const Hash> leaves) {
  MerkleTree tree;
  for (const Hash& leaf : leaves) tree.Append(leaf);
  return tree.Root();
}

std::vector<Hash> InclusionProof(std::span<const Hash> leaves, uint64_t index) {
  if (leaves.size() == 1) return {};
  const uint64_t split = SplitOf(leaves.size());
  const bool left = index < split;
  std::vector<Hash> proof = left ? InclusionProof(leaves.first(split), index)
                                 : InclusionProof(leaves.subspan(split), index - split);
  proof.push_back(RootOf(left ? leaves.subspan(split) : leaves.first(split)));
  return proof;
}

std::vector<Hash> ConsistencyProof(std::span<const Hash> leaves, uint64_t size) {
  std::vector<Hash> proof;
  Subproof(leaves, size, true, proof);
  return proof;
}

bool VerifyInclusion(const Hash& leaf, uint64_t index, uint64_t size, std::span<const Hash> proof,
                     const Hash& root) {
  if (index >= size) return false;
  Hash hash = leaf;
  uint64_t node = index;
  uint64_t last = size - 1;
  for (const Hash& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      hash = NodeHash(sibling, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = NodeHash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

bool VerifyConsistency(uint64_t old_size, const Hash& old_root, uint64_t size, const Hash& root,
                       std::span<const Hash> proof) {
  if (old_size == 0 || old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  uint64_t node = old_size - 1;
  uint64_t last = size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  // Where the old tree is perfect, its root is the proof's first hash, left out.
  if (node != 0) {
    if (proof.empty()) return false;
  }
  Hash old_hash = node != 0 ? proof.front() : old_root;
  Hash new_hash = old_hash;
  for (const Hash& sibling : proof.subspan(node != 0 ? 1 : 0)) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      old_hash = NodeHash(sibling, old_hash);
      new_hash = NodeHash(sibling, new_hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      new_hash = NodeHash(new_hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && old_hash == old_root && new_hash == root;
}

}  // namespace jikji::audit
