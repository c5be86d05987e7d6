#include "model/kv_cache.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <vector>

namespace jikji {
namespace {

DecoderSpec Spec() {
  DecoderSpec spec;
  spec.kv_heads = 2;
  spec.head_dim = 16;
  spec.layers.resize(3);
  return spec;
}

TEST(KvCacheTest, LayersHavePlanesOfTheirOwn) {
  auto cache = KvCache::Create(Spec(), 5, 4, DType::kF16);
  ASSERT_TRUE(cache) << cache.error().ToString();
  const size_t plane = 5 * 2 * 4 * 16 * 2;
  EXPECT_EQ(KvCache::PageBytes(Spec(), 4, DType::kF16) * 5, plane * 2 * 3);
  EXPECT_EQ(KvCache::PageBytes(Spec(), 4, DType::kF32) / 4, Spec().KvBytesPerToken(DType::kF32));
  // Every byte of every plane can be written, and none is another's.
  for (size_t layer = 0; layer < 3; ++layer) {
    const kernels::KvPages pages = cache->Layer(layer);
    EXPECT_EQ(pages.page_tokens, 4);
    EXPECT_EQ(pages.kv_heads, 2);
    EXPECT_EQ(pages.head_dim, 16);
    EXPECT_EQ(pages.dtype, DType::kF16);
    std::memset(pages.keys, static_cast<int>(2 * layer + 1), plane);
    std::memset(pages.values, static_cast<int>(2 * layer + 2), plane);
  }
  for (size_t layer = 0; layer < 3; ++layer) {
    const kernels::KvPages pages = cache->Layer(layer);
    for (const size_t at : {size_t{0}, plane - 1}) {
      EXPECT_EQ(std::to_integer<size_t>(pages.keys[at]), 2 * layer + 1);
      EXPECT_EQ(std::to_integer<size_t>(pages.values[at]), 2 * layer + 2);
    }
  }
  // The memory goes with the object that was moved to.
  KvCache moved = std::move(*cache);
  EXPECT_EQ(std::to_integer<int>(moved.Layer(0).keys[0]), 1);
}

TEST(KvCacheTest, Q8_0TakesAScaleForEach32Values) {
  DecoderSpec spec = Spec();
  spec.head_dim = 64;
  auto cache = KvCache::Create(spec, 5, 4, DType::kQ8_0);
  ASSERT_TRUE(cache) << cache.error().ToString();
  EXPECT_EQ(cache->Layer(0).dtype, DType::kQ8_0);
  EXPECT_EQ(spec.KvBytesPerToken(DType::kQ8_0), 2u * 3 * 2 * (64 + 2 * 2));
  EXPECT_EQ(spec.KvBytesPerToken(DType::kF8_E4M3), 2u * 3 * 2 * (64 + 2));
  EXPECT_EQ(KvCache::PageBytes(spec, 4, DType::kF8_E4M3),
            4 * spec.KvBytesPerToken(DType::kF8_E4M3));
  EXPECT_EQ(KvCache::PageBytes(spec, 4, DType::kQ8_0), 4 * spec.KvBytesPerToken(DType::kQ8_0));
  // What vectors may read beyond the last plane's end is there.
  const size_t plane = 5 * 2 * 4 * (64 + 2 * 2);
  EXPECT_EQ(std::to_integer<int>(cache->Layer(2).values[plane + kernels::kKvPlanePadding - 1]), 0);
}

TEST(KvCacheTest, WhatCannotBeIsRefused) {
  constexpr int32_t kMost = std::numeric_limits<int32_t>::max();
  const auto code = [](int32_t pages, int32_t tokens, DType dtype) {
    const auto cache = KvCache::Create(Spec(), pages, tokens, dtype);
    return cache ? ErrorCode::kInternal : cache.error().code;
  };
  EXPECT_EQ(code(0, 16, DType::kF16), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(-1, 16, DType::kF16), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(16, 0, DType::kF16), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(16, 16, DType::kQ8_0), ErrorCode::kInvalidArgument);  // heads of 16
  EXPECT_EQ(code(16, 16, DType::kQ4_0), ErrorCode::kInvalidArgument);
  EXPECT_EQ(code(kMost, kMost, DType::kF32), ErrorCode::kInvalidArgument);
  // More than any address space of 47 bits, though the number itself can be written.
  EXPECT_EQ(code(1 << 20, 1 << 20, DType::kF32), ErrorCode::kResourceExhausted);
}

}  // namespace
}  // namespace jikji
