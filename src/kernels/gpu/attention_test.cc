// Heads and attention on the device, against the definition in double.
#include "kernels/gpu/attention.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <span>

#include "kernels/gpu/attention_plan.h"
#include "kernels/gpu/gpu_test.h"
#include "kernels/gpu/heads.h"
#include "kernels/gpu/math.h"
#include "kernels/gpu/ops.h"
#include "tensor/quant/f8.h"
#include "tensor/quant/half.h"

namespace jikji::kernels::gpu {
namespace {

struct Shape {
  int32_t heads, kv_heads, head_dim, page_tokens, window;
  bool f8 = false;  // keys and values are E4M3
};
constexpr Shape kShapes[] = {{4, 2, 16, 8, 0},          {3, 1, 64, 16, 0},
                             {8, 2, 96, 16, 0},         {40, 2, 128, 32, 7},
                             {2, 2, 32, 16, 40},        {4, 2, 16, 8, 0, true},
                             {3, 1, 64, 16, 0, true},   {8, 2, 88, 16, 0, true},
                             {40, 2, 128, 32, 7, true}, {2, 2, 24, 16, 40, true}};

constexpr float kScale = 0.4f;

// One sequence: keys and values of `tokens` stored, then rows [first, tokens) attended in slices of
// `slice` rows. Pages are shuffled, and poisoned where nothing is stored.
class Trial {
 public:
  // `odd`, if not 0, is one of position 8's values.
  Trial(const Shape& shape, int32_t tokens, uint32_t page_seed, float odd = 0)
      : shape_(shape),
        tokens_(tokens),
        q_(Random(int64_t{tokens} * shape.heads * shape.head_dim, 1)),
        k_(Random(int64_t{tokens} * shape.kv_heads * shape.head_dim, 2)),
        v_(Random(int64_t{tokens} * shape.kv_heads * shape.head_dim, 3)),
        device_(TestDevice()) {
    if (odd != 0) v_[static_cast<size_t>(8 * shape.kv_heads * shape.head_dim + 3)] = odd;
    const int32_t pages = (tokens + shape.page_tokens - 1) / shape.page_tokens + 2;
    pages_.resize(static_cast<size_t>(pages));
    std::iota(pages_.begin(), pages_.end(), 0);
    std::shuffle(pages_.begin(), pages_.end(), std::mt19937(page_seed));
    const int64_t heads = int64_t{pages} * shape.page_tokens * shape.kv_heads;
    keys_ = Poisoned<uint8_t>(*device_, heads * shape.head_dim * (shape.f8 ? 1 : 2));
    values_ = Poisoned<uint8_t>(*device_, heads * shape.head_dim * (shape.f8 ? 1 : 2));
    key_scales_ = Poisoned<uint16_t>(*device_, heads);
    value_scales_ = Poisoned<uint16_t>(*device_, heads);
    query_ = Poisoned<uint16_t>(*device_, static_cast<int64_t>(q_.size()));
    std::vector<int32_t> slots;
    for (int32_t p = 0; p < tokens; ++p) {
      slots.push_back(pages_[static_cast<size_t>(p / shape.page_tokens)] * shape.page_tokens +
                      p % shape.page_tokens);
    }
    const device::Buffer q = Upload(*device_, q_), k = Upload(*device_, k_),
                         v = Upload(*device_, v_);
    const device::Buffer slots_on = Upload(*device_, slots);
    const HeadsArgs args{.query = q.As<float>(),
                         .key = k.As<float>(),
                         .value = v.As<float>(),
                         .query_bias = nullptr,
                         .key_bias = nullptr,
                         .value_bias = nullptr,
                         .query_norm = nullptr,
                         .key_norm = nullptr,
                         .cosines = nullptr,
                         .sines = nullptr,
                         .slots = slots_on.As<int32_t>(),
                         .query_out = query_.As<uint16_t>(),
                         .kv = Planes(),
                         .rows = tokens,
                         .heads = shape.heads,
                         .query_scale = kScale,
                         .eps = 0};
    const int32_t items = tokens * (shape.heads + 2 * shape.kv_heads);
    EXPECT_TRUE(device_->Launch(jikji_heads, {static_cast<uint32_t>(items + 3) / 4, 1}, args));
  }

  // BF16 [tokens − first, heads, head_dim].
  std::vector<uint16_t> Attend(int32_t first, int32_t slice_rows, int64_t most_parts) {
    std::vector<AttentionSlice> slices;
    for (int32_t row = first; row < tokens_; row += slice_rows) {
      slices.push_back({row, std::min(slice_rows, tokens_ - row), row, pages_});
    }
    AttentionPlan plan;
    plan.Make(slices, shape_.heads, shape_.kv_heads, shape_.page_tokens, shape_.window, most_parts);
    splits_ = plan.merges.size();
    const device::Buffer items = Upload(*device_, plan.items),
                         merges = Upload(*device_, plan.merges);
    const device::Buffer pages = Upload(*device_, plan.pages);
    const device::Buffer out = Poisoned<uint16_t>(*device_, static_cast<int64_t>(q_.size()));
    const device::Buffer parts =
        Poisoned<uint8_t>(*device_, static_cast<int64_t>(PartBytes(plan.parts, shape_.head_dim)));
    EXPECT_TRUE(Attention(*device_,
                          {.items = items.As<AttentionItem>(),
                           .pages = pages.As<int32_t>(),
                           .query = query_.As<uint16_t>(),
                           .out = out.As<uint16_t>(),
                           .out_stride = int64_t{shape_.heads} * shape_.head_dim,
                           .parts = parts.As<float>(),
                           .kv = Planes(),
                           .item_count = static_cast<int32_t>(plan.items.size()),
                           .heads = shape_.heads,
                           .window = shape_.window},
                          merges.As<AttentionItem>(), static_cast<int32_t>(plan.merges.size())));
    auto all = Download<uint16_t>(*device_, out);
    all.erase(all.begin(), all.begin() + int64_t{first} * shape_.heads * shape_.head_dim);
    return all;
  }

  // What the cache keeps of keys or values.
  std::vector<double> Stored(std::vector<float> heads) const {
    const auto dim = static_cast<size_t>(shape_.head_dim);
    for (size_t at = 0; at < heads.size(); at += dim) {
      float most = 0;
      for (size_t d = 0; d < dim; ++d) most = std::max(most, std::abs(heads[at + d]));
      for (float& value : std::span(heads).subspan(at, dim)) {
        const float scale = F8Scale(most);
        value = shape_.f8 ? F8ToF32(F32ToF8(value / scale)) * scale : F16ToF32(F32ToF16(value));
      }
    }
    return {heads.begin(), heads.end()};
  }

  // The definition, with queries rounded to F16, keys and values as they are stored.
  std::vector<double> Wanted(int32_t row) const {
    const auto half = [](float value) { return static_cast<double>(F16ToF32(F32ToF16(value))); };
    const auto k = Stored(k_), v = Stored(v_);
    std::vector<double> out;
    const int32_t dim = shape_.head_dim;
    const int32_t first = shape_.window > 0 ? std::max(0, row - shape_.window + 1) : 0;
    for (int32_t h = 0; h < shape_.heads; ++h) {
      const int32_t kv_head = h / (shape_.heads / shape_.kv_heads);
      std::vector<double> weights;
      double total = 0;
      for (int32_t p = first; p <= row; ++p) {
        double score = 0;
        for (int32_t d = 0; d < dim; ++d) {
          score += half(q_[static_cast<size_t>((row * shape_.heads + h) * dim + d)] * kScale) *
                   k[static_cast<size_t>((p * shape_.kv_heads + kv_head) * dim + d)];
        }
        weights.push_back(std::exp(score));
        total += weights.back();
      }
      for (int32_t d = 0; d < dim; ++d) {
        double sum = 0;
        for (int32_t p = first; p <= row; ++p) {
          sum += weights[static_cast<size_t>(p - first)] / total *
                 v[static_cast<size_t>((p * shape_.kv_heads + kv_head) * dim + d)];
        }
        out.push_back(sum);
      }
    }
    return out;
  }

  size_t splits() const { return splits_; }

 private:
  KvPlanes Planes() const {
    KvPlanes planes{keys_.data(), values_.data(), shape_.page_tokens, shape_.kv_heads,
                    shape_.head_dim};
    if (shape_.f8) {
      planes.key_scales = key_scales_.As<uint16_t>();
      planes.value_scales = value_scales_.As<uint16_t>();
    }
    return planes;
  }

  Shape shape_;
  int32_t tokens_;
  std::vector<float> q_, k_, v_;
  std::unique_ptr<device::Device> device_;
  std::vector<int32_t> pages_;
  device::Buffer keys_, values_, key_scales_, value_scales_, query_;
  size_t splits_ = 0;
};

TEST(GpuAttention, AgreesWithTheDefinition) {
  for (const Shape& shape : kShapes) {
    for (const int32_t tokens : {1, 9, 70}) {
      SCOPED_TRACE(testing::Message()
                   << shape.heads << " heads of " << shape.head_dim << (shape.f8 ? " in E4M3" : "")
                   << ", " << tokens << " tokens");
      Trial run(shape, tokens, 4);
      const auto out = run.Attend(0, tokens, 0);
      size_t at = 0;
      for (int32_t row = 0; row < tokens; ++row) {
        for (const double wanted : run.Wanted(row)) {
          // Values are below 5; weights are rounded to F16, the result to BF16.
          ASSERT_NEAR(BF16ToF32(out[at]), wanted, std::abs(wanted) * 0x1p-8 + 4e-3) << at;
          ++at;
        }
      }
    }
  }
}

TEST(GpuAttention, BitsDoNotDependOnSlicesPagesOrSplits) {
  for (const Shape& shape : {Shape{2, 1, 16, 16, 0}, Shape{3, 1, 40, 8, 0},
                             Shape{2, 2, 16, 16, 560}, Shape{2, 1, 40, 8, 560, true}}) {
    const int32_t tokens = 1100, first = tokens - 9;  // over three chunks
    Trial run(shape, tokens, 4);
    const auto whole = run.Attend(first, 9, 0);
    EXPECT_EQ(run.splits(), 0u);
    EXPECT_EQ(run.Attend(first, 1, 1 << 20), whole);
    EXPECT_GT(run.splits(), 0u);
    EXPECT_EQ(run.Attend(first, 4, 1 << 20), whole);
    EXPECT_EQ(run.Attend(first, 1, 0), whole);
    EXPECT_EQ(Trial(shape, tokens, 5).Attend(first, 3, 1 << 20), whole);
    const auto wanted = run.Wanted(tokens - 1);
    for (size_t i = 0; i < wanted.size(); ++i) {
      ASSERT_NEAR(BF16ToF32(whole[whole.size() - wanted.size() + i]), wanted[i], 4e-3);
    }
  }
}

// What has no scale is no number, in the rows that see it and in none of a tile before.
TEST(GpuAttention, ARowThatIsNotFiniteIsSeenByThoseThatFollow) {
  for (const float odd : {std::numeric_limits<float>::infinity(), std::nanf(""), 1e6f}) {
    Trial run({2, 1, 16, 8, 0, true}, 12, 4, odd);
    const auto out = run.Attend(0, 12, 0);
    for (size_t i = 0; i < out.size(); ++i) {
      EXPECT_EQ(std::isfinite(BF16ToF32(out[i])), i < 8 * 2 * 16) << odd << " " << i;
    }
  }
}

TEST(GpuMath, ExpAndCosSinAreAsGoodAsTheySay) {
  for (float x = -90; x <= 88; x += 0.0137f) {
    const double wanted = std::exp(static_cast<double>(x));
    ASSERT_NEAR(Exp(x), x < -87.3f ? 0 : wanted, wanted * 0x1p-22) << x;
  }
  EXPECT_EQ(Exp(0.0f), 1.0f);
  EXPECT_EQ(Exp(-std::numeric_limits<float>::infinity()), 0.0f);
  EXPECT_TRUE(std::isnan(Exp(std::numeric_limits<float>::quiet_NaN())));
  for (float angle : {0.0f, 0.5f, 1.5707964f, 3.0f, 100.25f, 4096.7f, 131071.0f, 1048575.0f}) {
    float cosine, sine;
    CosSin(angle, cosine, sine);
    EXPECT_NEAR(cosine, std::cos(static_cast<double>(angle)), 1e-7) << angle;
    EXPECT_NEAR(sine, std::sin(static_cast<double>(angle)), 1e-7) << angle;
  }
}

}  // namespace
}  // namespace jikji::kernels::gpu
