// For tests: a receiver of deltas that can be waited for, and a way through the one door.
#ifndef JIKJI_ENGINE_TEST_CLIENT_H_
#define JIKJI_ENGINE_TEST_CLIENT_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/utf8.h"
#include "engine/engine.h"

namespace jikji {

// All that one choice said.
struct Answer {
  std::string text;
  std::vector<TokenId> tokens;
  std::vector<TokenLogprob> logprobs, prompt_logprobs;
  std::optional<FinishReason> finish;
  std::optional<Error> error;
  std::string stop_match;
  int64_t prompt_tokens = 0, output_tokens = 0, cached_tokens = 0;
  int deltas = 0;

  // Everything in it, bit for bit.
  std::string Bytes() const {
    std::string bytes = text + '\0' + stop_match + '\0';
    const auto add = [&](const auto& value) {
      bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
    };
    for (TokenId token : tokens) add(token);
    for (const auto* list : {&logprobs, &prompt_logprobs}) {
      for (const TokenLogprob& logprob : *list) {
        add(logprob.token);
        add(logprob.logprob);
        for (const auto& [id, value] : logprob.top) {
          add(id);
          add(value);
        }
      }
    }
    if (finish) add(*finish);
    return bytes;
  }
};

class TestClient {
 public:
  explicit TestClient(int32_t choices = 1) : answers_(static_cast<size_t>(choices)) {}

  DeltaSink Sink() {
    return [this](Delta delta) { Take(std::move(delta)); };
  }

  // The answers, once every choice has finished.
  std::vector<Answer> Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return finished_ == answers_.size(); });
    return answers_;
  }
  Answer WaitOne() { return Wait()[0]; }

  void WaitForTokens(size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return answers_[0].tokens.size() >= count || answers_[0].finish; });
  }

 private:
  void Take(Delta delta) {
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(IsValidUtf8(delta.text));
    Answer& answer = answers_[static_cast<size_t>(delta.choice)];
    EXPECT_FALSE(answer.finish) << "a delta after the last";
    answer.text += delta.text;
    answer.tokens.insert(answer.tokens.end(), delta.tokens.begin(), delta.tokens.end());
    for (auto& logprob : delta.logprobs) answer.logprobs.push_back(std::move(logprob));
    EXPECT_TRUE(delta.prompt_logprobs.empty() || answer.deltas == 0);
    for (auto& l : delta.prompt_logprobs) answer.prompt_logprobs.push_back(std::move(l));
    ++answer.deltas;
    if (delta.finish) {
      answer.finish = delta.finish;
      answer.error = delta.error;
      answer.stop_match = delta.stop_match;
      answer.prompt_tokens = delta.prompt_tokens;
      answer.output_tokens = delta.output_tokens;
      answer.cached_tokens = delta.cached_tokens;
      EXPECT_EQ(answer.output_tokens, static_cast<int64_t>(answer.tokens.size()));
      ++finished_;
    }
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Answer> answers_;
  size_t finished_ = 0;
};

inline Ticket TicketFor(const GenerationRequest& request, int32_t priority = 0,
                        const std::string& cache_salt = {}, const std::string& tenant = "test") {
  LocalPolicy policy;
  AdmissionRequest admission;
  admission.tenant = tenant;
  admission.prompt_tokens = static_cast<int64_t>(request.prompt.size());
  admission.max_output_tokens = std::max<int64_t>(0, request.max_tokens * request.choices);
  admission.priority = priority;
  admission.cache_salt = cache_salt;
  return *policy.Admit(admission);
}

inline Result<> SubmitTo(Engine& engine, const GenerationRequest& request, TestClient& client,
                         int32_t priority = 0, const std::string& cache_salt = {}) {
  return engine.Submit(TicketFor(request, priority, cache_salt), request, client.Sink());
}

// The whole answer to a request that has the engine for itself.
inline std::vector<Answer> Ask(Engine& engine, const GenerationRequest& request) {
  TestClient client(request.choices);
  const auto submitted = SubmitTo(engine, request, client);
  EXPECT_TRUE(submitted.has_value()) << submitted.error().ToString();
  return submitted ? client.Wait() : std::vector<Answer>(static_cast<size_t>(request.choices));
}

}  // namespace jikji

#endif  // JIKJI_ENGINE_TEST_CLIENT_H_
