#include "govern/running_calls.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

namespace jikji {
namespace {

Directory StoppedBy(const char* kind, const char* name) {
  Directory directory;
  directory.stops[{kind, name}] = "drill";
  return directory;
}

TEST(RunningCalls, WhoIsStoppedIsToldOnceAndWhy) {
  RunningCalls calls;
  std::vector<std::string> told;
  const auto tell = [&](const char* who) {
    return [&told, who](const std::string& reason) { told.push_back(who + (": " + reason)); };
  };
  const auto a = calls.Add(1, "small", tell("a"));
  const auto b = calls.Add(2, "small", tell("b"));
  const auto c = calls.Add(1, "large", tell("c"));
  EXPECT_EQ(calls.Enforce({}), 0u);
  EXPECT_EQ(calls.Enforce(StoppedBy("organisation", "2")), 1u);
  EXPECT_EQ(calls.Enforce(StoppedBy("organisation", "2")), 0u);
  EXPECT_EQ(calls.Enforce(StoppedBy("model", "small")), 1u);
  EXPECT_EQ(calls.Enforce(StoppedBy("all", "")), 1u);
  EXPECT_EQ(told, (std::vector<std::string>{"b: drill", "a: drill", "c: drill"}));
}

TEST(RunningCalls, WhatHasEndedIsNotTold) {
  RunningCalls calls;
  int told = 0;
  {
    const auto ended = calls.Add(1, "m", [&](const std::string&) { ++told; });
  }
  std::optional<RunningCalls::Entry> moved = calls.Add(1, "m", [&](const std::string&) { ++told; });
  auto kept = std::move(*moved);
  moved.reset();
  EXPECT_EQ(calls.Enforce(StoppedBy("all", "")), 1u);
  EXPECT_EQ(told, 1);
}

// The answer ends within the call that tells it to.
TEST(RunningCalls, ACallMayEndWhileItIsTold) {
  RunningCalls calls;
  std::optional<RunningCalls::Entry> entry;
  entry = calls.Add(1, "m", [&](const std::string&) { entry.reset(); });
  EXPECT_EQ(calls.Enforce(StoppedBy("all", "")), 1u);
  EXPECT_FALSE(entry.has_value());
}

}  // namespace
}  // namespace jikji
