#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <random>

#include "adapt/tokenizer/extend_model.h"
#include "adapt/tokenizer/train_tokenizer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/test_rounds.h"
#include "model/golden_models.h"
#include "model/model.h"
#include "text/byte_level.h"
#include "text/tokenizer_json.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

// Sennrich's algorithm as it is told: count every pair anew, each time.
std::vector<LearntMerge> TrainPlainly(std::vector<std::string> tokens,
                                      std::vector<std::pair<std::vector<TokenId>, int64_t>> words,
                                      int64_t wanted) {
  std::vector<LearntMerge> merges;
  for (int64_t made = 0; made < wanted;) {
    std::map<std::pair<TokenId, TokenId>, int64_t> counts;
    for (const auto& [symbols, count] : words) {
      for (size_t i = 0; i + 1 < symbols.size(); ++i) counts[{symbols[i], symbols[i + 1]}] += count;
    }
    auto best = counts.end();
    for (auto it = counts.begin(); it != counts.end(); ++it) {
      if (best == counts.end() || it->second > best->second) best = it;
    }
    if (best == counts.end() || best->second < 2) break;
    const auto [left, right] = best->first;
    const std::string joined =
        tokens[static_cast<size_t>(left)] + tokens[static_cast<size_t>(right)];
    const auto found = std::ranges::find(tokens, joined);
    const auto merged = static_cast<TokenId>(found - tokens.begin());
    if (found == tokens.end()) {
      tokens.push_back(joined);
      ++made;
    }
    const bool seen = std::ranges::any_of(merges, [&](const LearntMerge& merge) {
      return merge.left == left && merge.right == right;
    });
    if (!seen) merges.push_back({left, right, merged});
    for (auto& [symbols, count] : words) {
      std::vector<TokenId> out;
      for (size_t i = 0; i < symbols.size(); ++i) {
        const bool here = i + 1 < symbols.size() && symbols[i] == left && symbols[i + 1] == right;
        out.push_back(here ? merged : symbols[i]);
        if (here) ++i;
      }
      symbols = out;
    }
  }
  return merges;
}

TEST(BpeTrainerTest, LearnsWhatThePlainAlgorithmLearns) {
  std::mt19937 random(7);
  for (int round = 0; round < TestRounds(200); ++round) {
    const size_t letters = 2 + random() % 3;
    std::vector<std::string> tokens;
    for (size_t i = 0; i < letters; ++i) tokens.emplace_back(1, static_cast<char>('a' + i));
    std::vector<std::pair<std::vector<TokenId>, int64_t>> words;
    BpeTrainer trainer(tokens);
    for (size_t i = 0; i < 1 + random() % 30; ++i) {
      std::vector<TokenId> word(2 + random() % 9);
      for (TokenId& symbol : word) symbol = static_cast<TokenId>(random() % letters);
      words.emplace_back(word, 1 + random() % 5);
      trainer.AddWord(words.back().first, words.back().second);
    }
    const auto wanted = static_cast<int64_t>(random() % 20);
    const auto expected = TrainPlainly(tokens, words, wanted);
    const auto merges = trainer.Train(wanted, 2);
    ASSERT_EQ(merges.size(), expected.size()) << round;
    for (size_t i = 0; i < merges.size(); ++i) {
      ASSERT_EQ(merges[i].left, expected[i].left) << round << " " << i;
      ASSERT_EQ(merges[i].right, expected[i].right) << round << " " << i;
      ASSERT_EQ(merges[i].merged, expected[i].merged) << round << " " << i;
    }
  }
}

class TokenizerTest : public ::testing::Test {
 protected:
  // Statutes in miniature, some hundred lines of them.
  fs::path Corpus() {
    std::mt19937 random(3);
    const char* subjects[] = {"국민은", "모든 국민은", "대통령은", "국회는", "법원은"};
    const char* verbs[] = {"법률이 정하는 바에 의하여", "헌법에 따라", "언제든지", "제한 없이"};
    const char* ends[] = {"권리를 가진다.", "의무를 진다.", "임명한다.", "선거한다. (2026년 개정)"};
    std::string text;
    for (int i = 0; i < 600; ++i) {
      text += std::string(subjects[random() % 5]) + " " + verbs[random() % 4] + " " +
              ends[random() % 4] + "\n";
    }
    text += "\xFF broken\n";
    const fs::path path = folder_.path() / "corpus.txt";
    EXPECT_TRUE(WriteFileAtomic(path, text));
    return path;
  }
  Result<WordCounts> Counts(const fs::path& file, std::string_view pattern, size_t threads = 2) {
    ThreadPool pool(threads);
    return WordCounts::Read(std::span(&file, 1), *FindScanner(pattern), pool);
  }

  TemporaryFolder folder_;
};

TEST_F(TokenizerTest, CountsDoNotDependOnThreads) {
  const fs::path corpus = Corpus();
  const auto one = Counts(corpus, kCl100kPattern, 1), three = Counts(corpus, kCl100kPattern, 3);
  ASSERT_TRUE(one && three);
  EXPECT_EQ(one->corpus().lines, 600);
  EXPECT_EQ(one->corpus().bad_lines, 1);
  ASSERT_EQ(one->words().size(), three->words().size());
  for (size_t i = 0; i < one->words().size(); ++i) {
    EXPECT_EQ(one->words()[i].text, three->words()[i].text);
    EXPECT_EQ(one->words()[i].count, three->words()[i].count);
  }
}

TEST_F(TokenizerTest, TrainedOnesRoundTripAndShorten) {
  const auto counts = Counts(Corpus(), kCl100kPattern);
  ASSERT_TRUE(counts);
  const auto made = TrainTokenizer(*counts, kCl100kPattern, {"<|b|>", "<|e|>"}, 400);
  ASSERT_TRUE(made) << made.error().ToString();
  const auto tokenizer = ParseTokenizerJson(boost::json::serialize(made->root), "tokenizer.json");
  ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
  EXPECT_EQ((*tokenizer)->vocab_size(), made->tokens);
  EXPECT_LE(made->tokens, 400);
  const std::string text =
      "모든 국민은 법률이 정하는 바에 의하여 권리를 가진다. 😀 \xEA\xB0\x80 x\n";
  const auto ids = (*tokenizer)->Encode(text);
  EXPECT_EQ((*tokenizer)->Decode(ids), text);
  EXPECT_LT(ids.size(), 30u);  // of 100 bytes
  EXPECT_EQ((*tokenizer)->Encode("<|e|>", {.parse_special = true}), std::vector<TokenId>{1});
  EXPECT_FALSE(TrainTokenizer(*counts, kCl100kPattern, {"<|b|>"}, 256));
}

TEST_F(TokenizerTest, AnExtendedOneAgreesWithItsBaseBeyondHangul) {
  const auto base = TokenizerFile::Open(fs::path(JIKJI_SOURCE_DIR) / "models/jikji-mini-ko");
  ASSERT_TRUE(base) << base.error().ToString();
  const auto counts = Counts(Corpus(), base->pattern);
  ASSERT_TRUE(counts);
  const auto made = ExtendTokenizer(*base, *counts, 60);
  ASSERT_TRUE(made) << made.error().ToString();
  EXPECT_EQ(made->first, base->tokenizer->vocab_size());
  const auto extended = ParseTokenizerJson(boost::json::serialize(made->root), "tokenizer.json");
  ASSERT_TRUE(extended) << extended.error().ToString();
  EXPECT_EQ(std::cmp_equal((*extended)->vocab_size(),
                           made->first + static_cast<int64_t>(made->parts.size())),
            true);
  for (const char* text :
       {"The quick brown fox, 1234567!\n\n  x = f(y)", "漢字 кириллица", "  \n\t"}) {
    EXPECT_EQ((*extended)->Encode(text), base->tokenizer->Encode(text)) << text;
  }
  const std::string korean = "모든 국민은 법률이 정하는 바에 의하여 의무를 진다.";
  const auto before = base->tokenizer->Encode(korean), after = (*extended)->Encode(korean);
  EXPECT_LT(after.size(), before.size());
  EXPECT_EQ((*extended)->Decode(after), korean);
  // Each new token is the old ones that it is said to be made of.
  std::vector<TokenId> expanded;
  for (const TokenId id : after) {
    if (id < made->first) {
      expanded.push_back(id);
    } else {
      const auto& parts = made->parts[static_cast<size_t>(id - made->first)];
      expanded.insert(expanded.end(), parts.begin(), parts.end());
    }
  }
  EXPECT_EQ(expanded, before);
}

TEST_F(TokenizerTest, AnExtendedModelHasTheMeansOfItsParts) {
  const fs::path source = fs::path(JIKJI_SOURCE_DIR) / "models/jikji-mini-ko";
  const auto base = TokenizerFile::Open(source);
  ASSERT_TRUE(base);
  const auto counts = Counts(Corpus(), base->pattern);
  ASSERT_TRUE(counts);
  const auto made = ExtendTokenizer(*base, *counts, 40);
  ASSERT_TRUE(made);
  ThreadPool pool(2);
  const fs::path out = folder_.path() / "extended";
  const auto done = ExtendModel(source, out, *made, pool);
  ASSERT_TRUE(done) << done.error().ToString();
  const auto before = DescribeModel(source), after = DescribeModel(out);
  ASSERT_TRUE(after) << after.error().ToString();
  EXPECT_EQ(after->template_source, before->template_source);
  EXPECT_EQ(after->stop_ids, before->stop_ids);
  EXPECT_EQ(after->spec.vocab, made->first + static_cast<int64_t>(made->parts.size()));
  const TensorView& old_rows = *before->checkpoint->Find("model.embed_tokens.weight");
  const TensorView& new_rows = *after->checkpoint->Find("model.embed_tokens.weight");
  EXPECT_EQ(new_rows.dtype, old_rows.dtype);
  EXPECT_TRUE(std::ranges::equal(old_rows.data, new_rows.data.first(old_rows.data.size())));
  const auto width = static_cast<size_t>(old_rows.cols());
  const auto all = UnpackTensor(new_rows);
  ASSERT_TRUE(all);
  for (size_t i = 0; i < made->parts.size(); ++i) {
    double expected = 0;
    for (const TokenId id : made->parts[i]) expected += (*all)[static_cast<size_t>(id) * width + 5];
    expected /= static_cast<double>(made->parts[i].size());
    const float got = (*all)[(static_cast<size_t>(made->first) + i) * width + 5];
    EXPECT_NEAR(got, expected, std::abs(expected) / 128 + 1e-6) << i;  // BF16 has 8 bits
  }
}

TEST_F(TokenizerTest, OfATextWithoutAnythingToLearnNothingIsMade) {
  const fs::path none = folder_.path() / "none.txt", latin = folder_.path() / "latin.txt";
  ASSERT_TRUE(WriteFileAtomic(none, "\xFF\n"));
  ASSERT_TRUE(WriteFileAtomic(latin, "abc abc abc abc\n"));
  EXPECT_FALSE(TrainTokenizer(*Counts(none, kCl100kPattern), kCl100kPattern, {}, 400));
  const auto base = TokenizerFile::Open(fs::path(JIKJI_SOURCE_DIR) / "models/jikji-mini-ko");
  ASSERT_TRUE(base);
  const auto extended = ExtendTokenizer(*base, *Counts(latin, base->pattern), 60);
  ASSERT_FALSE(extended);
  EXPECT_THAT(extended.error().message, HasSubstr("no words with Hangul"));
  EXPECT_THAT(TokenizerFile::Open("model.gguf").error().message, HasSubstr("adapt convert"));
}

TEST_F(TokenizerTest, OtherTokenizersAreRefused) {
  const fs::path file = folder_.path() / "tokenizer.json";
  ASSERT_TRUE(WriteFileAtomic(file, R"({"model":{"type":"BPE","vocab":{},"merges":[]}})"));
  const auto refused = TokenizerFile::Open(folder_.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
  EXPECT_THAT(refused.error().message, HasSubstr("no byte-level BPE"));
}

}  // namespace
}  // namespace jikji
