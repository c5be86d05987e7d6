#include "adapt/train/trainer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "adapt/train/run_state.h"
#include "adapt/train/small_model.h"
#include "base/file.h"
#include "model/golden_models.h"

namespace jikji::train {
namespace {

TEST(Schedule, WarmsUpThenFallsToItsFloor) {
  const Schedule s{.peak = 2.0, .floor = 0.5, .warmup = 4, .steps = 12};
  EXPECT_DOUBLE_EQ(s.At(1), 0.5);
  EXPECT_DOUBLE_EQ(s.At(4), 2.0);
  EXPECT_DOUBLE_EQ(s.At(8), 1.25);
  EXPECT_DOUBLE_EQ(s.At(12), 0.5);
  EXPECT_DOUBLE_EQ((Schedule{.peak = 1.0, .steps = 1}).At(1), 0.0);
}

TEST(BatchSource, EveryEpochHasEveryDocumentOnceInAnotherOrder) {
  std::vector<Document> documents;
  for (int32_t i = 0; i < 40; ++i) {
    documents.push_back({std::vector<int32_t>(static_cast<size_t>(i % 5 + 2), i),
                         std::vector<bool>(static_cast<size_t>(i % 5 + 2), true)});
  }
  BatchSource source(documents, 1, 11, 7);
  std::vector<std::vector<int32_t>> orders(1);
  std::vector<DataPosition> positions;
  std::vector<std::vector<int32_t>> batches;
  while (orders.size() < 4) {
    positions.push_back(source.position());
    const Batch batch = source.Next();
    batches.push_back(batch.tokens);
    EXPECT_LE(batch.rows(), 11);
    for (const auto& document : batch.documents) {
      if (orders.back().size() == 40) orders.emplace_back();
      orders.back().push_back(batch.tokens[static_cast<size_t>(document.first)]);
    }
  }
  for (size_t epoch = 0; epoch < 3; ++epoch) {
    EXPECT_EQ(std::set(orders[epoch].begin(), orders[epoch].end()).size(), 40u);
  }
  EXPECT_NE(orders[0], orders[1]);
  for (size_t i = 0; i < positions.size(); i += 5) {
    source.Seek(positions[i]);
    EXPECT_EQ(source.Next().tokens, batches[i]);
  }
}

TEST(BatchSource, NeverGivesABatchThatTeachesNothing) {
  std::vector<Document> documents(9, {{1, 2, 3}, {false, false, false}});
  documents.push_back({{4, 5, 6}, {false, true, false}});
  BatchSource source(documents, 1, 4, 1);
  for (int i = 0; i < 20; ++i) EXPECT_GT(source.Next().target_count(), 0);
}

TEST(Trainer, AccumulatedIsFullBatch) {
  // Documents of one length, so that two of a batch or one of each of two are the same documents.
  std::vector<Document> documents;
  for (uint64_t i = 0; i < 12; ++i) documents.push_back(SmallDocument(i, 21));
  ThreadPool pool(2);
  std::vector<std::vector<double>> losses;

  for (const int64_t accumulate : {1, 2, 4}) {
    auto model = *TrainableDecoder::New(SmallSpec(), {});
    TrainOptions options = SmallOptions(10);
    options.batch_rows = 80 / accumulate;
    options.accumulate = accumulate;
    Trainer trainer(*model, documents, options, pool);
    losses.emplace_back();
    while (!trainer.done()) losses.back().push_back(trainer.Step().loss);
  }
  for (size_t step = 0; step < 10; ++step) {
    EXPECT_NEAR(losses[1][step], losses[0][step], 1e-6 * losses[0][step]);
    EXPECT_NEAR(losses[2][step], losses[0][step], 1e-6 * losses[0][step]);
  }
}

TEST(Trainer, LearnsAPatternAndHasTheSameBitsForAnyThreads) {
  const std::vector<Document> documents = SmallDocuments(24);
  std::vector<double> losses[2];
  const size_t threads[2] = {1, 3};
  for (int run = 0; run < 2; ++run) {
    ThreadPool pool(threads[run]);
    auto model = *TrainableDecoder::New(SmallSpec(), {});
    Trainer trainer(*model, documents, SmallOptions(60), pool);
    while (!trainer.done()) losses[run].push_back(trainer.Step().loss);
  }
  EXPECT_EQ(losses[0], losses[1]);
  EXPECT_LT(losses[0].back(), 0.8 * losses[0].front());
}

TEST(RunState, AResumedRunHasTheBitsOfAnUninterruptedOne) {
  const std::vector<Document> documents = SmallDocuments(24);
  const RunIdentity identity{"settings", "data"};
  ThreadPool pool(2);
  TemporaryFolder folder;
  const auto file = folder.path() / "run.safetensors";
  const auto run = [&](const std::set<int64_t>& stops) {
    auto model = *TrainableDecoder::New(SmallSpec(), {});
    auto trainer = std::make_unique<Trainer>(*model, documents, SmallOptions(12), pool);
    std::vector<double> losses;
    while (!trainer->done()) {
      losses.push_back(trainer->Step().loss);
      if (!stops.contains(trainer->state().step)) continue;
      EXPECT_TRUE(SaveRun(file, model->parameters(), trainer->state(), identity));
      const TrainState before = trainer->state();
      model = *TrainableDecoder::New(SmallSpec(), {.lora = {}, .base_type = {}, .seed = 99});
      trainer = std::make_unique<Trainer>(*model, documents, SmallOptions(12), pool);
      const auto state = LoadRun(file, model->parameters(), identity);
      EXPECT_TRUE(state) << state.error().ToString();
      EXPECT_EQ(*state, before);
      trainer->Restore(*state);
    }
    const auto values = model->parameters().values();
    return std::pair(losses, std::vector<float>(values.begin(), values.end()));
  };
  EXPECT_EQ(run({}), run({1, 2, 7}));
}

TEST(RunState, RefusesWhatIsNotTheSameRun) {
  TemporaryFolder folder;
  const auto file = folder.path() / "run.safetensors";
  auto model = *TrainableDecoder::New(SmallSpec(), {});
  ASSERT_TRUE(SaveRun(file, model->parameters(), {.step = 3}, {"a", "b"}));
  const auto message = [&](const RunIdentity& identity, TrainableDecoder& into) {
    const auto loaded = LoadRun(file, into.parameters(), identity);
    return loaded ? std::string() : loaded.error().message;
  };
  EXPECT_EQ(message({"a", "b"}, *model), "");
  EXPECT_NE(message({"x", "b"}, *model).find("other settings"), std::string::npos);
  EXPECT_NE(message({"a", "x"}, *model).find("other data"), std::string::npos);
  DecoderSpec wider = SmallSpec();
  wider.intermediate *= 2;
  EXPECT_NE(message({"a", "b"}, **TrainableDecoder::New(wider, {})).find("another model"),
            std::string::npos);
  // Cut short, as no crash of ours leaves it.
  std::string bytes = *ReadFile(file);
  ASSERT_TRUE(WriteFileAtomic(file, std::string_view(bytes).substr(0, bytes.size() / 2)));
  EXPECT_NE(message({"a", "b"}, *model), "");
  EXPECT_FALSE(LoadRun(folder.path() / "none", model->parameters(), {"a", "b"}));
}

}  // namespace
}  // namespace jikji::train
