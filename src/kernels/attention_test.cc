#include "kernels/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "kernels/attention_ref.h"
#include "kernels/attention_variant.h"
#include "kernels/each_isa.h"
#include "tensor/quant/half.h"

namespace jikji::kernels {
namespace {

struct Shape {
  int32_t heads, kv_heads, head_dim, page_tokens, window;
  DType dtype;
};

constexpr Shape kShapes[] = {
    {4, 2, 64, 16, 0, DType::kF16},      {4, 4, 32, 8, 0, DType::kF32},
    {7, 1, 80, 16, 0, DType::kF16},      {6, 2, 128, 32, 0, DType::kF16},
    {8, 1, 128, 16, 20, DType::kF16},    {3, 1, 12, 4, 5, DType::kF32},
    {2, 1, 1, 1, 1, DType::kF16},        {10, 2, 96, 16, 300, DType::kF32},
    {4, 2, 128, 16, 0, DType::kQ8_0},    {8, 2, 64, 32, 40, DType::kQ8_0},
    {5, 1, 96, 12, 0, DType::kQ8_0},     {12, 1, 32, 1, 3, DType::kQ8_0},
    {4, 2, 128, 16, 0, DType::kF8_E4M3}, {7, 1, 80, 16, 40, DType::kF8_E4M3},
    {5, 1, 20, 12, 0, DType::kF8_E4M3},  {2, 1, 1, 1, 1, DType::kF8_E4M3},
};

std::vector<float> Random(int64_t count, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(static_cast<size_t>(count));
  for (float& value : out) value = normal(random);
  return out;
}

// A cache whose unused slots are NaN, so that reading one shows.
class Cache {
 public:
  Cache(const Shape& shape, int32_t pages) {
    const size_t bytes = static_cast<size_t>(pages) * shape.kv_heads * shape.page_tokens *
                             *RowBytes(shape.dtype, static_cast<uint64_t>(shape.head_dim)) +
                         kKvPlanePadding;
    keys_.assign(bytes, std::byte{0xFF});
    values_.assign(bytes, std::byte{0xFF});
    pages_ = {keys_.data(),      values_.data(), shape.dtype,
              shape.page_tokens, shape.kv_heads, shape.head_dim};
  }
  const KvPages& pages() const { return pages_; }
  const std::vector<std::byte>& keys() const { return keys_; }

 private:
  std::vector<std::byte> keys_, values_;
  KvPages pages_;
};

std::vector<int32_t> ShuffledPages(int32_t count, uint32_t seed) {
  std::vector<int32_t> pages(static_cast<size_t>(count));
  std::iota(pages.begin(), pages.end(), 0);
  std::shuffle(pages.begin(), pages.end(), std::mt19937(seed));
  return pages;
}

constexpr float kScale = 0.3f;

// One sequence of `tokens`, cut into chunks of the given sizes, each a call of its own.
std::vector<float> RunChunks(const Shape& shape, int32_t tokens, const std::vector<int32_t>& chunks,
                             uint32_t page_seed, size_t threads) {
  ThreadPool pool(threads);
  const int32_t count = (tokens + shape.page_tokens - 1) / shape.page_tokens;
  Cache cache(shape, count + 3);
  const std::vector<int32_t> pages = ShuffledPages(count + 3, page_seed);
  const std::vector<float> q = Random(int64_t{tokens} * shape.heads * shape.head_dim, 1);
  const std::vector<float> k = Random(int64_t{tokens} * shape.kv_heads * shape.head_dim, 2);
  const std::vector<float> v = Random(int64_t{tokens} * shape.kv_heads * shape.head_dim, 3);
  std::vector<float> out(q.size(), -1.0f);
  int32_t start = 0;
  for (int32_t chunk : chunks) {
    const AttentionSlice slice{0, chunk, start, pages};
    const int64_t kv = int64_t{start} * shape.kv_heads * shape.head_dim;
    const int64_t row = int64_t{start} * shape.heads * shape.head_dim;
    StoreKv(cache.pages(), {&slice, 1}, k.data() + kv, v.data() + kv, pool);
    Attention(cache.pages(), {&slice, 1}, q.data() + row, shape.heads, kScale, shape.window,
              out.data() + row, pool);
    start += chunk;
  }
  EXPECT_EQ(start, tokens);
  return out;
}

TEST(Attention, AgreesWithTheReference) {
  ThreadPool pool(2);
  for (const Shape& shape : kShapes) {
    for (int32_t tokens : {1, 2, 7, 33, 270}) {
      SCOPED_TRACE("heads " + std::to_string(shape.heads) + " dim " +
                   std::to_string(shape.head_dim) + " tokens " + std::to_string(tokens));
      const int32_t count = (tokens + shape.page_tokens - 1) / shape.page_tokens;
      const std::vector<int32_t> pages = ShuffledPages(count, 4);
      const AttentionSlice slice{0, tokens, 0, pages};
      const std::vector<float> q = Random(int64_t{tokens} * shape.heads * shape.head_dim, 5);
      const std::vector<float> k = Random(int64_t{tokens} * shape.kv_heads * shape.head_dim, 6);
      const std::vector<float> v = Random(int64_t{tokens} * shape.kv_heads * shape.head_dim, 7);
      std::vector<AttentionReference> wanted;
      ForEachIsa([&] {
        Cache cache(shape, count);
        StoreKv(cache.pages(), {&slice, 1}, k.data(), v.data(), pool);
        if (wanted.empty()) {
          wanted =
              AttentionRef(cache.pages(), {&slice, 1}, q.data(), shape.heads, kScale, shape.window);
        }
        std::vector<float> out(q.size());
        Attention(cache.pages(), {&slice, 1}, q.data(), shape.heads, kScale, shape.window,
                  out.data(), pool);
        for (size_t i = 0; i < out.size(); ++i) {
          ASSERT_NEAR(out[i], wanted[i].value, AttentionTolerance(wanted[i], shape.head_dim)) << i;
        }
      });
    }
  }
}

TEST(Attention, BitsDoNotDependOnChunksPagesOrThreads) {
  std::mt19937 random(8);
  for (const Shape& shape : kShapes) {
    SCOPED_TRACE("heads " + std::to_string(shape.heads) + " dim " + std::to_string(shape.head_dim));
    const int32_t tokens = 290;
    ForEachIsa([&] {
      const std::vector<float> whole = RunChunks(shape, tokens, {tokens}, 9, 1);
      for (int round = 0; round < 4; ++round) {
        std::vector<int32_t> chunks;
        for (int32_t left = tokens; left > 0;) {
          const int32_t most = round == 0 ? 1 : 1 << (2 * round + 1);
          const int32_t chunk = std::min<int32_t>(left, 1 + static_cast<int32_t>(random() % most));
          chunks.push_back(chunk);
          left -= chunk;
        }
        const auto cut = RunChunks(shape, tokens, chunks, random(), 1 + random() % 3);
        ASSERT_EQ(std::memcmp(cut.data(), whole.data(), whole.size() * sizeof(float)), 0)
            << "round " << round;
      }
    });
  }
}

// Every way to cut five tokens.
TEST(Attention, BitsAreTheSameForEveryWayToCutAShortSequence) {
  const Shape shape{8, 2, 64, 4, 3, DType::kF16};
  ForEachIsa([&] {
    const std::vector<float> whole = RunChunks(shape, 5, {5}, 1, 1);
    for (int cuts = 0; cuts < 16; ++cuts) {
      std::vector<int32_t> chunks{1};
      for (int t = 0; t < 4; ++t) {
        if ((cuts >> t) & 1) {
          chunks.push_back(1);
        } else {
          ++chunks.back();
        }
      }
      const auto cut = RunChunks(shape, 5, chunks, static_cast<uint32_t>(cuts), 2);
      ASSERT_EQ(std::memcmp(cut.data(), whole.data(), whole.size() * sizeof(float)), 0) << cuts;
    }
  });
}

// Sequences of several lengths in one cache, alone and together in every order.
TEST(Attention, BitsDoNotDependOnTheBatch) {
  const Shape shape{6, 2, 64, 16, 0, DType::kF16};
  constexpr int32_t kLengths[] = {1, 40, 17, 300};  // the last token is decoded, or all prefilled
  constexpr int32_t kTokens[] = {1, 40, 1, 5};
  const int64_t q_row = shape.heads * shape.head_dim;
  const int64_t kv_row = shape.kv_heads * shape.head_dim;
  ThreadPool pool(3);
  ForEachIsa([&] {
    Cache cache(shape, 32);
    const std::vector<int32_t> pages = ShuffledPages(32, 10);
    std::vector<std::span<const int32_t>> tables;
    std::vector<std::vector<float>> q, alone;
    size_t used = 0;
    for (size_t s = 0; s < 4; ++s) {
      const auto count = static_cast<size_t>((kLengths[s] + 15) / 16);
      tables.push_back(std::span(pages).subspan(used, count));
      used += count;
      const auto k = Random(kLengths[s] * kv_row, static_cast<uint32_t>(20 + s));
      const auto v = Random(kLengths[s] * kv_row, static_cast<uint32_t>(30 + s));
      const AttentionSlice all{0, kLengths[s], 0, tables[s]};
      StoreKv(cache.pages(), {&all, 1}, k.data(), v.data(), pool);
      q.push_back(Random(kTokens[s] * q_row, static_cast<uint32_t>(40 + s)));
      alone.emplace_back(q[s].size());
      const AttentionSlice slice{0, kTokens[s], kLengths[s] - kTokens[s], tables[s]};
      Attention(cache.pages(), {&slice, 1}, q[s].data(), shape.heads, kScale, 0, alone[s].data(),
                pool);
    }
    std::vector<size_t> order{0, 1, 2, 3};
    do {
      std::vector<AttentionSlice> slices;
      std::vector<float> batch;
      int32_t row = 0;
      for (size_t s : order) {
        slices.push_back({row, kTokens[s], kLengths[s] - kTokens[s], tables[s]});
        batch.insert(batch.end(), q[s].begin(), q[s].end());
        row += kTokens[s];
      }
      std::vector<float> out(batch.size());
      Attention(cache.pages(), slices, batch.data(), shape.heads, kScale, 0, out.data(), pool);
      for (size_t i = 0; i < 4; ++i) {
        const auto& wanted = alone[order[i]];
        ASSERT_EQ(std::memcmp(&out[slices[i].first_row * q_row], wanted.data(),
                              wanted.size() * sizeof(float)),
                  0);
      }
    } while (std::next_permutation(order.begin(), order.end()));
  });
}

// A past of several segments, which is shared out in parts where there are too few heads; a
// window that begins within a segment; and rows of one slice whose pasts end in different ones.
TEST(Attention, BitsDoNotDependOnHowALongPastIsShared) {
  for (const DType dtype : {DType::kF16, DType::kQ8_0, DType::kF8_E4M3}) {
    for (const int32_t window : {0, 3000}) {
      const Shape shape{2, 1, 32, 16, window, dtype};
      const int32_t positions = 2 * kAttentionSegment + 300;
      const int64_t kv_values = int64_t{positions} * shape.head_dim;
      const std::vector<int32_t> pages = ShuffledPages((positions + 15) / 16, 17);
      const auto k = Random(kv_values, 18), v = Random(kv_values, 19);
      ForEachIsa([&] {
        Cache cache(shape, static_cast<int32_t>(pages.size()));
        ThreadPool one(1);
        const AttentionSlice all{0, positions, 0, pages};
        StoreKv(cache.pages(), {&all, 1}, k.data(), v.data(), one);
        for (const int32_t last : {1, 3, 305}) {
          const auto q = Random(int64_t{last} * 2 * shape.head_dim, 20);
          const AttentionSlice slice{0, last, positions - last, pages};
          std::vector<float> whole(q.size());
          Attention(cache.pages(), {&slice, 1}, q.data(), 2, kScale, window, whole.data(), one);
          if (last == 3) {
            const auto wanted =
                AttentionRef(cache.pages(), {&slice, 1}, q.data(), 2, kScale, window);
            for (size_t i = 0; i < whole.size(); ++i) {
              ASSERT_NEAR(whole[i], wanted[i].value, AttentionTolerance(wanted[i], shape.head_dim));
            }
          }
          for (const size_t threads : {2, 3, 8}) {
            ThreadPool pool(threads);
            std::vector<float> shared(q.size());
            Attention(cache.pages(), {&slice, 1}, q.data(), 2, kScale, window, shared.data(), pool);
            ASSERT_EQ(std::memcmp(shared.data(), whole.data(), whole.size() * sizeof(float)), 0)
                << DTypeName(dtype) << " " << last << " rows, " << threads << " threads";
          }
        }
      });
    }
  }
}

// A position whose score is far above the rest gets all the weight; none overflows.
TEST(Attention, TakesHugeScores) {
  const Shape shape{1, 1, 32, 16, 0, DType::kF32};
  ThreadPool pool(1);
  ForEachIsa([&] {
    Cache cache(shape, 20);
    const std::vector<int32_t> pages = ShuffledPages(20, 11);
    std::vector<float> k(300 * 32, 0.0f), v = Random(300 * 32, 12), q(32, 1e10f), out(32);
    for (int i = 0; i < 32; ++i) k[123 * 32 + i] = 1e10f;
    const AttentionSlice all{0, 300, 0, pages};
    StoreKv(cache.pages(), {&all, 1}, k.data(), v.data(), pool);
    const AttentionSlice last{0, 1, 299, pages};
    Attention(cache.pages(), {&last, 1}, q.data(), 1, 1.0f, 0, out.data(), pool);
    for (int i = 0; i < 32; ++i) EXPECT_EQ(out[i], v[123 * 32 + i]);
  });
}

TEST(Attention, EndsOnKeysThatAreNotNumbers) {
  for (const Shape& shape : {Shape{2, 1, 32, 16, 0, DType::kF32},
                             {2, 1, 32, 16, 0, DType::kQ8_0},
                             {2, 1, 32, 16, 0, DType::kF8_E4M3}}) {
    ThreadPool pool(1);
    for (float odd :
         {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::quiet_NaN()}) {
      ForEachIsa([&] {
        Cache cache(shape, 2);
        const std::vector<int32_t> pages{1, 0};
        std::vector<float> k = Random(20 * 32, 13), v = Random(20 * 32, 14);
        std::fill_n(k.begin() + 18 * 32, 32, odd);
        std::fill_n(v.begin() + 18 * 32, 32, odd);
        const std::vector<float> q = Random(20 * 64, 15);
        std::vector<float> out(q.size());
        const AttentionSlice all{0, 20, 0, pages};
        StoreKv(cache.pages(), {&all, 1}, k.data(), v.data(), pool);
        Attention(cache.pages(), {&all, 1}, q.data(), 2, 1.0f, 0, out.data(), pool);
        for (int i = 0; i < 18 * 64; ++i) EXPECT_TRUE(std::isfinite(out[i])) << "an earlier row's";
        for (int i = 18 * 64; i < 20 * 64; ++i) EXPECT_FALSE(std::isfinite(out[i])) << "its own";
      });
    }
  }
}

TEST(StoreKv, RoundsToHalfAsTensorDoes) {
  const Shape shape{1, 1, 20, 1, 0, DType::kF16};
  ThreadPool pool(1);
  std::vector<float> k = Random(20, 16);
  k[3] = 65519.0f;
  k[4] = 65520.0f;
  k[5] = 1e-7f;
  k[6] = -6e-8f;
  k[7] = 0x1.002p0f;
  const std::vector<int32_t> pages{0};
  const AttentionSlice slice{0, 1, 0, pages};
  ForEachIsa([&] {
    Cache cache(shape, 1);
    StoreKv(cache.pages(), {&slice, 1}, k.data(), k.data(), pool);
    for (size_t i = 0; i < k.size(); ++i) {
      uint16_t bits;
      std::memcpy(&bits, cache.keys().data() + 2 * i, sizeof bits);
      EXPECT_EQ(bits, F32ToF16(k[i])) << k[i];
    }
  });
}

// What Q8_0 keeps of one head of 64: its keys times a query that is one at one dimension, since
// the softmax of one position is 1, and so its values.
TEST(StoreKv, RoundsToQ8_0WithinHalfAStep) {
  const Shape shape{1, 1, 64, 16, 0, DType::kQ8_0};
  ThreadPool pool(1);
  for (const float size : {1.0f, 1e-4f, 1e-7f, 1e5f, 0.0f}) {
    std::vector<float> v = Random(64, 21);
    for (float& value : v) value *= size;
    v[7] = -4.0f * size;  // the largest of the first group
    const std::vector<int32_t> pages{0};
    const AttentionSlice slice{0, 1, 0, pages};
    const std::vector<float> q(64, 1.0f);
    ForEachIsa([&] {
      Cache cache(shape, 1);
      StoreKv(cache.pages(), {&slice, 1}, v.data(), v.data(), pool);
      std::vector<float> out(64);
      Attention(cache.pages(), {&slice, 1}, q.data(), 1, 1.0f, 0, out.data(), pool);
      for (size_t i = 0; i < 64; ++i) {
        const float* group = v.data() + i / 32 * 32;
        float most = 0;
        for (int j = 0; j < 32; ++j) most = std::max(most, std::abs(group[j]));
        // Half a step; the scale's own rounding, 127 times, where it is subnormal: 2^-25.
        EXPECT_NEAR(out[i], v[i], most / 254 * 1.001 + 127 * 0x1p-25) << i << " of " << size;
      }
    });
  }
}

// What F8_E4M3 keeps of one head: a sixteenth of a value is lost at most, or of 2^-14 of the
// largest.
TEST(StoreKv, RoundsToF8WithinASixteenth) {
  const Shape shape{1, 1, 40, 16, 0, DType::kF8_E4M3};
  ThreadPool pool(1);
  for (const float size : {1.0f, 1e-4f, 1e4f, 0.0f}) {
    std::vector<float> v = Random(40, 21);
    for (size_t i = 0; i < v.size(); ++i) v[i] *= size * std::exp2(-static_cast<float>(i % 16));
    v[7] = -4.0f * size;
    const std::vector<int32_t> pages{0};
    const AttentionSlice slice{0, 1, 0, pages};
    const std::vector<float> q(40, 1.0f);
    ForEachIsa([&] {
      Cache cache(shape, 1);
      StoreKv(cache.pages(), {&slice, 1}, v.data(), v.data(), pool);
      std::vector<float> out(40);
      Attention(cache.pages(), {&slice, 1}, q.data(), 1, 1.0f, 0, out.data(), pool);
      for (size_t i = 0; i < 40; ++i) {
        EXPECT_NEAR(out[i], v[i], std::max(std::abs(v[i]), 4 * size * 0x1p-14f) / 16) << i;
      }
    });
  }
}

class StoreKvOf : public testing::TestWithParam<DType> {};

TEST_P(StoreKvOf, PagesAreTheSameOnEveryInstructionSet) {
  const Shape shape{1, 3, 96, 16, 0, GetParam()};
  ThreadPool pool(2);
  auto k = Random(40 * 3 * 96, 22);
  k[5] = std::numeric_limits<float>::infinity();
  k[300] = 1e9f;  // beyond what a scale can say
  k[900] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<int32_t> pages{2, 0, 1};
  const AttentionSlice slice{0, 40, 0, pages};
  std::vector<std::byte> first;
  ForEachIsa([&] {
    Cache cache(shape, 3);
    StoreKv(cache.pages(), {&slice, 1}, k.data(), k.data(), pool);
    if (first.empty()) first = cache.keys();
    EXPECT_EQ(cache.keys(), first);
  });
}

INSTANTIATE_TEST_SUITE_P(Types, StoreKvOf, testing::Values(DType::kQ8_0, DType::kF8_E4M3));

}  // namespace
}  // namespace jikji::kernels
