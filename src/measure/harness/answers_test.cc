#include "measure/harness/answers.h"

#include <gtest/gtest.h>

#include "measure/harness/built_in_engine.h"

namespace jikji::measure {
namespace {

TEST(AnswersTest, ExactIsEqualButForSpacesAround) {
  const std::vector<ExactItem> items = {{"", "32000"}, {"", "1"}, {"", "5"}, {"", "7"}};
  const std::vector<std::string> answers = {" 32000 ", "10", "", "7원"};
  const auto metrics = ExactMetrics(items, answers);
  ASSERT_EQ(metrics.size(), 1u);
  EXPECT_EQ(metrics[0].name, "exact_match");
  EXPECT_EQ(metrics[0].first, (std::vector<double>{1, 0, 0, 0}));
}

TEST(AnswersTest, SharesAreOfWhatTheyCanBeSeenIn) {
  const std::vector<std::string> answers = {
      "좋아요. 그래요.",        // one level
      "좋아요. 그렇습니다.",    // two
      "봄이 来了.",             // Han, and one sentence at most
      "Spring has come. Yes.",  // Latin
  };
  const auto metrics = AnswerMetrics(answers);
  ASSERT_EQ(metrics.size(), 3u);
  EXPECT_EQ(metrics[0].name, "confused");
  EXPECT_DOUBLE_EQ(metrics[0].Value(), 0.5);
  EXPECT_DOUBLE_EQ(metrics[1].Value(), 0.25);
  EXPECT_EQ(metrics[2].name, "mixed_levels");
  EXPECT_DOUBLE_EQ(metrics[2].Value(), 0.5);
  for (const Metric& metric : metrics) EXPECT_TRUE(metric.lower_is_better);
}

TEST(AnswersTest, EveryQuestionAndItemIsAnswered) {
  const auto engine = StartBuiltIn();
  ASSERT_NE(engine, nullptr);
  Scorer scorer(*engine);
  const std::vector<std::string> questions(3, "안녕하세요");
  const auto answers = AnswerQuestions(scorer, questions, {});
  ASSERT_TRUE(answers) << answers.error().ToString();
  ASSERT_EQ(answers->size(), 3u);
  EXPECT_FALSE((*answers)[0].empty());
  EXPECT_EQ((*answers)[0].find("<|"), std::string::npos) << "the template's tokens are not text";
  EXPECT_EQ((*answers)[0], (*answers)[2]);
  const std::vector<ExactItem> items(2, {.context = "수: 만\n숫자:", .answer = "10000"});
  const auto exact = AnswerExactItems(scorer, items, {});
  ASSERT_TRUE(exact) << exact.error().ToString();
  EXPECT_EQ((*exact)[0].find('\n'), std::string::npos) << "an answer is a line";
}

}  // namespace
}  // namespace jikji::measure
