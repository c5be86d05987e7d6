// Scores of a prompt from a position on: the same numbers, with what stands before from the cache.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/engine.h"
#include "engine/fake_model.h"
#include "engine/test_client.h"

namespace jikji {
namespace {

TEST(PromptScoresTest, EndingsOfOneTextAreScoredFromItsCachedPages) {
  EngineOptions options;
  options.threads = 1;
  options.context = 128;
  options.page_tokens = 4;
  options.step_tokens = 16;
  const auto engine = Engine::Start(FakeModel(), options);
  ASSERT_TRUE(engine) << engine.error().ToString();
  GenerationRequest request;
  request.id = "first";
  for (TokenId id = 0; id < 60; ++id) request.prompt.push_back(10 + id * 7 % 200);
  request.prompt_logprobs = 0;
  const Answer whole = Ask(**engine, request)[0];
  EXPECT_EQ(whole.cached_tokens, 0);
  for (const int64_t first : {1, 2, 17, 41, 58, 59, 60, 1000}) {
    request.id = fmt::format("from {}", first);
    request.first_prompt_logprob = first;
    const Answer answer = Ask(**engine, request)[0];
    // Whole pages of what needs no logits; the last token is always computed.
    EXPECT_EQ(answer.cached_tokens, std::min<int64_t>(first - 1, 59) / 4 * 4) << first;
    const auto scored = static_cast<size_t>(std::max<int64_t>(0, 60 - first));
    ASSERT_EQ(answer.prompt_logprobs.size(), scored) << first;
    for (size_t i = 0; i < scored; ++i) {
      EXPECT_EQ(answer.prompt_logprobs[i].token, request.prompt[60 - scored + i]);
      EXPECT_EQ(answer.prompt_logprobs[i].logprob, whole.prompt_logprobs[59 - scored + i].logprob);
    }
  }
}

}  // namespace
}  // namespace jikji
