#include "measure/harness/scorer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "engine/fake_model.h"
#include "engine/logprobs.h"

namespace jikji::measure {
namespace {

std::unique_ptr<Engine> StartFake(size_t max_queued = 16) {
  EngineOptions options;
  options.threads = 1;
  options.context = 128;
  options.page_tokens = 4;
  options.max_running = 4;
  options.step_tokens = 16;
  options.max_queued = max_queued;
  auto engine = Engine::Start(FakeModel(), options);
  EXPECT_TRUE(engine) << engine.error().ToString();
  return std::move(*engine);
}

// By definition: the whole history, no cache.
float LogProb(const std::vector<TokenId>& tokens, size_t position) {
  std::vector<float> logits(300);
  FakeDecoder::Logits({tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(position)}, logits);
  const double sum = LogSumExp(logits, *std::ranges::max_element(logits));
  return static_cast<float>(logits[static_cast<size_t>(tokens[position])] - sum);
}

TEST(ScorerTest, ScoresAreThoseOfTheWholeHistory) {
  const auto engine = StartFake();
  Scorer scorer(*engine);
  std::mt19937 random(5);
  std::vector<ScoreTokens> texts;
  std::vector<TokenId> context;
  for (int i = 0; i < 300; ++i) {
    // Four endings of each context, as tasks have them.
    if (i % 4 == 0) {
      context.resize(1 + random() % 80);
      for (TokenId& token : context) token = static_cast<TokenId>(4 + random() % 200);
    }
    ScoreTokens text{.tokens = context, .scored = 1 + random() % 20};
    for (size_t k = 0; k < text.scored; ++k) {
      text.tokens.push_back(static_cast<TokenId>(4 + random() % 200));
    }
    texts.push_back(std::move(text));
  }
  double last = 0;
  const auto scores = scorer.Score(texts, [&](double share) {
    EXPECT_GE(share, last);
    EXPECT_LE(share, 1);
    last = share;
  });
  ASSERT_TRUE(scores) << scores.error().ToString();
  ASSERT_EQ(scores->size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto& [tokens, scored] = texts[i];
    ASSERT_EQ((*scores)[i].size(), scored);
    for (size_t k = 0; k < scored; ++k) {
      ASSERT_EQ((*scores)[i][k], LogProb(tokens, tokens.size() - scored + k));
    }
  }
  EXPECT_GT(engine->stats().prefix_hits, 0) << "endings of one context share its pages";
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(ScorerTest, TheFirstErrorIsTold) {
  const auto engine = StartFake();
  Scorer scorer(*engine);
  std::vector<ScoreTokens> texts(20, {.tokens = {4, 5, 6}, .scored = 1});
  texts[7].tokens = {4, FakeDecoder::kPoison, 6};
  EXPECT_EQ(scorer.Score(texts).error().code, ErrorCode::kInternal);
  texts[7].tokens.assign(500, 4);
  EXPECT_EQ(scorer.Score(texts).error().code, ErrorCode::kInvalidArgument);
  texts[7].tokens = {4, 5};
  EXPECT_TRUE(scorer.Score(texts)) << "and the engine goes on";
}

TEST(ScorerTest, GeneratesGreedilyUpToTheStop) {
  const auto engine = StartFake(1);
  Scorer scorer(*engine);
  const std::vector<TokenId> start = {10, 20, 30};
  const auto free =
      scorer.Generate(std::vector<Prompt>{{.tokens = start, .stop = {}, .max_tokens = 30}});
  ASSERT_TRUE(free);
  const std::string whole = free->front().text;
  ASSERT_GT(whole.size(), 6u);
  EXPECT_FALSE(free->front().ended);
  const std::string stop = whole.substr(whole.size() - 1);
  const std::vector<Prompt> prompts(5, {.tokens = start, .stop = {stop}, .max_tokens = 30});
  const auto cut = scorer.Generate(prompts);
  ASSERT_TRUE(cut);
  for (const Generated& one : *cut) {
    EXPECT_EQ(one.text, whole.substr(0, whole.find(stop)));
    EXPECT_TRUE(one.ended);
  }
}

TEST(ScorerTest, ALongPromptKeepsItsEnd) {
  const auto engine = StartFake();
  Scorer scorer(*engine);
  std::vector<TokenId> longer(400, 50);
  std::vector<TokenId> kept(128 - 30, 50);
  longer.back() = kept.back() = 60;
  const auto both =
      scorer.Generate(std::vector<Prompt>{{.tokens = longer, .stop = {}, .max_tokens = 30},
                                          {.tokens = kept, .stop = {}, .max_tokens = 30}});
  ASSERT_TRUE(both) << both.error().ToString();
  EXPECT_EQ((*both)[0].text, (*both)[1].text);
}

}  // namespace
}  // namespace jikji::measure
