#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "net/client.h"

namespace jikji::net {
namespace {

using Events = std::vector<std::string>;

Events Parse(const std::vector<std::string>& pieces) {
  SseParser parser;
  Events events;
  for (const std::string& piece : pieces) {
    parser.Feed(piece, [&](std::string_view data) { events.emplace_back(data); });
  }
  return events;
}

TEST(SseParser, FollowsTheStandard) {
  EXPECT_EQ(Parse({"data: a\n\ndata:b\n\n"}), (Events{"a", "b"}));
  EXPECT_EQ(Parse({"data:  a \n\n"}), (Events{" a "}));
  EXPECT_EQ(Parse({"data: a\ndata: b\n\n"}), (Events{"a\nb"}));
  EXPECT_EQ(Parse({"data\n\ndata\ndata\n\n"}), (Events{"", "\n"}));
  EXPECT_EQ(Parse({": note\nevent: x\nid: 1\nretry: 5\ndatum: y\n\n"}), Events{});
  EXPECT_EQ(Parse({"event: delta\ndata: {\"a\":1}\n\n"}), (Events{"{\"a\":1}"}));
  EXPECT_EQ(Parse({"data: a\r\n\r\ndata: b\r\rdata: c\n\n"}), (Events{"a", "b", "c"}));
  EXPECT_EQ(Parse({"\xEF\xBB\xBF"
                   "data: a\n\n"}),
            (Events{"a"}));
  EXPECT_EQ(Parse({"data: not ended\n"}), Events{});
  EXPECT_EQ(Parse({"\n\n\n"}), Events{});
}

TEST(SseParser, GivesTheSameEventsHoweverTheBytesAreSplit) {
  std::mt19937 random(11);
  const std::vector<std::string> parts = {"data: ",   "data:",  "data", "한글", "x",
                                          ":",        "\n",     "\r\n", "\r",   "\n\n",
                                          "event: y", "[DONE]", "\n"};
  for (int round = 0; round < 2000; ++round) {
    std::string text = round % 7 == 0 ? "\xEF\xBB\xBF" : "";
    for (size_t i = 0, count = random() % 30; i < count; ++i) {
      text += parts[random() % parts.size()];
    }
    const Events whole = Parse({text});
    std::vector<std::string> bytes;
    for (const char c : text) bytes.emplace_back(1, c);
    ASSERT_EQ(Parse(bytes), whole) << text;
    std::vector<std::string> pieces;
    for (size_t at = 0; at < text.size();) {
      const size_t size = 1 + random() % 9;
      pieces.push_back(text.substr(at, size));
      at += size;
    }
    ASSERT_EQ(Parse(pieces), whole) << text;
  }
}

}  // namespace
}  // namespace jikji::net
