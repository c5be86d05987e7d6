// Replicas of a fake model: whose answer a request gets does not show, and where it is put does.
#include "app/replicated_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <deque>
#include <semaphore>
#include <stdexcept>
#include <thread>

#include "engine/fake_model.h"
#include "engine/test_client.h"

namespace jikji {
namespace {

using ::testing::HasSubstr;

class ReplicatedEngineTest : public ::testing::Test {
 protected:
  static constexpr size_t kReplicas = 3;
  static constexpr int32_t kPage = 4;

  ReplicatedEngineTest() {
    std::vector<std::unique_ptr<Engine>> replicas;
    for (size_t i = 0; i < kReplicas; ++i) {
      auto decoder = std::make_unique<FakeDecoder>();
      decoder->outcome = [this, i]() -> Result<> {
        if (!lost_[i]) return {};
        return Fail(ErrorCode::kUnavailable, "the GPU is lost");
      };
      decoder->before = [this, i](const Batch& batch) {
        steps_left_.wait(0);
        --steps_left_;
        prompt_rows_[i] += static_cast<int64_t>(batch.tokens.size());
      };
      replicas.push_back(Start(std::move(decoder)));
    }
    engine_ = std::make_unique<ReplicatedEngine>(std::move(replicas));
  }

  static std::unique_ptr<Engine> Start(std::unique_ptr<FakeDecoder> decoder) {
    EngineOptions options;
    options.threads = 1;
    options.context = 256;
    options.page_tokens = kPage;
    options.max_running = 4;
    options.step_tokens = 32;
    options.speculate = 0;
    auto engine = Engine::Start(FakeModel(std::move(decoder)), std::move(options));
    EXPECT_TRUE(engine) << engine.error().ToString();
    return std::move(*engine);
  }

  // Prompts of different `seed` share nothing, of the same as much as the shorter has.
  static GenerationRequest Ask(const std::string& id, int seed, int tokens, int64_t output = 6) {
    GenerationRequest request;
    request.id = id;
    for (int i = 0; i < tokens; ++i) request.prompt.push_back(10 + (i * 7 + seed * 31) % 200);
    request.max_tokens = output;
    request.ignore_eos = true;
    request.sampling.seed = 5;
    request.sampling.logit_bias = {{FakeDecoder::kPoison, -100.0f}};
    return request;
  }

  // How many replicas have computed something since the last call.
  int Used() {
    int used = 0;
    for (std::atomic<int64_t>& rows : prompt_rows_) used += rows.exchange(0) > 0;
    return used;
  }

  std::atomic<int> steps_left_ = 1 << 30;  // where none is left, a step waits
  std::array<std::atomic<bool>, kReplicas> lost_ = {};
  std::array<std::atomic<int64_t>, kReplicas> prompt_rows_ = {};
  std::unique_ptr<Engine> engine_;
};

TEST_F(ReplicatedEngineTest, AnswersAreThoseOfOneEngineAndAllReplicasWork) {
  const auto alone = Start(std::make_unique<FakeDecoder>());
  std::deque<TestClient> clients;
  for (int i = 0; i < 30; ++i) {
    ASSERT_TRUE(
        SubmitTo(*engine_, Ask("r" + std::to_string(i), i, 20 + i), clients.emplace_back()));
  }
  for (int i = 0; i < 30; ++i) {
    const auto request = Ask("r" + std::to_string(i), i, 20 + i);
    EXPECT_EQ(clients[static_cast<size_t>(i)].WaitOne().Bytes(),
              jikji::Ask(*alone, request)[0].Bytes());
  }
  EXPECT_EQ(Used(), 3);
  const EngineStats stats = engine_->stats();
  EXPECT_EQ(stats.generation_tokens, 30 * 6);
  EXPECT_EQ(stats.pages_total, 3 * alone->stats().pages_total);
  EXPECT_EQ(stats.running + stats.waiting, 0);
}

TEST_F(ReplicatedEngineTest, AConversationStaysWhereItsPagesAre) {
  for (int seed = 0; seed < 9; ++seed) {
    for (int turn = 1; turn <= 4; ++turn) {
      const std::string id = std::to_string(seed) + "." + std::to_string(turn);
      const Answer answer = jikji::Ask(*engine_, Ask(id, seed, turn * 8 * kPage))[0];
      if (turn == 1) continue;
      EXPECT_GE(answer.cached_tokens, (turn - 1) * 8 * kPage - kPage) << id;
      EXPECT_EQ(Used(), 1) << id;
    }
    Used();
  }
}

TEST_F(ReplicatedEngineTest, WhatIsLostGetsNothingMoreAndTheOthersGoOn) {
  // One after the other, so that each step is of one request.
  for (size_t gone = 0; gone < kReplicas; ++gone) {
    EXPECT_TRUE(engine_->Health(std::chrono::hours(1)).healthy);
    lost_[gone] = true;
    int failed = 0;
    for (int i = 0; i < 30; ++i) {
      TestClient client;
      const auto id = std::to_string(gone) + "." + std::to_string(i);
      const auto taken =
          SubmitTo(*engine_, Ask(id, 100 + static_cast<int>(gone) * 30 + i, 24), client);
      if (!taken) {
        EXPECT_EQ(taken.error().code, ErrorCode::kUnavailable);
        EXPECT_THAT(taken.error().message, HasSubstr("is lost"));
        EXPECT_EQ(gone, kReplicas - 1) << "others could have had it";
        continue;
      }
      const Answer answer = client.WaitOne();
      if (answer.finish != FinishReason::kError) continue;
      EXPECT_THAT(answer.error->message, HasSubstr("is lost"));
      ++failed;
    }
    EXPECT_EQ(failed, 1) << "the one that was there when it was lost";
  }
  const EngineHealth health = engine_->Health(std::chrono::hours(1));
  EXPECT_FALSE(health.healthy);
  EXPECT_THAT(health.reason, HasSubstr("is lost"));
}

TEST_F(ReplicatedEngineTest, CancelsAndKnowsWhatIsInFlight) {
  TestClient client, other;
  steps_left_ = 2;
  ASSERT_TRUE(SubmitTo(*engine_, Ask("a", 1, 24, 200), client));
  client.WaitForTokens(1);
  const auto again = SubmitTo(*engine_, Ask("a", 2, 24), other);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("in flight"));
  engine_->Cancel("b");  // nobody
  engine_->Cancel("a");
  steps_left_ = 1 << 30;
  steps_left_.notify_all();
  EXPECT_EQ(client.WaitOne().finish, FinishReason::kCancelled);
  ASSERT_TRUE(SubmitTo(*engine_, Ask("a", 2, 24), other));
  EXPECT_EQ(other.WaitOne().finish, FinishReason::kLength);
}

TEST_F(ReplicatedEngineTest, WorkOfAReceiverThatThrewIsGivenBack) {
  std::binary_semaphore thrown{0};
  const GenerationRequest request = Ask("thrown", 7, 32, 200);
  ASSERT_TRUE(engine_->Submit(TicketFor(request), request, [&](Delta) {
    thrown.release();
    throw std::runtime_error("a receiver that is gone");
  }));
  thrown.acquire();
  while (engine_->stats().running > 0) std::this_thread::yield();
  // Were it still counted, the replica that has the beginning would be too far over the mean.
  EXPECT_GT(jikji::Ask(*engine_, Ask("next", 7, 36))[0].cached_tokens, 0);
}

TEST_F(ReplicatedEngineTest, ObserversHearOneReplicaAtATime) {
  std::atomic<bool> inside = false;
  std::atomic<int> overlaps = 0, finished = 0;
  const auto alone = [&](auto...) {
    if (inside.exchange(true)) ++overlaps;
    std::this_thread::yield();
    inside = false;
  };
  engine_->SetObserver({.step = alone,
                        .finished =
                            [&](const RequestTimes&, FinishReason, int64_t, int64_t) {
                              alone();
                              ++finished;
                            },
                        .inter_token = alone,
                        .first_token = alone});
  std::deque<TestClient> clients;
  for (int i = 0; i < 60; ++i) {
    ASSERT_TRUE(
        SubmitTo(*engine_, Ask("o" + std::to_string(i), i, 30, 20), clients.emplace_back()));
  }
  for (TestClient& client : clients) client.WaitOne();
  EXPECT_EQ(overlaps, 0);
  EXPECT_EQ(finished, 60);
}

TEST_F(ReplicatedEngineTest, DrainsAndRefusesAsOneEngine) {
  engine_->StopAdmission();
  TestClient client;
  const auto taken = SubmitTo(*engine_, Ask("a", 1, 24), client);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace jikji
