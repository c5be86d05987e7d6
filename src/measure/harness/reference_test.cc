#include "measure/harness/reference.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "measure/harness/built_in_engine.h"
#include "model/golden_models.h"

namespace jikji::measure {
namespace {

// By hand: "ab" and "abc" share a, b of 2 and 3, and ab of 1 and 2.
TEST(CharacterF, CountsSharedRunsAndRecallTwice) {
  EXPECT_DOUBLE_EQ(CharacterF("같은 답입니다.", "같은답 입니다."), 1.0);
  EXPECT_DOUBLE_EQ(CharacterF("가나", "다라"), 0.0);
  EXPECT_DOUBLE_EQ(CharacterF("", "답"), 0.0);
  const double precision = (2 / 2.0 + 1 / 1.0) / 2, recall = (2 / 3.0 + 1 / 2.0) / 2;
  EXPECT_DOUBLE_EQ(CharacterF("ab", "abc"), 5 * precision * recall / (4 * precision + recall));
  // A run counts as often as it stands there.
  EXPECT_LT(CharacterF("가가가가", "가나"), CharacterF("가나", "가나"));
}

TEST(ReferenceItems, EndInAnAnswerOrAreNamed) {
  TemporaryFolder folder;
  const auto file = folder.path() / "chats.jsonl";
  const std::string good =
      R"({"messages":[{"role":"system","content":"공손히"},{"role":"user","content":"안녕"},)"
      R"({"role":"assistant","content":"네"}]})"
      "\n";
  ASSERT_TRUE(WriteFileAtomic(file, good + good));
  const auto items = ReadReferenceItems(file, 1);
  ASSERT_TRUE(items) << items.error().ToString();
  ASSERT_EQ(items->size(), 1u);
  EXPECT_EQ(items->front().answer, "네");
  ASSERT_EQ(items->front().messages.size(), 2u);
  EXPECT_EQ(items->front().messages[1].content, "안녕");
  ASSERT_TRUE(WriteFileAtomic(file, good + R"({"messages":[{"role":"user","content":"가"}]})"));
  const auto wrong = ReadReferenceItems(file, 0);
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().ToString().find("chats.jsonl:2"), std::string::npos);
  ASSERT_TRUE(WriteFileAtomic(file, ""));
  EXPECT_FALSE(ReadReferenceItems(file, 0));
}

// What the model itself answers is found to be exact, and likelier than something else.
TEST(ReferenceMetrics, TheModelsOwnAnswerIsExact) {
  const auto engine = StartBuiltIn();
  ASSERT_NE(engine, nullptr);
  Scorer scorer(*engine);
  std::vector<ReferenceItem> items = {{{{"user", "안녕하세요"}}, "?"},
                                      {{{"user", "안녕하세요"}}, "?"}};
  // What could not be measured is told before anything is answered.
  std::string longer;
  for (int i = 0; i < engine->options().context; ++i) longer += "가 ";
  for (const std::string& answer : {longer, std::string("네<|end|>")}) {
    std::vector<ReferenceItem> bad = items;
    bad.push_back({{{"user", "안녕하세요"}}, answer, "chats.jsonl:3"});
    const auto refused = AnswerReferenceItems(scorer, bad, {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().where, "chats.jsonl:3") << refused.error().ToString();
  }
  auto answers = AnswerReferenceItems(scorer, items, {});
  ASSERT_TRUE(answers) << answers.error().ToString();
  items[0].answer = answers->front();
  items[1].answer = "한국도로공사 123";
  const auto metrics = ReferenceMetrics(scorer, items, *answers, {});
  ASSERT_TRUE(metrics) << metrics.error().ToString();
  ASSERT_EQ(metrics->size(), 4u);
  const auto& [chrf, exact, named, nats] =
      std::tie((*metrics)[0], (*metrics)[1], (*metrics)[2], (*metrics)[3]);
  EXPECT_EQ(exact.first, (std::vector<double>{1, 0}));
  EXPECT_DOUBLE_EQ(chrf.first[0], 1.0);
  EXPECT_EQ(named.second[1], 2.0);
  EXPECT_EQ(named.first[1], 0.0);
  EXPECT_GT(nats.second[0], 1.0) << "the end is scored too";
  EXPECT_LT(nats.first[0] / nats.second[0], nats.first[1] / nats.second[1]);
  EXPECT_TRUE(nats.lower_is_better);
}

}  // namespace
}  // namespace jikji::measure
