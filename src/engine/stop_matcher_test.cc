#include "engine/stop_matcher.h"

#include <gtest/gtest.h>

#include <random>

#include "base/utf8.h"

namespace jikji {
namespace {

struct Outcome {
  std::string text;
  std::optional<std::string> match;

  bool operator==(const Outcome&) const = default;
};

// The definition, as plainly as it can be written.
Outcome Naive(const std::string& text, const std::vector<std::string>& stops, bool include) {
  for (size_t end = 1; end <= text.size(); ++end) {
    std::string best;
    for (const std::string& stop : stops) {
      if (stop.size() > best.size() && text.substr(0, end).ends_with(stop)) best = stop;
    }
    if (!best.empty()) return {text.substr(0, include ? end : end - best.size()), best};
  }
  return {text, std::nullopt};
}

Outcome InPieces(const std::vector<std::string>& pieces, const std::vector<std::string>& stops,
                 bool include) {
  StopMatcher matcher(std::make_shared<StopStrings>(stops), include);
  Outcome outcome;
  for (const std::string& piece : pieces) {
    const std::string delta = matcher.Push(piece);
    EXPECT_TRUE(IsValidUtf8(delta));
    outcome.text += delta;
  }
  outcome.text += matcher.Finish();
  outcome.match = matcher.match();
  return outcome;
}

TEST(StopMatcherTest, AcrossPieces) {
  EXPECT_EQ(InPieces({"안녕하", "세", "요. 끝", "입니다"}, {"요. 끝입"}, false),
            (Outcome{"안녕하세", "요. 끝입"}));
  EXPECT_EQ(InPieces({"안녕하", "세", "요. 끝", "입니다"}, {"요. 끝입"}, true),
            (Outcome{"안녕하세요. 끝입", "요. 끝입"}));
  EXPECT_EQ(InPieces({"a", "\n", "\n", "b"}, {"\n\n"}, false), (Outcome{"a", "\n\n"}));
}

TEST(StopMatcherTest, HoldsBackOnlyWhatMayMatch) {
  StopMatcher matcher(std::make_shared<StopStrings>(std::vector<std::string>{"가나다", "나라"}),
                      false);
  EXPECT_EQ(matcher.Push("마가"), "마");
  EXPECT_EQ(matcher.Push("나"), "");
  EXPECT_EQ(matcher.Push("가"), "가나");
  EXPECT_EQ(matcher.Push("x"), "가x");
  EXPECT_EQ(matcher.Push("나"), "");
  EXPECT_EQ(matcher.Finish(), "나");
  EXPECT_FALSE(matcher.match().has_value());
}

TEST(StopMatcherTest, FirstToEndWins) {
  EXPECT_EQ(InPieces({"xabcd"}, {"abcd", "bc"}, false), (Outcome{"xa", "bc"}));
  EXPECT_EQ(InPieces({"xabc"}, {"c", "abc", "bc"}, false), (Outcome{"x", "abc"}));
}

TEST(StopMatcherTest, NothingAfterAMatch) {
  StopMatcher matcher(std::make_shared<StopStrings>(std::vector<std::string>{"stop"}), false);
  EXPECT_EQ(matcher.Push("one stop two"), "one ");
  EXPECT_EQ(matcher.Push("three"), "");
  EXPECT_EQ(matcher.Finish(), "");
}

TEST(StopMatcherTest, NoStringsHoldNothing) {
  EXPECT_EQ(InPieces({"가", "나"}, {}, false), (Outcome{"가나", std::nullopt}));
}

TEST(StopMatcherTest, AgreesWithTheDefinitionHoweverCut) {
  const std::vector<std::string> alphabet = {"a", "b", "가", "각", "나", "🙂", "\n"};
  std::mt19937 random(11);
  const auto make = [&](size_t most) {
    std::vector<std::string> characters(1 + random() % most);
    for (std::string& c : characters) c = alphabet[random() % (2 + random() % 6)];
    return characters;
  };
  const auto join = [](const std::vector<std::string>& parts) {
    std::string all;
    for (const std::string& part : parts) all += part;
    return all;
  };
  int matches = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::string> stops;
    for (size_t i = random() % 5; i > 0; --i) stops.push_back(join(make(5)));
    const auto characters = make(40);
    std::vector<std::string> pieces = {""};
    for (const std::string& c : characters) {
      if (random() % 3 == 0) pieces.emplace_back();
      pieces.back() += c;
    }
    const bool include = random() % 2 == 0;
    const Outcome expected = Naive(join(characters), stops, include);
    ASSERT_EQ(InPieces(pieces, stops, include), expected) << join(characters);
    matches += expected.match ? 1 : 0;
  }
  EXPECT_GT(matches, 5000);
}

}  // namespace
}  // namespace jikji
