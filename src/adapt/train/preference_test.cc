#include "adapt/train/preference.h"

#include <gtest/gtest.h>

#include <cmath>

#include "adapt/train/samples.h"
#include "adapt/train/small_model.h"
#include "base/file.h"
#include "model/golden_models.h"

namespace jikji::train {
namespace {

TEST(Preference, ItsFactorsAreItsGradient) {
  Preference preference{.beta = 0.3, .reference = {9, 8, 7, 12}};
  const std::vector<size_t> numbers = {2, 3, 0, 1};
  const std::vector<double> losses = {6.5, 14.0, 11.0, 7.0};
  const PreferenceLoss at = preference.Of(numbers, losses);
  const auto wanted = [&](double better, double worse) {
    return std::log1p(std::exp(-0.3 * (better - worse)));
  };
  EXPECT_NEAR(at.sum, wanted(0.5, -2.0) + wanted(-2.0, 1.0), 1e-12);
  for (size_t i = 0; i < losses.size(); ++i) {
    std::vector<double> moved = losses;
    moved[i] += 1e-6;
    EXPECT_NEAR((preference.Of(numbers, moved).sum - at.sum) / 1e-6, at.factors[i], 1e-6);
  }
  preference.beta = 1e6;  // neither overflows
  EXPECT_TRUE(std::isfinite(preference.Of(numbers, losses).sum));
}

// At first every pair loses log 2; then the better answer gains on the worse.
TEST(Preference, TheBetterAnswerGains) {
  std::vector<Document> documents;
  for (uint64_t i = 0; i < 20; ++i) {
    Document better = SmallDocument(i, 8), worse = better;
    for (size_t t = 4; t < 8; ++t) {
      worse.tokens[t] = (worse.tokens[t] + 7) % 50;
      better.trained[t] = worse.trained[t] = true;
    }
    documents.push_back(better);
    documents.push_back(worse);
  }
  ThreadPool pool(2);
  auto model = *TrainableDecoder::New(SmallSpec(), {});
  TrainOptions options = SmallOptions(30);
  Preference preference{.beta = 0.5, .reference = {}};
  for (const Document& document : documents) {
    Batch batch;
    batch.Append(document);
    preference.reference.push_back(model->Loss(batch, pool));
  }
  options.preference = preference;
  Trainer trainer(*model, documents, options, pool);
  const double first = trainer.Step().loss;
  EXPECT_NEAR(first, std::log(2.0), 1e-5);
  double last = first;
  while (!trainer.done()) last = trainer.Step().loss;
  EXPECT_LT(last, 0.3);
}

TEST(Samples, ReadsPreferencesInPairsOrNotAtAll) {
  const ModelDescription model =
      *DescribeModel(std::string(JIKJI_SOURCE_DIR) + "/models/jikji-mini-ko");
  TemporaryFolder folder;
  const auto file = folder.path() / "pairs.jsonl";
  ASSERT_TRUE(WriteFileAtomic(
      file, R"({"prompt":"안녕","chosen":"안녕하세요","rejected":"응"})"
            "\n"
            R"({"chosen":[{"role":"user","content":"가"},{"role":"assistant","content":"나"}],)"
            R"("rejected":[{"role":"user","content":"가"},{"role":"assistant","content":"다"}]})"
            "\n"
            R"({"prompt":"안녕","chosen":"안녕하세요"})"
            "\n"
            R"({"prompt":"안녕","chosen":"네","rejected":"네"})"
            "\n"
            R"({"prompt":"안녕","chosen":"네","rejected":" "})"
            "\n"
            R"({"chosen":[{"role":"user","content":"가"},{"role":"assistant","content":"나"}],)"
            R"("rejected":[{"role":"user","content":"마"},{"role":"assistant","content":"다"}]})"
            "\n"
            R"({"prompt":"가",)"  // and once more in each
            R"("chosen":[{"role":"user","content":"가"},{"role":"assistant","content":"나"}],)"
            R"("rejected":[{"role":"user","content":"가"},{"role":"assistant","content":"다"}]})"
            "\n"));
  Samples samples;
  ASSERT_TRUE(ReadPreferences(file, model, 100, samples));
  ASSERT_EQ(samples.documents.size(), 6u);
  EXPECT_EQ(samples.documents[4].tokens, samples.documents[2].tokens);
  EXPECT_EQ(samples.refused.size(), 4u);
  EXPECT_EQ(samples.refused.at("the answers are not to the same conversation").count, 1);
  EXPECT_EQ(samples.refused.at("`rejected` is neither text nor messages").count, 1);
  EXPECT_EQ(samples.refused.at("both answers are the same").count, 1);
}

}  // namespace
}  // namespace jikji::train
