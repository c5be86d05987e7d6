#include "measure/harness/text_bits.h"

#include <gtest/gtest.h>

#include <numbers>
#include <numeric>

#include "engine/fake_model.h"

namespace jikji::measure {
namespace {

std::unique_ptr<Engine> StartFake() {
  EngineOptions options;
  options.threads = 1;
  options.context = 64;
  options.page_tokens = 4;
  auto engine = Engine::Start(FakeModel(), options);
  EXPECT_TRUE(engine) << engine.error().ToString();
  return std::move(*engine);
}

TEST(TextBitsTest, EveryTokenCountsOnce) {
  const auto engine = StartFake();
  Scorer scorer(*engine);
  const std::string text(3000, 'a');
  const auto bits = TextBits(scorer, text, 32);
  ASSERT_TRUE(bits) << bits.error().ToString();
  EXPECT_EQ(bits->second, (std::vector<double>{1024, 1024, 952}));
  // The same, summed by hand.
  const auto tokens = engine->model().tokenizer->Encode(text);
  const auto logprobs = scorer.Score(RollingWindows(tokens, 0, 32));
  ASSERT_TRUE(logprobs);
  double sum = 0;
  for (const auto& window : *logprobs) sum += std::accumulate(window.begin(), window.end(), 0.0);
  EXPECT_NEAR(bits->Value(), -sum / std::numbers::ln2 / 3000, 1e-9);
}

TEST(TextBitsTest, AWrongWindowAndNoTextAreErrors) {
  const auto engine = StartFake();
  Scorer scorer(*engine);
  EXPECT_FALSE(TextBits(scorer, "봄", 1));
  EXPECT_FALSE(TextBits(scorer, "봄", 65));
  EXPECT_FALSE(TextBits(scorer, "", 32));
  EXPECT_TRUE(TextBits(scorer, "봄", 64));
}

}  // namespace
}  // namespace jikji::measure
