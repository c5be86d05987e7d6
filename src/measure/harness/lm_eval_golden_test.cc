// The harness held to transformers and to lm-evaluation-harness's formulas (tests/goldens/eval).
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <filesystem>

#include "base/file.h"
#include "base/json.h"
#include "kernels/isa.h"
#include "measure/harness/evaluate.h"
#include "measure/harness/text_bits.h"
#include "model/golden_models.h"

namespace jikji::measure {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

const fs::path kRoot = JIKJI_SOURCE_DIR;
const fs::path kGoldens = kRoot / "tests/goldens/eval";

const json::object& Expected() {
  static const auto file = ParseJsonFile((kGoldens / "expected.json").string());
  EXPECT_TRUE(file) << file.error().ToString();
  return file->as_object();
}

// BF16 products round the activations too, which transformers' float32 does not: the best
// instruction set without them is used while this lives.
class FloatActivations {
 public:
  FloatActivations() : before_(kernels::ActiveIsa()) {
    for (const kernels::Isa isa : kernels::AvailableIsas()) {
      if (isa == kernels::Isa::kAvx512Bf16) continue;
      EXPECT_TRUE(kernels::SetIsa(isa));
    }
  }
  ~FloatActivations() { EXPECT_TRUE(kernels::SetIsa(before_)); }
  FloatActivations(const FloatActivations&) = delete;
  FloatActivations& operator=(const FloatActivations&) = delete;

 private:
  kernels::Isa before_;
};

std::string Text(const json::value& value) { return std::string(value.as_string()); }

// The built-in model, or a tiny one made anew with one token a byte. The cache is F32, since it is
// transformers' float32 that the figures are compared with.
std::unique_ptr<Engine> Start(const std::string& name, int64_t context) {
  const TemporaryFolder folder;
  fs::path path = kRoot / "models" / name;
  if (name != "jikji-mini-ko") {
    path = folder.path();
    GoldenModel model = GoldenNamed(name);
    FillWeights(model);
    EXPECT_TRUE(WriteFolder(model, path, AllAs(DType::kF32)));
    fs::copy_file(kGoldens / "byte_tokenizer.json", path / "tokenizer.json");
  }
  auto model = LoadModel(path);
  EXPECT_TRUE(model) << model.error().ToString();
  EngineOptions options;
  options.threads = 2;
  options.context = context;
  options.kv_dtype = DType::kF32;
  options.kv_bytes = 64 << 20;
  auto engine = Engine::Start(std::move(*model), options);
  EXPECT_TRUE(engine) << engine.error().ToString();
  return std::move(*engine);
}

std::vector<ChoiceItem> Items(const json::value& list) {
  std::vector<ChoiceItem> items;
  for (const json::value& item : list.as_array()) {
    const auto parsed = ParseChoiceItem(json::serialize(item), "expected.json");
    EXPECT_TRUE(parsed) << parsed.error().ToString();
    items.push_back(*parsed);
  }
  return items;
}

TEST(LmEvalGoldenTest, LogLikelihoodsAreTransformersAndMetricsTheHarnesss) {
  const FloatActivations guard;
  const json::array& models = Expected().at("models").as_array();
  ASSERT_EQ(models.size(), 3u);
  double worst = 0;
  for (const json::value& entry : models) {
    const std::string name = Text(entry.at("name"));
    SCOPED_TRACE(name);
    const auto engine = Start(name, entry.at("context").to_number<int64_t>());
    Scorer scorer(*engine);
    Task task;
    task.name = name;
    task.items = Items(entry.at("items"));
    const auto result = Evaluate(scorer, task, 0, 1234);
    ASSERT_TRUE(result) << result.error().ToString();
    const json::array& expected = entry.at("loglikelihoods").as_array();
    ASSERT_EQ(result->loglikelihoods.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      const json::array& choices = expected[i].as_array();
      ASSERT_EQ(result->loglikelihoods[i].size(), choices.size());
      for (size_t k = 0; k < choices.size(); ++k) {
        const double error =
            std::abs(result->loglikelihoods[i][k] - choices[k].to_number<double>());
        EXPECT_LE(error, 1e-4) << "item " << i << ", choice " << k;
        worst = std::max(worst, error);
      }
    }
    const json::object& metrics = entry.at("metrics").as_object();
    ASSERT_EQ(result->metrics.size(), metrics.size());
    for (const Metric& metric : result->metrics) {
      EXPECT_NEAR(metric.Value(), metrics.at(metric.name).to_number<double>(), 1e-12)
          << metric.name;
    }
  }
  std::printf("largest difference of a log-likelihood: %.1e\n", worst);
}

TEST(LmEvalGoldenTest, RollingWindowsAreTheHarnesss) {
  const FloatActivations guard;
  const json::value& rolling = Expected().at("rolling");
  const auto engine = Start("jikji-mini-ko", 256);
  Scorer scorer(*engine);
  const auto bits =
      TextBits(scorer, Text(rolling.at("text")), rolling.at("window").to_number<size_t>());
  ASSERT_TRUE(bits) << bits.error().ToString();
  EXPECT_NEAR(bits->Value(), rolling.at("bits_per_byte").to_number<double>(), 1e-6);
}

TEST(LmEvalGoldenTest, AnswersEndWhereTheHarnesssDo) {
  const FloatActivations guard;
  const auto engine = Start("jikji-mini-ko", 256);
  Scorer scorer(*engine);
  for (const json::value& entry : Expected().at("generation").as_array()) {
    const std::vector<Prompt> prompts = {
        {.tokens = engine->model().tokenizer->Encode(Text(entry.at("prompt"))),
         .stop = {Text(entry.at("stop"))},
         .max_tokens = entry.at("max_tokens").to_number<int64_t>()}};
    const auto answers = scorer.Generate(prompts);
    ASSERT_TRUE(answers) << answers.error().ToString();
    EXPECT_EQ(answers->front().text, Text(entry.at("text"))) << entry.at("prompt");
  }
}

}  // namespace
}  // namespace jikji::measure
