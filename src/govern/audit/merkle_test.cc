#include "govern/audit/merkle.h"

#include <gtest/gtest.h>

#include <string>

namespace jikji::audit {
namespace {

std::vector<Hash> Leaves(size_t count) {
  std::vector<Hash> leaves;
  for (size_t i = 0; i < count; ++i) leaves.push_back(LeafHash(std::to_string(i)));
  return leaves;
}

// RFC 6962's own definition, word for word.
Hash Plain(std::span<const Hash> leaves) {
  if (leaves.empty()) return Sha256Of({});
  if (leaves.size() == 1) return leaves[0];
  size_t split = 1;
  while (split * 2 < leaves.size()) split *= 2;
  return NodeHash(Plain(leaves.first(split)), Plain(leaves.subspan(split)));
}

TEST(Merkle, KnownHashes) {
  EXPECT_EQ(HexOf(BytesOf(MerkleTree().Root())),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(HexOf(BytesOf(LeafHash(""))),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  // RFC 4231, test case 2.
  EXPECT_EQ(HexOf(BytesOf(HmacSha256Of("Jefe", {"what do ya want ", "for nothing?"}))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(Base64Of("ab"), "YWI=");
}

TEST(Merkle, TheGrowingTreeIsThatOfTheDefinition) {
  const auto leaves = Leaves(70);
  MerkleTree tree;
  for (size_t size = 0; size <= leaves.size(); ++size) {
    EXPECT_EQ(tree.Root(), Plain(std::span(leaves).first(size)));
    EXPECT_EQ(tree.size(), size);
    if (size < leaves.size()) tree.Append(leaves[size]);
  }
}

TEST(Merkle, InclusionIsProvedForEachLeafOfEachTreeAndForNoOther) {
  const auto leaves = Leaves(33);
  for (size_t size = 1; size <= leaves.size(); ++size) {
    const auto tree = std::span(leaves).first(size);
    const Hash root = Plain(tree);
    for (size_t index = 0; index < size; ++index) {
      auto proof = InclusionProof(tree, index);
      EXPECT_TRUE(VerifyInclusion(leaves[index], index, size, proof, root));
      EXPECT_FALSE(VerifyInclusion(leaves[(index + 1) % 33], index, size, proof, root));
      if (size > 1) {
        EXPECT_FALSE(VerifyInclusion(leaves[index], (index + 1) % size, size, proof, root));
      }
      EXPECT_FALSE(VerifyInclusion(leaves[index], size, size, proof, root));
      for (Hash& hash : proof) {
        hash[0] ^= 1;
        EXPECT_FALSE(VerifyInclusion(leaves[index], index, size, proof, root));
        hash[0] ^= 1;
      }
      proof.push_back(root);
      EXPECT_FALSE(VerifyInclusion(leaves[index], index, size, proof, root));
    }
  }
}

TEST(Merkle, ConsistencyIsProvedForEachBeginningAndForNoOther) {
  const auto leaves = Leaves(33);
  for (size_t size = 1; size <= leaves.size(); ++size) {
    const auto tree = std::span(leaves).first(size);
    const Hash root = Plain(tree);
    for (size_t old_size = 1; old_size <= size; ++old_size) {
      const Hash old_root = Plain(tree.first(old_size));
      auto proof = ConsistencyProof(tree, old_size);
      EXPECT_TRUE(VerifyConsistency(old_size, old_root, size, root, proof));
      Hash other = old_root;
      other[5] ^= 4;
      EXPECT_FALSE(VerifyConsistency(old_size, other, size, root, proof));
      EXPECT_FALSE(VerifyConsistency(size + 1, old_root, size, root, proof));
      for (Hash& hash : proof) {
        hash[0] ^= 1;
        EXPECT_FALSE(VerifyConsistency(old_size, old_root, size, root, proof));
        hash[0] ^= 1;
      }
    }
  }
}

}  // namespace
}  // namespace jikji::audit
