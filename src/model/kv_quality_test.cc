// What a Q8_0 cache costs in quality: the perplexity of Korean text under the built-in model,
// beside that with F16 and F32.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "base/file.h"
#include "model/golden_models.h"
#include "model/model.h"

namespace jikji {
namespace {

// Of the tokens after the first, in windows of 1,024.
double Perplexity(Decoder& decoder, std::span<const TokenId> tokens, DType kv_dtype) {
  constexpr size_t kWindow = 1024;
  const auto vocab = static_cast<size_t>(decoder.spec().vocab);
  double sum = 0.0;
  size_t count = 0;
  for (size_t first = 0; first + kWindow <= tokens.size(); first += kWindow) {
    Sequence sequence(decoder, kWindow, kv_dtype);
    std::vector<int32_t> rows(kWindow - 1);
    std::iota(rows.begin(), rows.end(), 0);
    const std::vector<float> logits = sequence.Run(tokens.subspan(first, kWindow), rows);
    for (size_t i = 0; i + 1 < kWindow; ++i) {
      const std::span row(logits.data() + i * vocab, vocab);
      const double top = *std::max_element(row.begin(), row.end());
      double total = 0.0;
      for (const float logit : row) total += std::exp(logit - top);
      sum += top + std::log(total) - row[static_cast<size_t>(tokens[first + i + 1])];
      ++count;
    }
  }
  EXPECT_GT(count, 3000u);
  return std::exp(sum / static_cast<double>(count));
}

TEST(KvQuality, SmallTypesAreCloseToF16) {
  const auto model = LoadModel(JIKJI_SOURCE_DIR "/models/jikji-mini-ko");
  ASSERT_TRUE(model) << model.error().ToString();
  const auto text = ReadFile(JIKJI_SOURCE_DIR "/docs/api.ko.md");
  ASSERT_TRUE(text) << text.error().ToString();
  const std::vector<TokenId> tokens = model->description.tokenizer->Encode(*text, {});
  const double f16 = Perplexity(*model->decoder, tokens, DType::kF16);
  const double f32 = Perplexity(*model->decoder, tokens, DType::kF32);
  const double q8 = Perplexity(*model->decoder, tokens, DType::kQ8_0);
  RecordProperty("f16", std::to_string(f16));
  RecordProperty("q8_0", std::to_string(q8));
  const double f8 = Perplexity(*model->decoder, tokens, DType::kF8_E4M3);
  RecordProperty("f8_e4m3", std::to_string(f8));
  EXPECT_NEAR(q8 / f16, 1.0, 0.002);
  EXPECT_NEAR(f8 / f16, 1.0, 0.01);
  EXPECT_NEAR(f32 / f16, 1.0, 0.0002);
  EXPECT_NE(f8, f16) << "the cache's type made no difference";
  EXPECT_NE(q8, f16) << "the cache's type made no difference";
}

}  // namespace
}  // namespace jikji
