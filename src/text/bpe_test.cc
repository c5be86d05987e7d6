#include "text/bpe.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <thread>

namespace jikji {
namespace {

// a, b and all their doublings: aa, aaaa, ...; runs of one letter merge in many rounds.
BpeParts Doublings() {
  std::vector<std::string> tokens = {"a", "b"};
  std::vector<BpeMerge> merges;
  for (int round = 0; round < 6; ++round) {
    for (SymbolId letter = 0; letter < 2; ++letter) {
      const SymbolId half = 2 * round + letter;
      merges.push_back({half, half, half + 2, static_cast<uint32_t>(merges.size())});
      tokens.push_back(tokens[static_cast<size_t>(half)] + tokens[static_cast<size_t>(half)]);
    }
  }
  BpeParts parts;
  parts.symbols = StringTable(std::vector<std::string_view>(tokens.begin(), tokens.end()));
  parts.vocab_size = parts.symbols.size();
  parts.merges = std::move(merges);
  parts.by_bytes = true;
  return parts;
}

std::vector<TokenId> Encoded(const Bpe& bpe, std::string_view piece) {
  std::vector<TokenId> out;
  bpe.Encode(piece, out);
  return out;
}

// The definition: again and again, all occurrences compete and the lowest rank, leftmost, merges.
std::vector<TokenId> Naive(const std::vector<BpeMerge>& merges, std::vector<TokenId> ids) {
  for (;;) {
    size_t at = ids.size();
    const BpeMerge* best = nullptr;
    for (size_t i = 0; i + 1 < ids.size(); ++i) {
      for (const BpeMerge& merge : merges) {
        if (merge.left != ids[i] || merge.right != ids[i + 1]) continue;
        if (best == nullptr || merge.rank < best->rank) {
          best = &merge;
          at = i;
        }
      }
    }
    if (best == nullptr) return ids;
    ids[at] = best->merged;
    ids.erase(ids.begin() + static_cast<ptrdiff_t>(at) + 1);
  }
}

TEST(BpeTest, EqualsItsDefinitionForShortAndLongPieces) {
  const Bpe bpe(Doublings());
  const std::vector<BpeMerge> merges = Doublings().merges;
  std::mt19937 random(1);
  for (int i = 0; i < 500; ++i) {
    std::string piece;
    std::vector<TokenId> letters;
    const size_t length = random() % 120;
    for (size_t k = 0; k < length; ++k) {
      letters.push_back(random() % 8 == 0 ? 1 : 0);
      piece += letters.back() == 0 ? 'a' : 'b';
    }
    ASSERT_EQ(Encoded(bpe, piece), Naive(merges, letters)) << piece;
  }
}

TEST(BpeTest, AHostilePieceCostsNLogN) {
  const Bpe bpe(Doublings());
  for (const size_t length : {size_t{1} << 16, size_t{1} << 20}) {
    std::string same(length, 'a');
    std::string mixed = same;
    for (size_t i = 0; i < length; i += 3) mixed[i] = 'b';
    for (const std::string& piece : {same, mixed}) {
      std::vector<TokenId> out;
      const uint64_t work = bpe.EncodeCounted(piece, out);
      EXPECT_FALSE(out.empty());
      // Each of n - 1 merges at most looks two pairs up and pushes two entries, each popped once.
      const double n = static_cast<double>(length);
      EXPECT_LT(static_cast<double>(work), 8 * n * std::log2(n)) << length;
    }
  }
}

TEST(BpeTest, CacheKeepsModelsApart) {
  const Bpe doublings(Doublings());
  BpeParts plain = Doublings();
  plain.merges.clear();
  const Bpe letters(std::move(plain));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Encoded(doublings, "aab"), (std::vector<TokenId>{2, 1}));
    EXPECT_EQ(Encoded(letters, "aab"), (std::vector<TokenId>{0, 0, 1}));
  }
}

TEST(BpeTest, ThreadsShareAModel) {
  const Bpe bpe(Doublings());
  const auto expected = Encoded(bpe, "aaabbbaab");
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 2000; ++i) {
        if (Encoded(bpe, "aaabbbaab") != expected) ++wrong[t];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

// Characters: 0 <unk>, 1 가, 2 나, 3 가나, 4 ▁, 5 ▁가.
BpeParts Characters() {
  static constexpr std::string_view kTokens[] = {"<unk>", "가", "나", "가나", "▁", "▁가"};
  BpeParts parts;
  parts.symbols = StringTable(kTokens);
  parts.vocab_size = 6;
  parts.merges = {{1, 2, 3, 0}, {4, 1, 5, 1}};
  parts.unknown = 0;
  return parts;
}

TEST(BpeTest, UnknownCharacters) {
  BpeParts parts = Characters();
  EXPECT_EQ(Encoded(Bpe(parts), "가다라나"), (std::vector<TokenId>{1, 0, 0, 2}));
  parts.fuse_unknown = true;
  EXPECT_EQ(Encoded(Bpe(parts), "가다라나"), (std::vector<TokenId>{1, 0, 2}));
  parts.unknown = -1;
  EXPECT_EQ(Encoded(Bpe(parts), "가다라나"), (std::vector<TokenId>{3}));  // left out, as tokenizers
}

TEST(BpeTest, MergesGoOnAcrossSpaces) {
  const Bpe bpe(Characters());
  EXPECT_EQ(Encoded(bpe, "▁가나▁가▁▁나"), (std::vector<TokenId>{4, 3, 5, 4, 4, 2}));
}

TEST(ByteTokenTest, Parse) {
  EXPECT_EQ(ParseByteToken("<0x0A>"), 10);
  EXPECT_EQ(ParseByteToken("<0xFF>"), 255);
  EXPECT_EQ(ParseByteToken("<0x0A"), -1);
  EXPECT_EQ(ParseByteToken("<0xG0>"), -1);
}

}  // namespace
}  // namespace jikji
