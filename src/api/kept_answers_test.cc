// `Idempotency-Key`: asked twice, worked on and charged once.
#include "api/kept_answers.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/governed_site.h"

namespace jikji {
namespace {

constexpr const char* kStreamed = R"({"prompt":"hi","max_tokens":4,"stream":true})";

class KeptAnswersTest : public GovernedSite {
 protected:
  std::shared_ptr<FakeResponder> Send(const std::string& key, const std::string& body,
                                      const std::string& secret = {}) {
    return server_->Ask("POST", "/v1/completions", body,
                        {{"Authorization", "Bearer " + (secret.empty() ? key_.secret : secret)},
                         {"Idempotency-Key", key}});
  }
  // The engine answers request number `i` whole.
  void Answer(size_t i, std::string_view text = "yes") {
    server_->Say(i, text);
    server_->End(i, static_cast<int64_t>(text.size()));
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, KeptAnswersTest, testing::Values("sqlite"), StoreName);

TEST_P(KeptAnswersTest, TheSecondGetsTheAnswerOfTheFirstAndIsNotCharged) {
  const auto first = Send("k1", kCompletion);
  const auto meanwhile = Send("k1", kCompletion);
  EXPECT_FALSE(meanwhile->answered);
  Answer(0);
  const auto later = Send("k1", kCompletion);
  EXPECT_EQ(server_->engine.calls, 1);
  EXPECT_EQ(first->head.status, 200);
  EXPECT_EQ(first->Header("Idempotent-Replayed"), "");
  for (const auto& again : {meanwhile, later}) {
    EXPECT_EQ(again->head.status, 200);
    EXPECT_EQ(again->head.body, first->head.body);
    EXPECT_EQ(again->Header("Idempotent-Replayed"), "true");
    // The name under which the answer is in the log.
    EXPECT_EQ(again->Header("X-Request-Id"), first->Header("X-Request-Id"));
  }
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Total().requests, 1);
}

TEST_P(KeptAnswersTest, AStreamIsJoinedInItsMiddleAndRepeatedWhole) {
  const auto first = Send("k", kStreamed);
  server_->Say(0, "ye");
  const auto meanwhile = Send("k", kStreamed);
  EXPECT_EQ(meanwhile->stream, first->stream);
  server_->Say(0, "s");
  server_->End(0, 3);
  const auto later = Send("k", kStreamed);
  EXPECT_EQ(server_->engine.calls, 1);
  EXPECT_EQ(first->Events().back(), "[DONE]");
  for (const auto& again : {meanwhile, later}) {
    EXPECT_TRUE(again->ended);
    EXPECT_EQ(again->stream, first->stream);
  }
}

// What a retry is for: the client's connection broke, not the request.
TEST_P(KeptAnswersTest, AClientThatWentAwayFindsItsAnswer) {
  const auto first = Send("k", kStreamed);
  server_->Say(0, "y");
  ASSERT_TRUE(first->gone);
  first->gone();
  EXPECT_TRUE(server_->engine.cancelled.empty());
  server_->Say(0, "es");
  server_->End(0, 3);
  EXPECT_FALSE(first->ended);  // it is not there to be told
  const auto later = Send("k", kStreamed);
  EXPECT_EQ(server_->engine.calls, 1);
  EXPECT_EQ(later->Events().back(), "[DONE]");
}

TEST_P(KeptAnswersTest, TheSameKeyWithAnotherRequestIsRefused) {
  const auto first = Send("k", kCompletion);
  const auto other = Send("k", R"({"prompt":"ho","max_tokens":4})");
  EXPECT_EQ(other->head.status, 422);
  EXPECT_EQ(CodeOf(*other), "idempotency_key_reused");
  Answer(0);
  EXPECT_EQ(Send("k", R"({"prompt":"ho","max_tokens":4})")->head.status, 422);
  EXPECT_EQ(server_->engine.calls, 1);
}

TEST_P(KeptAnswersTest, AnotherApiKeysAnswersAreNotSeen) {
  const MadeKey other = AddKey();
  ASSERT_TRUE(governor_->Tick());
  const auto first = Send("k", kCompletion);
  const auto theirs = Send("k", R"({"prompt":"ho","max_tokens":4})", other.secret);
  EXPECT_EQ(server_->engine.calls, 2);
  Answer(1, "no");
  EXPECT_FALSE(first->answered);
  EXPECT_THAT(theirs->head.body, testing::HasSubstr("no"));
  // Nor by a key that does not stand any more.
  ASSERT_TRUE(admin_->RevokeKey(other.id));
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Send("k", R"({"prompt":"ho","max_tokens":4})", other.secret)->head.status, 401);
}

TEST_P(KeptAnswersTest, AnErrorIsNotKept) {
  ASSERT_TRUE(admin_->SetBudget({ScopeKind::kProject, project_}, Window::kMonth, 0, true));
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Send("k", kCompletion)->head.status, 429);
  ASSERT_TRUE(admin_->SetBudget({ScopeKind::kProject, project_}, Window::kMonth, 1'000'000, true));
  ASSERT_TRUE(governor_->Tick());
  const auto second = Send("k", kCompletion);
  server_->End(0, 0, FinishReason::kCancelled);
  EXPECT_EQ(second->head.status, 503);
  const auto third = Send("k", kCompletion);
  EXPECT_EQ(server_->engine.calls, 2);
  Answer(1);
  EXPECT_EQ(third->head.status, 200);
}

TEST_P(KeptAnswersTest, ADayLaterItIsANewRequest) {
  const auto first = Send("k", kCompletion);
  Answer(0);
  clock_.Advance(24 * 3600 - 1);
  ASSERT_TRUE(governor_->Tick());  // the store has answered since
  EXPECT_EQ(Send("k", kCompletion)->head.body, first->head.body);
  EXPECT_EQ(server_->engine.calls, 1);
  clock_.Advance(1);
  Send("k", kCompletion);
  EXPECT_EQ(server_->engine.calls, 2);
  Answer(1);
}

TEST_P(KeptAnswersTest, AStopOfTheModelFellsItsAnswersForGood) {
  const auto whole = Send("whole", kCompletion);
  Answer(0, "secret");
  const auto stream = Send("stream", kStreamed);
  server_->Say(1, "sec");
  ASSERT_TRUE(admin_->Stop("model", "another", "drill"));
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Send("whole", kCompletion)->head.body, whole->head.body);

  ASSERT_TRUE(admin_->Stop("model", "fake", "drill"));
  ASSERT_TRUE(governor_->Tick());
  server_->End(1, 3, FinishReason::kCancelled);
  for (const bool lifted : {false, true}) {
    if (lifted) {
      ASSERT_TRUE(admin_->Resume("model", "fake"));
      ASSERT_TRUE(governor_->Tick());
    }
    // What was made was charged, so it is not made again either.
    for (const auto& again : {Send("whole", kCompletion), Send("stream", kStreamed)}) {
      EXPECT_EQ(again->head.status, 409) << lifted;
      EXPECT_EQ(CodeOf(*again), "idempotency_answer_gone");
      EXPECT_THAT(again->stream + again->head.body, Not(testing::HasSubstr("sec\"")));
    }
  }
  EXPECT_EQ(server_->engine.calls, 2);
}

TEST_P(KeptAnswersTest, AStopOfAnOrganisationFellsItsAnswersOnly) {
  NewKey wanted;
  const int64_t other = admin_->AddOrganisation("구청", "KRW").value();
  wanted.project = admin_->AddProject(other, "p", {}).value();
  const MadeKey neighbour = AddKey(wanted);
  ASSERT_TRUE(governor_->Tick());
  Send("k", kCompletion);
  const auto theirs = Send("k", kCompletion, neighbour.secret);
  Answer(0);
  Answer(1, "no");
  ASSERT_TRUE(admin_->Stop("organisation", std::to_string(organisation_), "drill"));
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(Send("k", kCompletion)->head.status, 409);
  EXPECT_EQ(Send("k", kCompletion, neighbour.secret)->head.body, theirs->head.body);
}

// Content is erased of organisations that are archived: by then none of it is in memory.
TEST_P(KeptAnswersTest, AnArchivedOrganisationsAnswersAreNotInMemoryAnyMore) {
  Send("k", kCompletion);
  Answer(0);
  EXPECT_GT(server_->service->kept_bytes(), 0u);
  ASSERT_TRUE(admin_->Archive(ScopeKind::kOrganisation, organisation_));
  ASSERT_TRUE(governor_->Tick());
  EXPECT_EQ(server_->service->kept_bytes(), 0u);
}

TEST_P(KeptAnswersTest, KeysThatAreNoKeys) {
  for (const std::string& key : {std::string(256, 'a'), std::string("a\x01"), std::string("키")}) {
    const auto refused = Send(key, kCompletion);
    EXPECT_EQ(refused->head.status, 400);
    EXPECT_EQ(CodeOf(*refused), "invalid_idempotency_key");
  }
  EXPECT_EQ(server_->engine.calls, 0);
}

// The limits themselves, without a server.
class KeptMemory : public testing::Test {
 protected:
  // Asks as API key `who`; an answer of `bytes` comes at once where it is worked on.
  int Ask(int64_t who, const std::string& key, size_t bytes) {
    auto peer = std::make_shared<FakeResponder>();
    net::Request request;
    auto through = kept_->Begin({.api_key = who,
                                 .key = key,
                                 .request = request,
                                 .may_repeat = [] { return ApiResult<>(); }},
                                peer);
    if (!through) return through.error().status;
    const auto& worked = through->responder;
    if (worked != nullptr) worked->Send({.headers = {}, .body = std::string(bytes, 'x')});
    EXPECT_EQ(peer->head.body.size(), bytes);
    return worked != nullptr ? 1 : 0;  // worked on, or repeated
  }
  const std::shared_ptr<KeptAnswers> kept_ = std::make_shared<KeptAnswers>();
};

TEST_F(KeptMemory, IsBoundedAndNothingIsWorkedOnTwice) {
  constexpr size_t kHalf = KeptAnswers::kMostBytesOfOne / 2;
  constexpr int kMany = static_cast<int>(KeptAnswers::kMostBytes / kHalf) + 2;
  for (int i = 0; i < kMany; ++i) EXPECT_EQ(Ask(1, std::to_string(i), kHalf), 1);
  EXPECT_LE(kept_->bytes(), KeptAnswers::kMostBytes);
  EXPECT_EQ(Ask(1, "0", kHalf), 409);  // the oldest are gone, but known
  EXPECT_EQ(Ask(1, "1", kHalf), 409);
  EXPECT_EQ(Ask(1, "2", kHalf), 0);
  EXPECT_EQ(Ask(1, std::to_string(kMany - 1), kHalf), 0);
  // One that is too long is given, not kept.
  EXPECT_EQ(Ask(2, "long", KeptAnswers::kMostBytesOfOne + 1), 1);
  EXPECT_EQ(Ask(2, "long", 0), 409);
  // Of all together.
  for (int64_t who = 10; who < 10 + 80; ++who) {
    for (int i = 0; i < 8; ++i) Ask(who, std::to_string(i), kHalf);
  }
  EXPECT_LE(kept_->bytes(), KeptAnswers::kMostBytesOfAll);
  EXPECT_EQ(Ask(1, "2", kHalf), 409);
}

TEST_F(KeptMemory, KeysAreBoundedForEachApiKey) {
  for (size_t i = 0; i < KeptAnswers::kMostKeys + 5; ++i) Ask(1, std::to_string(i), 1);
  EXPECT_EQ(Ask(2, "a", 1), 1);
  EXPECT_EQ(kept_->keys(), KeptAnswers::kMostKeys + 1);
  EXPECT_EQ(kept_->bytes(), KeptAnswers::kMostKeys + 1);
}

}  // namespace
}  // namespace jikji
