#include "engine/cache_plan.h"

#include <gtest/gtest.h>

#include "engine/fake_model.h"
#include "model/kv_cache.h"

namespace jikji {
namespace {

uint64_t Pages(int64_t count) {
  return static_cast<uint64_t>(count) * KvCache::PageBytes(FakeDecoder().spec(), 16, DType::kF16);
}

TEST(CachePlanTest, ContextOfTheModelWhereItFits) {
  const auto plan = PlanCache(FakeDecoder().spec(), {.kv_bytes = Pages(1000), .max_running = 4});
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->context, 512);
  EXPECT_EQ(plan->pages, 4 * 32);  // no more than four sequences can use
}

TEST(CachePlanTest, ShorterWhereMemoryIsShort) {
  const auto plan = PlanCache(FakeDecoder().spec(), {.kv_bytes = Pages(10) + 5});
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->context, 160);
  EXPECT_EQ(plan->pages, 10);
}

TEST(CachePlanTest, AskedContext) {
  const auto plan = PlanCache(FakeDecoder().spec(), {.context = 100, .kv_bytes = Pages(10)});
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->context, 100);
  EXPECT_EQ(plan->pages, 10);
}

TEST(CachePlanTest, SaysWhatIsMissing) {
  const auto code = [](EngineOptions options) {
    const auto plan = PlanCache(FakeDecoder().spec(), options);
    EXPECT_FALSE(plan.has_value());
    return plan ? ErrorCode::kInternal : plan.error().code;
  };
  EXPECT_EQ(code({.context = 161, .kv_bytes = Pages(10)}), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code({.kv_bytes = Pages(1) - 1}), ErrorCode::kResourceExhausted);
  EXPECT_EQ(code({.context = 513, .kv_bytes = Pages(1000)}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.context = -1}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.kv_dtype = DType::kBF16}), ErrorCode::kInvalidArgument);
  // The fake's heads of 8 are no multiple of 32.
  EXPECT_EQ(code({.kv_dtype = DType::kQ8_0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.page_tokens = 0}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code({.max_running = 0}), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace jikji
