#include "measure/length_trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace jikji::measure {
namespace {

using ::testing::ElementsAre;

const std::string kHeader = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

int64_t UpTo(int64_t most, std::mt19937& random) {
  return std::uniform_int_distribution<int64_t>(1, most)(random);
}

TEST(LengthTraceTest, ReadsRows) {
  const auto lengths = ParseLengthTrace(
      kHeader + "2023-11-16 18:15:46.68,374,44\r\n\n2023-11-16 18:15:50.99,396,0\n", "t.csv");
  ASSERT_TRUE(lengths);
  EXPECT_THAT(*lengths, ElementsAre(RequestLengths{374, 44}, RequestLengths{396, 1}));
}

TEST(LengthTraceTest, ErrorsNameTheLine) {
  for (const auto& [text, line] : {std::pair<std::string, std::string>{"a,b,c\n", "t.csv:1"},
                                   {kHeader + "t,1,2\nt,1\n", "t.csv:3"},
                                   {kHeader + "t,0,2\n", "t.csv:2"},
                                   {kHeader + "t,1,-2\n", "t.csv:2"},
                                   {kHeader + "t,1,2,3\n", "t.csv:2"},
                                   {kHeader + "t,1,99999999999999999999\n", "t.csv:2"},
                                   {kHeader, "t.csv"},
                                   {"", "t.csv"}}) {
    const auto lengths = ParseLengthTrace(text, "t.csv");
    ASSERT_FALSE(lengths) << text;
    EXPECT_EQ(lengths.error().code, ErrorCode::kMalformed);
    EXPECT_EQ(lengths.error().where, line) << text;
  }
}

TEST(LengthTraceTest, WhatIsWrittenIsRead) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<RequestLengths> written;
    std::string text = kHeader;
    for (int64_t left = UpTo(20, random); left > 0; --left) {
      written.push_back({UpTo(10000, random), UpTo(10000, random)});
      text += "t," + std::to_string(written.back().prompt) + "," +
              std::to_string(written.back().output) + (random() % 2 == 0 ? "\n" : "\r\n");
    }
    EXPECT_EQ(ParseLengthTrace(text, "t.csv"), written);
  }
}

TEST(LengthTraceTest, ScaledRequestsFitTheContextAndKeepTheirProportions) {
  std::mt19937 random(2);
  for (int round = 0; round < 1000; ++round) {
    const int64_t context = 1 + UpTo(4096, random);
    std::vector<RequestLengths> lengths;
    for (int i = 0; i < 20; ++i) lengths.push_back({UpTo(8000, random), UpTo(2000, random)});
    const auto before = lengths;
    ScaleToContext(lengths, context);
    for (size_t i = 0; i < lengths.size(); ++i) {
      EXPECT_GE(lengths[i].prompt, 1);
      EXPECT_GE(lengths[i].output, 1);
      EXPECT_LE(lengths[i].prompt + lengths[i].output, context);
      EXPECT_LE(lengths[i].prompt, before[i].prompt);
      if (i > 0 && before[i].prompt >= before[i - 1].prompt && lengths[i].output > 1 &&
          lengths[i - 1].output > 1) {
        EXPECT_GE(lengths[i].prompt, lengths[i - 1].prompt);
      }
    }
  }
}

TEST(LengthTraceTest, WhatFitsIsLeftAlone) {
  std::vector<RequestLengths> lengths = {{100, 20}, {50, 30}};
  ScaleToContext(lengths, 120);
  EXPECT_THAT(lengths, ElementsAre(RequestLengths{100, 20}, RequestLengths{50, 30}));
}

}  // namespace
}  // namespace jikji::measure
