#include "engine/engine.h"

#include <gtest/gtest.h>

#include <latch>
#include <random>
#include <semaphore>
#include <set>
#include <thread>

#include "engine/fake_model.h"
#include "engine/fake_requests.h"
#include "engine/logprobs.h"
#include "engine/sampler.h"
#include "engine/test_client.h"

namespace jikji {
namespace {

using std::chrono::milliseconds;

std::unique_ptr<Engine> StartFake(
    EngineOptions options = SmallOptions(),
    std::unique_ptr<FakeDecoder> decoder = std::make_unique<FakeDecoder>()) {
  auto engine = Engine::Start(FakeModel(std::move(decoder)), std::move(options));
  EXPECT_TRUE(engine.has_value()) << engine.error().ToString();
  return std::move(*engine);
}

// A decoder that stops in Forward until it is let go.
struct Gate {
  std::binary_semaphore entered{0};
  std::counting_semaphore<1 << 20> passes{0};

  void Attach(FakeDecoder& decoder) {
    decoder.before = [this](const Batch&) {
      entered.release();
      passes.acquire();
      entered.try_acquire();
    };
  }
  void Open() { passes.release(1 << 19); }
};

// What the request gives by the definition: one sequence, whole history, no cache.
Answer ByDefinition(const GenerationRequest& request, int32_t choice) {
  Answer answer;
  Sampler sampler(request, choice);
  SamplerScratch scratch;
  std::vector<TokenId> history = request.prompt;
  std::vector<float> logits(300);
  for (int64_t i = 0; i < request.max_tokens; ++i) {
    FakeDecoder::Logits(history, logits);
    auto next = sampler.Next(logits, scratch);
    EXPECT_TRUE(next.has_value());
    history.push_back(next->token);
    answer.tokens.push_back(next->token);
    if (next->logprob) answer.logprobs.push_back(*next->logprob);
  }
  answer.text = FakeTokenizer().Decode(answer.tokens, request.skip_special);
  answer.finish = FinishReason::kLength;
  return answer;
}

TEST(EngineTest, AnswersFollowTheDefinition) {
  auto engine = StartFake();
  for (const size_t prompt : {1, 4, 15, 16, 17, 40, 100}) {
    GenerationRequest request = Request("r", prompt);
    request.logprobs = 3;
    const Answer answer = Ask(*engine, request)[0];
    EXPECT_EQ(answer.Bytes(), ByDefinition(request, 0).Bytes()) << prompt;
    EXPECT_EQ(answer.prompt_tokens, static_cast<int64_t>(prompt));
    EXPECT_EQ(answer.output_tokens, 12);
  }
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(EngineTest, ChoicesAreSequencesOfTheirOwn) {
  auto engine = StartFake();
  GenerationRequest request = Request("n");
  request.choices = 9;  // more than run together
  const auto answers = Ask(*engine, request);
  std::set<std::string> different;
  for (int32_t choice = 0; choice < 9; ++choice) {
    const Answer& answer = answers[static_cast<size_t>(choice)];
    EXPECT_EQ(answer.Bytes(), ByDefinition(request, choice).Bytes());
    different.insert(answer.Bytes());
  }
  EXPECT_EQ(different.size(), 9u);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(EngineTest, StopIdIsCountedAndNotShown) {
  auto engine = StartFake();
  const GenerationRequest free = Request("free");
  const Answer whole = Ask(*engine, free)[0];
  GenerationRequest request = free;
  request.id = "stop";
  request.ignore_eos = false;
  request.stop_ids = {whole.tokens[5]};
  const auto first = std::find(whole.tokens.begin(), whole.tokens.end(), whole.tokens[5]);
  std::vector<TokenId> shown(whole.tokens.begin(), first);
  const Answer answer = Ask(*engine, request)[0];
  // The prompt is the same: ids differ in name alone.
  EXPECT_EQ(answer.finish, FinishReason::kStop);
  EXPECT_EQ(answer.output_tokens, static_cast<int64_t>(shown.size()) + 1);
  EXPECT_EQ(answer.text, FakeTokenizer().Decode(shown));
  EXPECT_EQ(answer.stop_match, "");

  request.id = "held";
  request.min_tokens = 9;
  const Answer longer = Ask(*engine, request)[0];
  EXPECT_GE(longer.output_tokens, 9);
  for (size_t i = 0; i < 9; ++i) EXPECT_NE(longer.tokens[i], request.stop_ids[0]);
}

TEST(EngineTest, StopStringsCutTheText) {
  auto engine = StartFake();
  std::mt19937 random(4);
  int matches = 0, across = 0;
  for (int round = 0; round < 200; ++round) {
    GenerationRequest request = Request("s", 3, 30);
    request.prompt[0] = static_cast<TokenId>(10 + random() % 200);
    request.sampling.seed = random();
    const Answer whole = Ask(*engine, request)[0];
    // Stops from the text itself, at character borders.
    std::vector<size_t> borders = {0};
    while (borders.back() < whole.text.size()) {
      borders.push_back(borders.back() +
                        DecodeUtf8(std::string_view(whole.text).substr(borders.back())).length);
    }
    for (size_t i = 1 + random() % 3; i > 0; --i) {
      const size_t from = random() % (borders.size() - 1);
      const size_t to = std::min(from + 1 + random() % 5, borders.size() - 1);
      request.stop.push_back(whole.text.substr(borders[from], borders[to] - borders[from]));
    }
    request.include_stop_text = random() % 2 == 0;
    size_t end = whole.text.size() + 1, length = 0;
    for (const std::string& stop : request.stop) {
      const size_t at = whole.text.find(stop);
      if (at + stop.size() < end || (at + stop.size() == end && stop.size() > length)) {
        end = at + stop.size();
        length = stop.size();
      }
    }
    const Answer cut = Ask(*engine, request)[0];
    ASSERT_EQ(cut.text, whole.text.substr(0, request.include_stop_text ? end : end - length));
    ASSERT_EQ(cut.stop_match, whole.text.substr(end - length, length));
    ASSERT_EQ(cut.finish, FinishReason::kStop);
    ASSERT_TRUE(std::equal(cut.tokens.begin(), cut.tokens.end(), whole.tokens.begin()));
    ++matches;
    across += length > 3 ? 1 : 0;
  }
  EXPECT_EQ(matches, 200);
  EXPECT_GT(across, 50);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(EngineTest, StopStringsWaitForMinTokens) {
  auto engine = StartFake();
  GenerationRequest request = Request("m", 5, 30);
  const Answer whole = Ask(*engine, request)[0];
  for (const char* syllable : {"가", "나", "다", "a", "b", "c"}) request.stop.push_back(syllable);
  request.min_tokens = 20;
  const Answer answer = Ask(*engine, request)[0];
  EXPECT_GT(answer.output_tokens, 20);
  EXPECT_TRUE(whole.text.starts_with(answer.text));
}

TEST(EngineTest, ScoresAPrompt) {
  auto engine = StartFake();
  GenerationRequest request = Request("score", 90, 0);
  request.prompt_logprobs = 2;
  const Answer answer = Ask(*engine, request)[0];
  EXPECT_EQ(answer.finish, FinishReason::kLength);
  EXPECT_EQ(answer.output_tokens, 0);
  EXPECT_EQ(answer.text, "");
  ASSERT_EQ(answer.prompt_logprobs.size(), 89u);
  for (size_t i = 1; i < 90; ++i) {
    std::vector<float> logits(300);
    FakeDecoder::Logits(
        {request.prompt.begin(), request.prompt.begin() + static_cast<ptrdiff_t>(i)}, logits);
    BlockMaxima blocks;
    blocks.Scan(logits);
    const double expected =
        logits[static_cast<size_t>(request.prompt[i])] - LogSumExp(logits, blocks.Top().logit);
    ASSERT_EQ(answer.prompt_logprobs[i - 1].token, request.prompt[i]);
    ASSERT_EQ(answer.prompt_logprobs[i - 1].logprob, static_cast<float>(expected));
    ASSERT_EQ(answer.prompt_logprobs[i - 1].top.size(), 2u);
    ASSERT_EQ(answer.prompt_logprobs[i - 1].top[0].first, blocks.Top().id);
  }
  // Beside output, and for the first of several choices only.
  request.id = "both";
  request.max_tokens = 4;
  request.choices = 2;
  const auto both = Ask(*engine, request);
  EXPECT_EQ(both[0].prompt_logprobs.size(), 89u);
  EXPECT_TRUE(both[1].prompt_logprobs.empty());
  request.prompt_logprobs = -1;
  EXPECT_EQ(both[0].tokens, ByDefinition(request, 0).tokens);

  GenerationRequest shortest = Request("one", 1, 0);
  shortest.prompt_logprobs = 0;
  EXPECT_TRUE(Ask(*engine, shortest)[0].prompt_logprobs.empty());
  EXPECT_EQ(Ask(*engine, Request("none", 5, 0))[0].finish, FinishReason::kLength);
}

TEST(EngineTest, RefusesWhatDoesNotFit) {
  auto engine = StartFake();
  TestClient client;
  const auto refused = [&](const GenerationRequest& request, const Ticket& ticket) {
    AdmissionRequest granted{.tenant = "t",
                             .prompt_tokens = ticket.prompt_tokens(),
                             .max_output_tokens = ticket.max_output_tokens(),
                             .cache_salt = {}};
    const auto result = engine->Submit(*LocalPolicy().Admit(granted), request, client.Sink());
    return !result && result.error().code == ErrorCode::kInvalidArgument;
  };
  const GenerationRequest good = Request("good");
  const auto ticket_of = [](int64_t prompt, int64_t output) {
    return *LocalPolicy().Admit(
        {.tenant = "t", .prompt_tokens = prompt, .max_output_tokens = output, .cache_salt = {}});
  };
  EXPECT_TRUE(refused(good, ticket_of(9, 12)));
  EXPECT_TRUE(refused(good, ticket_of(11, 12)));
  EXPECT_TRUE(refused(good, ticket_of(10, 11)));
  GenerationRequest two = good;
  two.choices = 2;
  EXPECT_TRUE(refused(two, ticket_of(10, 23)));

  const auto bad = [&](auto change) {
    GenerationRequest request = good;
    change(request);
    EXPECT_TRUE(refused(request, TicketFor(request)));
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  bad([](auto& r) { r.id.clear(); });
  bad([](auto& r) { r.prompt.clear(); });
  bad([](auto& r) { r.prompt[3] = 300; });
  bad([](auto& r) { r.prompt[3] = -1; });
  bad([](auto& r) { r.max_tokens = 119; });
  bad([](auto& r) { r.max_tokens = std::numeric_limits<int64_t>::max(); });
  bad([](auto& r) { r.max_tokens = -1; });
  bad([](auto& r) { r.min_tokens = 13; });
  bad([](auto& r) { r.min_tokens = -1; });
  bad([](auto& r) { r.choices = 0; });
  bad([](auto& r) { r.choices = 129; });
  bad([](auto& r) { r.stop = {""}; });
  bad([](auto& r) { r.stop = {"\xEA\xB0"}; });
  bad([](auto& r) { r.stop = std::vector<std::string>(65, "x"); });
  bad([](auto& r) { r.stop = {std::string(20000, 'x')}; });
  bad([](auto& r) { r.stop_ids = {300}; });
  bad([](auto& r) { r.logprobs = 1000; });
  bad([](auto& r) { r.prompt_logprobs = 1000; });
  bad([](auto& r) { r.first_prompt_logprob = 0; });
  bad([](auto& r) { r.sampling.logit_bias = {{300, 1.0f}}; });
  bad([&](auto& r) { r.sampling.logit_bias = {{1, static_cast<float>(nan)}}; });
  bad([&](auto& r) { r.sampling.temperature = nan; });
  bad([](auto& r) { r.sampling.temperature = -1; });
  bad([](auto& r) { r.sampling.top_p = 0; });
  bad([](auto& r) { r.sampling.top_p = 1.5; });
  bad([](auto& r) { r.sampling.min_p = -0.1; });
  bad([](auto& r) { r.sampling.top_k = -1; });
  bad([](auto& r) { r.sampling.repetition_penalty = 0; });
  bad([&](auto& r) { r.sampling.presence_penalty = nan; });
  bad([&](auto& r) { r.sampling.frequency_penalty = nan; });
  EXPECT_FALSE(engine->Submit(TicketFor(good), good, nullptr).has_value());
  EXPECT_EQ(engine->stats().steps, 0);
  EXPECT_EQ(Ask(*engine, good)[0].finish, FinishReason::kLength);
}

TEST(EngineTest, OneIdAtATime) {
  Gate gate;
  auto decoder = std::make_unique<FakeDecoder>();
  gate.Attach(*decoder);
  auto engine = StartFake(SmallOptions(), std::move(decoder));
  TestClient first, second;
  ASSERT_TRUE(SubmitTo(*engine, Request("same"), first).has_value());
  EXPECT_FALSE(SubmitTo(*engine, Request("same"), second).has_value());
  gate.Open();
  first.Wait();
  ASSERT_TRUE(SubmitTo(*engine, Request("same"), second).has_value());
  EXPECT_EQ(second.WaitOne().finish, FinishReason::kLength);
}

TEST(EngineTest, FullQueueAndDrain) {
  Gate gate;
  auto decoder = std::make_unique<FakeDecoder>();
  gate.Attach(*decoder);
  EngineOptions options = SmallOptions();
  options.max_running = 1;
  options.max_queued = 3;
  auto engine = StartFake(options, std::move(decoder));
  std::vector<std::unique_ptr<TestClient>> clients;
  const auto submit = [&] {
    clients.push_back(std::make_unique<TestClient>());
    return SubmitTo(*engine, Request("q" + std::to_string(clients.size())), *clients.back());
  };
  ASSERT_TRUE(submit().has_value());
  gate.entered.acquire();  // the first runs and waits no more, or will when its step has ended
  while (submit().has_value()) ASSERT_LT(clients.size(), 10u);
  EXPECT_EQ(clients.size(), 1u + 3u + 1u);
  clients.pop_back();
  const EngineStats stats = engine->stats();
  EXPECT_EQ(stats.waiting, 3);
  const auto full = submit();
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error().code, ErrorCode::kUnavailable);
  clients.pop_back();

  engine->StopAdmission();
  gate.Open();
  for (auto& client : clients) EXPECT_EQ(client->WaitOne().finish, FinishReason::kLength);
  const auto late = submit();
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::kUnavailable);
}

TEST(EngineTest, FirstComeFirstServedWithinPriority) {
  Gate gate;
  auto decoder = std::make_unique<FakeDecoder>();
  gate.Attach(*decoder);
  EngineOptions options = SmallOptions();
  options.max_running = 1;
  auto engine = StartFake(options, std::move(decoder));
  std::mutex mutex;
  std::string order;
  std::latch done(5);
  const auto submit = [&](char name, int32_t priority) {
    const GenerationRequest request = Request(std::string(1, name), 4, 3);
    const auto result = engine->Submit(TicketFor(request, priority), request, [&, name](Delta d) {
      if (!d.finish) return;
      const std::lock_guard lock(mutex);
      order += name;
      done.count_down();
    });
    ASSERT_TRUE(result.has_value());
  };
  submit('a', 0);
  gate.entered.acquire();
  submit('b', 1);
  submit('c', 0);
  submit('d', -1);
  submit('e', 0);
  gate.Open();
  done.wait();
  EXPECT_EQ(order, "daceb");  // d took the slot from a
}

TEST(EngineTest, LargeIsNotStarvedBySmall) {
  EngineOptions options = SmallOptions();
  options.kv_bytes = 32 * KvCache::PageBytes(FakeDecoder().spec(), 4, options.kv_dtype);
  options.max_queued = 1000;
  auto engine = StartFake(options);
  ASSERT_EQ(engine->stats().pages_total, 32);
  std::vector<std::unique_ptr<TestClient>> small;
  TestClient large;
  std::atomic<int> ended = 0;
  int ended_before_large = -1;
  for (int i = 0; i < 200; ++i) {
    if (i == 20) {
      const GenerationRequest request = Request("large", 60, 60);
      const auto result = engine->Submit(TicketFor(request), request, [&](Delta delta) {
        if (delta.finish) ended_before_large = ended;
        large.Sink()(std::move(delta));
      });
      ASSERT_TRUE(result.has_value());
    }
    small.push_back(std::make_unique<TestClient>());
    const GenerationRequest request = Request("s" + std::to_string(i), 4, 4);
    const auto result =
        engine->Submit(TicketFor(request), request, [&, client = small.back().get()](Delta delta) {
          if (delta.finish) ++ended;
          client->Sink()(std::move(delta));
        });
    ASSERT_TRUE(result.has_value());
  }
  EXPECT_EQ(large.WaitOne().finish, FinishReason::kLength);
  for (auto& client : small) EXPECT_EQ(client->WaitOne().finish, FinishReason::kLength);
  EXPECT_LT(ended_before_large, 100);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(EngineTest, CancelLeavesWithinAStep) {
  Gate gate;
  auto decoder = std::make_unique<FakeDecoder>();
  gate.Attach(*decoder);
  EngineOptions options = SmallOptions();
  options.max_running = 2;
  auto engine = StartFake(options, std::move(decoder));
  TestClient running(2), waiting;
  GenerationRequest request = Request("running", 10, 100);
  request.choices = 2;
  ASSERT_TRUE(SubmitTo(*engine, request, running).has_value());
  gate.entered.acquire();
  ASSERT_TRUE(SubmitTo(*engine, Request("waiting"), waiting).has_value());
  engine->Cancel("unknown");
  engine->Cancel("waiting");
  engine->Cancel("running");
  gate.passes.release();  // the step that was under way, and no other
  const auto answers = running.Wait();
  for (const Answer& answer : answers) {
    EXPECT_EQ(answer.finish, FinishReason::kCancelled);
    EXPECT_LE(answer.output_tokens, 1);
  }
  EXPECT_EQ(waiting.WaitOne().finish, FinishReason::kCancelled);
  EXPECT_EQ(engine->stats().pages_used, 0);
  EXPECT_EQ(engine->stats().running, 0);
  EXPECT_EQ(engine->stats().waiting, 0);
  gate.Open();
}

TEST(EngineTest, CancelAtRandomTimes) {
  auto engine = StartFake();
  std::mt19937 random(12);
  std::vector<std::unique_ptr<TestClient>> clients;
  std::vector<GenerationRequest> requests;
  int cancelled = 0;
  for (int i = 0; i < 400; ++i) {
    GenerationRequest request = Request("c" + std::to_string(i), 1 + random() % 30, 60);
    request.choices = static_cast<int32_t>(1 + random() % 3);
    auto client = std::make_unique<TestClient>(request.choices);
    while (!SubmitTo(*engine, request, *client).has_value()) std::this_thread::yield();
    if (random() % 3 == 0) client->WaitForTokens(random() % 40);
    if (random() % 4 != 0) engine->Cancel(request.id);
    clients.push_back(std::move(client));
    requests.push_back(std::move(request));
  }
  for (size_t i = 0; i < clients.size(); ++i) {
    const auto answers = clients[i]->Wait();
    for (size_t choice = 0; choice < answers.size(); ++choice) {
      const Answer& answer = answers[choice];
      cancelled += answer.finish == FinishReason::kCancelled ? 1 : 0;
      const Answer whole = ByDefinition(requests[i], static_cast<int32_t>(choice));
      ASSERT_TRUE(std::equal(answer.tokens.begin(), answer.tokens.end(), whole.tokens.begin()));
      ASSERT_EQ(answer.text, FakeTokenizer().Decode(answer.tokens));
    }
  }
  EXPECT_GT(cancelled, 50);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(EngineTest, NotANumberEndsOneChoiceAlone) {
  auto engine = StartFake();
  TestClient good, bad;
  GenerationRequest poisoned = Request("bad", 20);
  poisoned.prompt[15] = FakeDecoder::kPoison;
  const GenerationRequest healthy = Request("good", 20);
  ASSERT_TRUE(SubmitTo(*engine, poisoned, bad).has_value());
  ASSERT_TRUE(SubmitTo(*engine, healthy, good).has_value());
  const Answer answer = bad.WaitOne();
  EXPECT_EQ(answer.finish, FinishReason::kError);
  ASSERT_TRUE(answer.error.has_value());
  EXPECT_EQ(answer.error->code, ErrorCode::kInternal);
  EXPECT_TRUE(answer.tokens.empty());
  EXPECT_EQ(good.WaitOne().Bytes(), ByDefinition(healthy, 0).Bytes());
  poisoned.prompt_logprobs = 1;
  EXPECT_EQ(Ask(*engine, poisoned)[0].finish, FinishReason::kError);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(EngineTest, ThrowingDecoderEndsTheStepNotTheEngine) {
  auto decoder = std::make_unique<FakeDecoder>();
  decoder->before = [](const Batch& batch) {
    if (batch.tokens[0] == 7) throw std::bad_alloc();
  };
  auto engine = StartFake(SmallOptions(), std::move(decoder));
  GenerationRequest request = Request("throws");
  request.prompt[0] = 7;
  EXPECT_EQ(Ask(*engine, request)[0].finish, FinishReason::kError);
  EXPECT_EQ(Ask(*engine, Request("next"))[0].finish, FinishReason::kLength);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(EngineTest, ThrowingReceiverIsHeardNoMore) {
  auto engine = StartFake();
  int calls = 0;
  GenerationRequest request = Request("throws", 10, 100);
  request.choices = 3;
  ASSERT_TRUE(engine
                  ->Submit(TicketFor(request), request,
                           [&](Delta) {
                             ++calls;
                             throw std::runtime_error("receiver");
                           })
                  .has_value());
  const GenerationRequest other = Request("other", 10, 40);
  EXPECT_EQ(Ask(*engine, other)[0].Bytes(), ByDefinition(other, 0).Bytes());
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(EngineTest, HealthTellsOfAStuckDecoder) {
  Gate gate;
  auto decoder = std::make_unique<FakeDecoder>();
  gate.Attach(*decoder);
  auto engine = StartFake(SmallOptions(), std::move(decoder));
  EXPECT_TRUE(engine->Health(milliseconds(0)).healthy);  // nothing to do
  TestClient client;
  ASSERT_TRUE(SubmitTo(*engine, Request("stuck"), client).has_value());
  gate.entered.acquire();
  EXPECT_TRUE(engine->Health(std::chrono::minutes(10)).healthy);
  while (engine->Health(milliseconds(2)).healthy) std::this_thread::yield();
  EXPECT_NE(engine->Health(milliseconds(2)).reason, "");
  gate.Open();
  client.Wait();
  while (!engine->Health(milliseconds(0)).healthy) std::this_thread::yield();
}

TEST(EngineTest, EndingTheEngineCancelsAll) {
  std::vector<std::unique_ptr<TestClient>> clients;
  {
    auto engine = StartFake();
    for (int i = 0; i < 8; ++i) {
      clients.push_back(std::make_unique<TestClient>());
      ASSERT_TRUE(SubmitTo(*engine, Request("e" + std::to_string(i), 20, 100), *clients.back())
                      .has_value());
    }
  }
  for (auto& client : clients) EXPECT_TRUE(client->WaitOne().finish.has_value());
}

// A policy whose tickets say what the engine counted.
class CountingPolicy : public TicketIssuer {
 public:
  struct Heard {
    int64_t prompt = 0, cached = 0, output = 0;
  };
  std::expected<Ticket, Refusal> Admit(const AdmissionRequest& request) override {
    return Make(request, std::make_unique<Sum>(heard));
  }
  Heard heard;

 private:
  struct Sum : Meter {
    explicit Sum(Heard& its_heard) : heard(its_heard) {}
    void Count(int64_t prompt, int64_t cached, int64_t output) override {
      heard = {prompt, std::max(heard.cached, cached), heard.output + output};
    }
    Heard& heard;
  };
};

// A ledger clamps the larger of what it hears: a later choice's finds must not be among it.
TEST(EngineTest, AMeterHearsOfTheCacheAsTheFirstChoiceFoundIt) {
  auto engine = StartFake();
  GenerationRequest request = Request("m", 50);
  request.choices = 3;
  for (const int64_t expected : {0, 48}) {
    CountingPolicy policy;
    TestClient client(3);
    auto ticket = policy.Admit({.tenant = "t",
                                .prompt_tokens = 50,
                                .max_output_tokens = 3 * request.max_tokens,
                                .choices = 3,
                                .cache_salt = "m"});
    ASSERT_TRUE(engine->Submit(std::move(*ticket), request, client.Sink()).has_value());
    int64_t output = 0;
    for (const Answer& answer : client.Wait()) {
      output += static_cast<int64_t>(answer.tokens.size());
    }
    EXPECT_EQ(policy.heard.prompt, 50);
    EXPECT_EQ(policy.heard.cached, expected);
    EXPECT_EQ(policy.heard.output, output);
  }
}

TEST(EngineTest, WhatIsCachedIsSharedWithinASaltAndChangesNothing) {
  auto engine = StartFake();
  const GenerationRequest request = Request("c", 50);
  const auto cached = [&](const std::string& salt, int32_t choices = 1) {
    GenerationRequest again = request;
    again.choices = choices;
    TestClient client(choices);
    EXPECT_TRUE(SubmitTo(*engine, again, client, 0, salt).has_value());
    const auto answers = client.Wait();
    EXPECT_EQ(answers[0].Bytes(), ByDefinition(request, 0).Bytes());
    return answers.back().cached_tokens;
  };
  EXPECT_EQ(cached("a"), 0);
  EXPECT_EQ(cached("a"), 48);
  EXPECT_EQ(cached("b"), 0);
  EXPECT_EQ(cached(""), 0);
  EXPECT_EQ(cached("c", 3), 48);  // of the last choice, from the first
  EXPECT_EQ(engine->stats().prefix_queries, 7 * 50);
  EXPECT_EQ(engine->stats().prefix_hits, 3 * 48);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

TEST(EngineTest, ThePreemptedGoesOnWithTheSameTokens) {
  Gate gate;
  auto decoder = std::make_unique<FakeDecoder>();
  gate.Attach(*decoder);
  EngineOptions options = SmallOptions();
  options.kv_bytes = 32 * KvCache::PageBytes(FakeDecoder().spec(), 4, options.kv_dtype);
  auto engine = StartFake(options, std::move(decoder));
  GenerationRequest low = Request("low", 60, 60);
  low.logprobs = 2;
  low.prompt_logprobs = 1;
  low.sampling.repetition_penalty = 1.3;
  const GenerationRequest high = Request("high", 40, 20);
  TestClient first, second;
  ASSERT_TRUE(SubmitTo(*engine, low, first, 1).has_value());
  // Into the midst of the answer.
  for (int step = 0; step < 12; ++step) {
    gate.entered.acquire();
    if (step == 11) {
      EXPECT_TRUE(SubmitTo(*engine, high, second, 0).has_value());
    }
    gate.passes.release();
  }
  gate.Open();
  EXPECT_EQ(second.WaitOne().Bytes(), ByDefinition(high, 0).Bytes());
  const Answer answer = first.WaitOne();
  const Answer whole = ByDefinition(low, 0);
  EXPECT_EQ(answer.tokens, whole.tokens);
  EXPECT_EQ(answer.text, whole.text);
  EXPECT_EQ(answer.prompt_logprobs.size(), 59u);
  ASSERT_EQ(answer.logprobs.size(), whole.logprobs.size());
  EXPECT_EQ(answer.logprobs.back().logprob, whole.logprobs.back().logprob);
  EXPECT_EQ(engine->stats().preemptions, 1);
  EXPECT_EQ(engine->stats().prompt_tokens, 100);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

// Few tokens to choose from, so that they come in rows that came before: whatever is drafted, the
// tokens, their log probabilities and their end are those of the definition.
TEST(EngineTest, DraftsChangeNothing) {
  std::mt19937 random(8);
  EngineOptions options = SmallOptions();
  options.row_share_override = 0.05;
  auto engine = StartFake(options);
  for (int round = 0; round < 60; ++round) {
    GenerationRequest request = Request("d", 4 + random() % 40, 50);
    for (const TokenId token : {20, 21, 22, 23})
      request.sampling.logit_bias.emplace_back(token, 90);
    request.sampling.temperature = round % 3 == 0 ? 0 : 0.5;
    request.sampling.seed = random();
    request.logprobs = round % 4 - 1;
    if (round % 5 == 1) request.sampling.repetition_penalty = 1.01;
    if (round % 5 == 2) request.sampling.frequency_penalty = 0.05;
    const Answer whole = ByDefinition(request, 0);
    ASSERT_EQ(Ask(*engine, request)[0].Bytes(), whole.Bytes());
    // Cut by a stop id in the midst of what may be drafted.
    request.ignore_eos = false;
    request.stop_ids = {whole.tokens[20 + random() % 20]};
    const size_t first = static_cast<size_t>(std::ranges::find(whole.tokens, request.stop_ids[0]) -
                                             whole.tokens.begin());
    const Answer cut = Ask(*engine, request)[0];
    ASSERT_EQ(cut.finish, FinishReason::kStop);
    ASSERT_TRUE(std::ranges::equal(cut.tokens, std::span(whole.tokens).first(first + 1)));
    // And by a stop string, held off until there are so many tokens.
    request.stop_ids.clear();
    request.stop = {std::string(FakeTokenizer().TokenBytes(20))};
    request.min_tokens = 30;
    const Answer held = Ask(*engine, request)[0];
    ASSERT_GE(held.output_tokens, 30);
    ASSERT_TRUE(std::ranges::equal(
        held.tokens, std::span(whole.tokens).first(static_cast<size_t>(held.output_tokens))));
    ASSERT_TRUE(whole.text.starts_with(held.text));
  }
  const EngineStats stats = engine->stats();
  EXPECT_GT(stats.accepted_tokens, 100);
  EXPECT_GT(stats.draft_tokens, stats.accepted_tokens);
  EXPECT_EQ(stats.pages_used, 0);

  options.speculate = 0;
  engine = StartFake(options);
  Ask(*engine, Request("none", 10, 50));
  EXPECT_EQ(engine->stats().draft_tokens, 0);
}

// What a step that failed has left in its pages is not known, and is not served.
TEST(EngineTest, AFailedStepIsNotCached) {
  auto decoder = std::make_unique<FakeDecoder>();
  std::atomic<bool> fails = true;
  decoder->before = [&](const Batch&) {
    if (fails.exchange(false)) throw std::bad_alloc();
  };
  auto engine = StartFake(SmallOptions(), std::move(decoder));
  const GenerationRequest request = Request("f", 14);
  EXPECT_EQ(Ask(*engine, request)[0].finish, FinishReason::kError);
  const Answer answer = Ask(*engine, request)[0];
  EXPECT_EQ(answer.cached_tokens, 0);
  EXPECT_EQ(answer.Bytes(), ByDefinition(request, 0).Bytes());
}

TEST(EngineTest, ObserverAndStatsCount) {
  auto engine = StartFake();
  int64_t step_tokens = 0, first = 0, inter = 0, finished = 0, output = 0;
  engine->SetObserver({.step = [&](int64_t tokens) { step_tokens += tokens; },
                       .finished =
                           [&](const RequestTimes& times, FinishReason, int64_t, int64_t tokens) {
                             ++finished;
                             output += tokens;
                             EXPECT_LE(times.arrived, times.started);
                             EXPECT_LE(times.started, times.first_token);
                             EXPECT_LE(times.first_token, times.finished);
                           },
                       .inter_token = [&](double seconds) { inter += seconds >= 0 ? 1 : 0; },
                       .first_token = [&](double seconds) { first += seconds >= 0 ? 1 : 0; }});
  for (int i = 0; i < 5; ++i) Ask(*engine, Request("o" + std::to_string(i)));
  const EngineStats stats = engine->stats();
  engine.reset();
  EXPECT_EQ(stats.prompt_tokens, 50);
  EXPECT_EQ(stats.generation_tokens, 60);
  EXPECT_EQ(step_tokens, 50 + 55);  // the last token of each is never fed
  EXPECT_EQ(first, 5);
  EXPECT_EQ(inter, 55);
  EXPECT_EQ(finished, 5);
  EXPECT_EQ(output, 60);
}

TEST(EngineTest, StepsStayInTheBudget) {
  auto decoder = std::make_unique<FakeDecoder>();
  FakeDecoder* fake = decoder.get();
  auto engine = StartFake(SmallOptions(), std::move(decoder));
  std::vector<std::unique_ptr<TestClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<TestClient>());
    ASSERT_TRUE(
        SubmitTo(*engine, Request("b" + std::to_string(i), 90, 20), *clients.back()).has_value());
  }
  for (auto& client : clients) client->Wait();
  EXPECT_LE(fake->most_rows, 16);
  EXPECT_GT(fake->most_rows, 8);
}

// A vocabulary so large that the rows of a step are shared out among threads.
TEST(EngineTest, SamplingOnManyThreadsIsTheSame) {
  std::vector<std::vector<std::string>> answers;
  for (const size_t threads : {1, 3}) {
    EngineOptions options = SmallOptions();
    options.threads = threads;
    auto engine = StartFake(options, std::make_unique<FakeDecoder>(20000));
    answers.emplace_back();
    for (int i = 0; i < 4; ++i) {
      GenerationRequest request = Request("p" + std::to_string(i), 10, 8);
      request.choices = 4;
      request.logprobs = 2;
      request.prompt_logprobs = 1;
      request.sampling.top_p = 0.5 + 0.15 * i;
      for (const Answer& answer : Ask(*engine, request)) {
        EXPECT_EQ(answer.finish, FinishReason::kLength);
        answers.back().push_back(answer.Bytes());
      }
    }
  }
  EXPECT_EQ(answers[0], answers[1]);
}

// Many threads at the door at once.
TEST(EngineTest, ManyClients) {
  auto engine = StartFake();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 40; ++i) {
        const GenerationRequest request =
            Request("t" + std::to_string(t) + "-" + std::to_string(i), 5 + static_cast<size_t>(i));
        TestClient client;
        while (!SubmitTo(*engine, request, client).has_value()) std::this_thread::yield();
        if (i % 5 == 0) engine->Cancel(request.id);
        engine->stats();
        engine->Health(milliseconds(100));
        const Answer answer = client.WaitOne();
        EXPECT_TRUE(i % 5 == 0 || answer.Bytes() == ByDefinition(request, 0).Bytes());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(engine->stats().pages_used, 0);
}

}  // namespace
}  // namespace jikji
