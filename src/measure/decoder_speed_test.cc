#include "measure/decoder_speed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <vector>

namespace jikji::measure {
namespace {

using ::testing::ElementsAre;

// Computes nothing; remembers what it was asked for.
class RecordingDecoder : public Decoder {
 public:
  struct Step {
    int32_t rows, start, last_logit;
    size_t slices;
    std::set<int32_t> pages;
    size_t page_uses;
  };

  RecordingDecoder() {
    spec_.heads = spec_.kv_heads = 2;
    spec_.head_dim = spec_.hidden = spec_.intermediate = 8;
    spec_.vocab = 32;
    spec_.max_position = 1024;
    spec_.layers.resize(2);
  }
  const DecoderSpec& spec() const override { return spec_; }
  Result<> Forward(const Batch& batch, KvCache& cache, std::span<float> logits,
                   ThreadPool&) override {
    EXPECT_EQ(logits.size(), batch.logit_rows.size() * 32);
    for (const int32_t token : batch.tokens) EXPECT_TRUE(token >= 0 && token < 32);
    Step step{.rows = static_cast<int32_t>(batch.tokens.size()),
              .start = batch.slices[0].start,
              .last_logit = batch.logit_rows.back(),
              .slices = batch.slices.size(),
              .pages = {},
              .page_uses = 0};
    for (const auto& slice : batch.slices) {
      step.pages.insert(slice.pages.begin(), slice.pages.end());
      step.page_uses += slice.pages.size();
      EXPECT_LE(slice.start + slice.tokens,
                static_cast<int32_t>(slice.pages.size()) * cache.page_tokens());
    }
    written_ &= *cache.Layer(1).values != std::byte{};
    steps.push_back(step);
    return {};
  }
  bool written() const { return written_; }

  std::vector<Step> steps;

 private:
  DecoderSpec spec_;
  bool written_ = true;
};

TEST(DecoderSpeedTest, PrefillGoesInStepsFromTheDepthAndAsksForTheLastLogits) {
  RecordingDecoder decoder;
  ThreadPool pool(1);
  const auto speed =
      PrefillSpeed(decoder, 100, {.depth = 50, .repeat = 2, .step_tokens = 64}, pool);
  ASSERT_TRUE(speed);
  EXPECT_GT(*speed, 0);
  std::vector<int32_t> rows, starts;
  for (const auto& step : decoder.steps) {
    rows.push_back(step.rows);
    starts.push_back(step.start);
    EXPECT_EQ(step.last_logit, step.rows - 1);
  }
  EXPECT_THAT(rows, ElementsAre(64, 64, 36, 64, 36));
  EXPECT_THAT(starts, ElementsAre(50, 50, 114, 50, 114));
}

TEST(DecoderSpeedTest, DecodeStepsEveryStreamOverPagesOfItsOwnThatWereWritten) {
  RecordingDecoder decoder;
  ThreadPool pool(1);
  ASSERT_TRUE(DecodeSpeed(decoder, 5, {.depth = 30, .generate = 4, .repeat = 1}, pool));
  ASSERT_EQ(decoder.steps.size(), 5u);
  EXPECT_TRUE(decoder.written());
  for (size_t i = 0; i < decoder.steps.size(); ++i) {
    const auto& step = decoder.steps[i];
    EXPECT_EQ(step.rows, 5);
    EXPECT_EQ(step.slices, 5u);
    EXPECT_EQ(step.start, i == 0 ? 30 : 29 + static_cast<int32_t>(i));
    EXPECT_EQ(step.pages.size(), step.page_uses) << "two streams share a page";
  }
}

TEST(DecoderSpeedTest, MoreThanTheContextIsAnError) {
  RecordingDecoder decoder;
  ThreadPool pool(1);
  const auto speed = PrefillSpeed(decoder, 1000, {.depth = 25}, pool);
  ASSERT_FALSE(speed);
  EXPECT_EQ(speed.error().code, ErrorCode::kInvalidArgument);
  EXPECT_TRUE(decoder.steps.empty());
}

}  // namespace
}  // namespace jikji::measure
