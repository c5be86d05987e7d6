#include "measure/perplexity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>
#include <vector>

namespace jikji::measure {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

constexpr int32_t kVocab = 1000;

// Expects after token t the token t + 1, with logit `certainty` over zeros, and remembers what it
// read at the start of each window and which positions were asked for.
class CountingDecoder : public Decoder {
 public:
  explicit CountingDecoder(float certainty) : certainty_(certainty) {
    spec_.heads = spec_.kv_heads = 1;
    spec_.head_dim = spec_.hidden = spec_.intermediate = 8;
    spec_.vocab = kVocab;
    spec_.max_position = 4096;
    spec_.layers.resize(1);
  }
  const DecoderSpec& spec() const override { return spec_; }
  Result<> Forward(const Batch& batch, KvCache&, std::span<float> logits, ThreadPool&) override {
    const auto& slice = batch.slices[0];
    if (slice.start == 0) starts.push_back(batch.tokens[0]);
    std::fill(logits.begin(), logits.end(), 0.0f);
    for (size_t i = 0; i < batch.logit_rows.size(); ++i) {
      const auto row = static_cast<size_t>(batch.logit_rows[i]);
      asked.push_back(slice.start + batch.logit_rows[i]);
      logits[i * kVocab + static_cast<size_t>(batch.tokens[row] + 1) % kVocab] = certainty_;
    }
    return {};
  }

  std::vector<int32_t> starts, asked;

 private:
  DecoderSpec spec_;
  float certainty_;
};

std::vector<int32_t> Counting(int32_t count) {
  std::vector<int32_t> tokens(static_cast<size_t>(count));
  std::iota(tokens.begin(), tokens.end(), 0);
  for (int32_t& token : tokens) token %= kVocab;
  return tokens;
}

TEST(PerplexityTest, WhoKnowsNothingIsAsPerplexedAsTheVocabularyIsLarge) {
  CountingDecoder decoder(0);
  ThreadPool pool(1);
  const auto result = MeasurePerplexity(decoder, Counting(1024), {}, pool);
  ASSERT_TRUE(result);
  EXPECT_NEAR(result->perplexity, kVocab, 1e-9 * kVocab);
  EXPECT_NEAR(result->standard_error, 0, 1e-6);
}

TEST(PerplexityTest, TheSecondHalfOfEachWindowIsScored) {
  CountingDecoder decoder(10);
  ThreadPool pool(1);
  // What is left over at the end, here in another order, must not count.
  auto tokens = Counting(3 * 600 + 599);
  std::reverse(tokens.begin() + 3 * 600, tokens.end());
  const auto result = MeasurePerplexity(decoder, tokens, {.window = 600}, pool);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->windows, 3);
  EXPECT_EQ(result->scored, 3 * 299);
  const double surprise = std::log((std::exp(10.0) + kVocab - 1) / std::exp(10.0));
  EXPECT_NEAR(result->perplexity, std::exp(surprise), 1e-6);
  std::vector<int32_t> asked;
  for (int window = 0; window < 3; ++window) {
    for (int32_t p = 300; p < 599; ++p) asked.push_back(p);
  }
  EXPECT_EQ(decoder.asked, asked);
  EXPECT_THAT(decoder.starts, ElementsAre(0, 600, 200));
}

TEST(PerplexityTest, BosTakesTheFirstTokensPlace) {
  CountingDecoder decoder(10);
  ThreadPool pool(1);
  ASSERT_TRUE(MeasurePerplexity(decoder, Counting(100),
                                {.window = 10, .most_windows = 4, .bos = 77}, pool));
  EXPECT_EQ(decoder.starts.size(), 4u);
  EXPECT_THAT(decoder.starts, Each(77));
}

TEST(PerplexityTest, AShortTextAndAWrongWindowAreErrors) {
  CountingDecoder decoder(0);
  ThreadPool pool(1);
  EXPECT_FALSE(MeasurePerplexity(decoder, Counting(1023), {}, pool));
  for (const int32_t window : {0, 2, 7, 4098}) {
    EXPECT_FALSE(MeasurePerplexity(decoder, Counting(10000), {.window = window}, pool)) << window;
  }
}

}  // namespace
}  // namespace jikji::measure
