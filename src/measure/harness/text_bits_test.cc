#include "measure/harness/text_bits.h"

#include <gtest/gtest.h>
#include <zstd.h>

#include <numbers>
#include <numeric>

#include "base/file.h"
#include "engine/fake_model.h"
#include "model/golden_models.h"

namespace jikji::measure {
namespace {

std::unique_ptr<Engine> StartFake() {
  EngineOptions options;
  options.threads = 1;
  options.context = 64;
  options.page_tokens = 4;
  auto engine = Engine::Start(FakeModel(), options);
  EXPECT_TRUE(engine) << engine.error().ToString();
  return std::move(*engine);
}

TEST(TextBitsTest, EveryTokenCountsOnce) {
  const auto engine = StartFake();
  Scorer scorer(*engine);
  const std::string text(3000, 'a');
  const auto bits = TextBits(scorer, text, 32);
  ASSERT_TRUE(bits) << bits.error().ToString();
  EXPECT_EQ(bits->second, (std::vector<double>{1024, 1024, 952}));
  // The same, summed by hand.
  const auto tokens = engine->model().tokenizer->Encode(text);
  const auto logprobs = scorer.Score(RollingWindows(tokens, 0, 32));
  ASSERT_TRUE(logprobs);
  double sum = 0;
  for (const auto& window : *logprobs) sum += std::accumulate(window.begin(), window.end(), 0.0);
  EXPECT_NEAR(bits->Value(), -sum / std::numbers::ln2 / 3000, 1e-9);
}

TEST(TextBitsTest, AWrongWindowAndNoTextAreErrors) {
  const auto engine = StartFake();
  Scorer scorer(*engine);
  EXPECT_FALSE(TextBits(scorer, "봄", 1));
  EXPECT_FALSE(TextBits(scorer, "봄", 65));
  EXPECT_FALSE(TextBits(scorer, "", 32));
  EXPECT_TRUE(TextBits(scorer, "봄", 64));
}

TEST(TextBitsTest, ATextIsReadWholeOrNotAtAll) {
  TemporaryFolder folder;
  const auto read = [&](const char* name, std::string_view content) {
    EXPECT_TRUE(WriteFileAtomic(folder.path() / name, content));
    return ReadText(folder.path() / name);
  };
  const std::string text = "봄이 왔다.\r\n꽃이 핀다.\n";
  EXPECT_EQ(*read("a.txt", text), text);
  EXPECT_EQ(*read("a.txt", "\xEF\xBB\xBF" + text), text);
  const std::string plain = "봄이 왔다.\n꽃이 핀다.\n";
  std::string packed(ZSTD_compressBound(plain.size()), '\0');
  packed.resize(ZSTD_compress(packed.data(), packed.size(), plain.data(), plain.size(), 1));
  EXPECT_EQ(*read("a.txt.zst", packed), plain);
  EXPECT_FALSE(read("cut.txt.zst", packed.substr(0, packed.size() - 3)));
  const auto other = read("b.txt", "봄\n\xBA\xBD\n");  // CP949
  ASSERT_FALSE(other);
  EXPECT_TRUE(other.error().where.ends_with("b.txt:2")) << other.error().ToString();
  EXPECT_FALSE(read("c.txt", ""));
  EXPECT_FALSE(ReadText(folder.path() / "none.txt"));
}

}  // namespace
}  // namespace jikji::measure
