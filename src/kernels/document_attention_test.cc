#include "kernels/document_attention.h"

#include <gtest/gtest.h>

#include "kernels/each_isa.h"
#include "kernels/gradient_check.h"

namespace jikji::kernels {
namespace {

using Values = std::vector<double>;

// Σ d_out · attention, and the output itself where it is asked for.
double Reference(const AttentionShape& s, std::span<const DocumentRows> documents, const Values& q,
                 const Values& k, const Values& v, std::span<const float> d_out,
                 Values* out = nullptr) {
  double loss = 0.0;
  const auto dim = static_cast<size_t>(s.head_dim);
  for (const DocumentRows& document : documents) {
    for (int32_t i = 0; i < document.count; ++i) {
      const int32_t from = s.window > 0 ? std::max(0, i - s.window + 1) : 0;
      for (int32_t h = 0; h < s.heads; ++h) {
        const size_t at = static_cast<size_t>((document.first + i) * s.heads + h) * dim;
        const auto kv_at = [&](int32_t j) {
          return static_cast<size_t>((document.first + j) * s.kv_heads +
                                     h / (s.heads / s.kv_heads)) *
                 dim;
        };
        Values weights;
        double total = 0.0;
        for (int32_t j = from; j <= i; ++j) {
          double score = 0.0;
          for (size_t d = 0; d < dim; ++d) score += q[at + d] * k[kv_at(j) + d];
          weights.push_back(std::exp(score * s.scale));
          total += weights.back();
        }
        for (size_t d = 0; d < dim; ++d) {
          double sum = 0.0;
          for (int32_t j = from; j <= i; ++j) {
            sum += weights[static_cast<size_t>(j - from)] / total * v[kv_at(j) + d];
          }
          if (out != nullptr) (*out)[at + d] = sum;
          loss += sum * d_out[at + d];
        }
      }
    }
  }
  return loss;
}

struct Case {
  AttentionShape shape;
  std::vector<DocumentRows> documents;
  int32_t rows;
};

const Case kCases[] = {
    {{.heads = 1, .kv_heads = 1, .head_dim = 4, .scale = 0.5f}, {{0, 5}}, 5},
    {{.heads = 4, .kv_heads = 2, .head_dim = 6, .scale = 0.4f}, {{0, 3}, {3, 1}, {4, 9}}, 14},
    {{.heads = 2, .kv_heads = 1, .head_dim = 5, .scale = 0.7f, .window = 3}, {{1, 8}, {9, 2}}, 11},
};

struct Inputs {
  explicit Inputs(const Case& c)
      : q(RandomValues(Count(c, c.shape.heads), 1)),
        k(RandomValues(Count(c, c.shape.kv_heads), 2)),
        v(RandomValues(Count(c, c.shape.kv_heads), 3)),
        d_out(RandomValues(Count(c, c.shape.heads), 4)) {}
  static size_t Count(const Case& c, int32_t heads) {
    return static_cast<size_t>(c.rows * heads * c.shape.head_dim);
  }
  std::vector<float> q, k, v, d_out;
};

struct Outputs {
  std::vector<float> out, sums, d_q, d_k, d_v;
};

Outputs BothPasses(const Case& c, const Inputs& in, ThreadPool& pool) {
  Outputs o{std::vector<float>(in.q.size()), std::vector<float>(in.q.size()),
            std::vector<float>(in.q.size()), std::vector<float>(in.k.size()),
            std::vector<float>(in.k.size())};
  DocumentAttention(c.shape, c.documents, in.q.data(), in.k.data(), in.v.data(), o.out.data(),
                    o.sums.data(), pool);
  DocumentAttentionBackward(c.shape, c.documents, c.rows, in.q.data(), in.k.data(), in.v.data(),
                            o.out.data(), o.sums.data(), in.d_out.data(), o.d_q.data(),
                            o.d_k.data(), o.d_v.data(), pool);
  return o;
}

TEST(DocumentAttention, AgreesWithDefinitionAndCentralDifferences) {
  for (const Case& c : kCases) {
    const Inputs in(c);
    const Values q = ToDouble(in.q), k = ToDouble(in.k), v = ToDouble(in.v);
    Values out(in.q.size());
    Reference(c.shape, c.documents, q, k, v, in.d_out, &out);
    const auto d_q = CentralDifferences(
        [&](const Values& at) { return Reference(c.shape, c.documents, at, k, v, in.d_out); },
        in.q);
    const auto d_k = CentralDifferences(
        [&](const Values& at) { return Reference(c.shape, c.documents, q, at, v, in.d_out); },
        in.k);
    const auto d_v = CentralDifferences(
        [&](const Values& at) { return Reference(c.shape, c.documents, q, k, at, in.d_out); },
        in.v);
    ForEachIsa([&] {
      ThreadPool pool(2);
      const Outputs got = BothPasses(c, in, pool);
      ExpectGradient(got.out, out);
      ExpectGradient(got.d_q, d_q);
      ExpectGradient(got.d_k, d_k);
      ExpectGradient(got.d_v, d_v);
    });
  }
}

// Long enough for several strips: the definition is differentiated by hand at a few places only.
TEST(DocumentAttention, StripsJoinWithoutASeam) {
  for (const int32_t window : {0, 70, 200}) {
    const Case c{{.heads = 2, .kv_heads = 1, .head_dim = 16, .scale = 0.25f, .window = window},
                 {{0, 301}, {301, 97}},
                 398};
    const Inputs in(c);
    const Values q = ToDouble(in.q), k = ToDouble(in.k), v = ToDouble(in.v);
    Values out(in.q.size());
    Reference(c.shape, c.documents, q, k, v, in.d_out, &out);
    ForEachIsa([&] {
      ThreadPool pool(2);
      const Outputs got = BothPasses(c, in, pool);
      ExpectGradient(got.out, out);
      for (const size_t i : {0u, 1543u, 3000u, 4799u, 6000u}) {
        const auto slope = [&](const std::vector<float>& x, int which) {
          Values at = ToDouble(x);
          const auto loss = [&] {
            return Reference(c.shape, c.documents, which == 0 ? at : q, which == 1 ? at : k,
                             which == 2 ? at : v, in.d_out);
          };
          at[i] += 1e-4;
          const double above = loss();
          at[i] -= 2e-4;
          return (above - loss()) / 2e-4;
        };
        EXPECT_NEAR(got.d_q[i], slope(in.q, 0), 1e-4);
        EXPECT_NEAR(got.d_k[i], slope(in.k, 1), 1e-4);
        EXPECT_NEAR(got.d_v[i], slope(in.v, 2), 1e-4);
      }
    });
  }
}

TEST(DocumentAttention, BitsDependOnNeitherThreadsNorNeighbours) {
  const Case packed{
      {.heads = 4, .kv_heads = 2, .head_dim = 8, .scale = 0.3f}, {{0, 120}, {120, 33}}, 153};
  const Inputs in(packed);
  Case alone = packed;
  alone.documents = {{0, 33}};
  alone.rows = 33;
  Inputs tail(alone);
  const auto cut = [](const std::vector<float>& from, size_t width) {
    return std::vector<float>(from.begin() + static_cast<int64_t>(120 * width), from.end());
  };
  tail.q = cut(in.q, 32), tail.d_out = cut(in.d_out, 32);
  tail.k = cut(in.k, 16), tail.v = cut(in.v, 16);
  ForEachIsa([&] {
    ThreadPool one(1), three(3);
    const Outputs a = BothPasses(packed, in, one), b = BothPasses(packed, in, three);
    EXPECT_EQ(a.out, b.out);
    EXPECT_EQ(a.d_q, b.d_q);
    EXPECT_EQ(a.d_k, b.d_k);
    EXPECT_EQ(a.d_v, b.d_v);
    const Outputs c = BothPasses(alone, tail, one);
    EXPECT_EQ(cut(a.out, 32), c.out);
    EXPECT_EQ(cut(a.d_q, 32), c.d_q);
    EXPECT_EQ(cut(a.d_k, 16), c.d_k);
    EXPECT_EQ(cut(a.d_v, 16), c.d_v);
  });
}

}  // namespace
}  // namespace jikji::kernels
