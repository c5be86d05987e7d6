// Steps that are planned while the one before them is computed: the same answers, the same figures,
// and nobody waits for anybody.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "base/test_rounds.h"
#include "engine/engine.h"
#include "engine/fake_device.h"
#include "engine/fake_requests.h"
#include "engine/stepper.h"
#include "engine/test_client.h"

namespace jikji {
namespace {

std::unique_ptr<Engine> Start(std::unique_ptr<FakeDecoder> decoder, EngineOptions options) {
  auto engine = Engine::Start(FakeModel(std::move(decoder)), std::move(options));
  EXPECT_TRUE(engine) << engine.error().ToString();
  return std::move(*engine);
}

// A stepper over a device, and what all receivers heard; no thread, so that a schedule is what its
// seed says.
class Playthrough {
 public:
  Playthrough(EngineOptions options, int32_t pages, uint32_t seed)
      : options_(std::move(options)), random_(seed) {
    auto decoder = std::make_unique<FakeDevice>();
    device_ = decoder.get();
    device_->late = [this] { return random_() % 2 == 0; };
    model_ = FakeModel(std::move(decoder));
    stepper_.emplace(model_, options_,
                     *model_.decoder->MakeCache(pages, options_.page_tokens, options_.kv_dtype));
  }

  void Add(const GenerationRequest& request, int32_t priority, const std::string& tenant) {
    answers_[request.id].resize(static_cast<size_t>(request.choices));
    stepper_->Add(std::make_shared<ActiveRequest>(TicketFor(request, priority, {}, tenant), request,
                                                  [](Delta) {}));
  }
  void Cancel(const std::string& id) {
    stepper_->Cancel(id);
    Hear();
  }
  void Step() {
    const EngineStats before = stats();
    stepper_->Prepare();
    stepper_->Compute();
    Hear();
    if (stats().preemptions > before.preemptions) {
      EXPECT_EQ(stats().steps_ahead, before.steps_ahead) << "preempted while a step was under way";
    }
  }
  bool busy() const { return stepper_->busy(); }
  EngineStats stats() const { return stepper_->stats(); }
  const std::vector<Answer>& answers(const std::string& id) { return answers_[id]; }
  std::mt19937& random() { return random_; }
  FakeDevice& device() { return *device_; }
  Stepper& stepper() { return *stepper_; }

 private:
  void Hear() {
    for (Emission& emission : stepper_->TakeEmissions()) {
      Delta& delta = emission.delta;
      Answer& answer = answers_[emission.request->request.id][static_cast<size_t>(delta.choice)];
      EXPECT_FALSE(answer.finish) << "a delta after the last";
      answer.text += delta.text;
      answer.tokens.insert(answer.tokens.end(), delta.tokens.begin(), delta.tokens.end());
      std::ranges::move(delta.logprobs, std::back_inserter(answer.logprobs));
      std::ranges::move(delta.prompt_logprobs, std::back_inserter(answer.prompt_logprobs));
      if (!delta.finish) continue;
      answer.finish = delta.finish;
      answer.error = delta.error;
      answer.stop_match = delta.stop_match;
      EXPECT_EQ(delta.output_tokens, static_cast<int64_t>(answer.tokens.size()));
    }
  }

  EngineOptions options_;
  std::mt19937 random_;
  Model model_;
  FakeDevice* device_;
  std::optional<Stepper> stepper_;
  std::map<std::string, std::vector<Answer>> answers_;
};

// One request in three needs its tokens on the host: those are planned one by one.
GenerationRequest AnyRequest(const std::string& id, std::mt19937& random) {
  GenerationRequest request = Request(id, 1 + random() % 40, static_cast<int64_t>(random() % 40));
  request.prompt[0] = static_cast<TokenId>(10 + random() % 4);  // some begin alike
  request.choices = 1 + static_cast<int32_t>(random() % 2);
  request.sampling.seed = random() % 8;
  request.sampling.temperature = random() % 3 == 0 ? 0.0 : 0.9;
  // Some say much the same again and again, which is drafted.
  if (random() % 3 == 0)
    request.sampling.logit_bias.push_back({20, random() % 2 == 0 ? 7.0f : 3.0f});
  if (random() % 2 == 0) {
    request.ignore_eos = false;
    for (int i = 0; i < 12; ++i) request.stop_ids.push_back(static_cast<TokenId>(random() % 300));
    request.min_tokens = std::min<int64_t>(request.max_tokens, random() % 6);
  }
  if (random() % 3 == 0) request.stop = {"가", "나", "ab", "c"};
  if (random() % 12 == 0) request.prompt[random() % request.prompt.size()] = FakeDecoder::kPoison;
  switch (random() % 12) {
    case 0:
      request.sampling.frequency_penalty = 0.5;
      break;
    case 1:
      request.logprobs = 1;
      break;
    case 2:
      request.prompt_logprobs = 1;
      break;
    case 3:
      request.sampling.logit_bias.push_back({FakeDecoder::kPoison, 1.0f});  // twice
      break;
    default:
      break;
  }
  return request;
}

TEST(AheadTest, AnswersAreTheSameInAnySchedule) {
  // What each gives alone, on the processor.
  EngineOptions alone = SmallOptions();
  alone.speculate = 0;
  alone.prefix_cache = false;
  const auto processor = Start(std::make_unique<FakeDecoder>(), alone);
  int64_t steps = 0, ahead = 0, preemptions = 0, drafts = 0, hits = 0;
  std::map<FinishReason, int> ends;
  for (int round = TestRounds(120); round > 0; --round) {
    EngineOptions options = SmallOptions();
    options.speculate = round % 3 == 0 ? 4 : 0;
    options.prefix_cache = round % 4 != 0;
    options.step_tokens = round % 2 == 0 ? 5 : 40;
    if (round % 3 == 0) options.row_share_override = 0.0;
    const bool wide = round % 4 == 1;
    if (wide) options.max_running = 12;  // where a few drafts are not waited for
    Playthrough run(options, wide ? 150 : 24, static_cast<uint32_t>(round));
    std::vector<GenerationRequest> requests;
    std::set<std::string> cancelled;
    while (run.busy() || requests.size() < 16) {
      if (requests.size() < 16 && (wide || run.random()() % 4 == 0)) {
        requests.push_back(AnyRequest(std::to_string(requests.size()), run.random()));
        run.Add(requests.back(), static_cast<int32_t>(run.random()() % 2),
                run.random()() % 2 == 0 ? "a" : "b");
      }
      if (!requests.empty() && run.random()() % 40 == 0) {
        const std::string& id = requests[run.random()() % requests.size()].id;
        cancelled.insert(id);
        run.Cancel(id);
      }
      run.Step();
    }
    int64_t tokens = 0;
    for (const GenerationRequest& request : requests) {
      const auto wanted = Ask(*processor, request);
      for (size_t choice = 0; choice < wanted.size(); ++choice) {
        const Answer& answer = run.answers(request.id)[choice];
        tokens += static_cast<int64_t>(answer.tokens.size());
        ASSERT_TRUE(answer.finish);
        ++ends[*answer.finish];
        if (answer.finish == FinishReason::kCancelled) {
          ASSERT_TRUE(cancelled.contains(request.id));
          ASSERT_TRUE(std::ranges::equal(
              answer.tokens, std::span(wanted[choice].tokens).first(answer.tokens.size())));
          continue;
        }
        ASSERT_EQ(answer.Bytes(), wanted[choice].Bytes()) << round << " " << request.id;
        ASSERT_EQ(answer.error.has_value(), wanted[choice].error.has_value());
      }
    }
    const EngineStats stats = run.stats();
    EXPECT_EQ(stats.generation_tokens, tokens);
    EXPECT_EQ(stats.pages_used, 0);
    EXPECT_EQ(run.device().under_way, 0);
    steps += stats.steps;
    ahead += stats.steps_ahead;
    preemptions += stats.preemptions;
    drafts += stats.accepted_tokens;
    hits += stats.prefix_hits;
  }
  // None of this is rare.
  EXPECT_GT(ahead, steps / 5);
  EXPECT_GT(preemptions, TestRounds(120) / 2);
  EXPECT_GT(drafts, TestRounds(120) / 4);
  EXPECT_GT(hits, 0);
  for (const FinishReason reason : {FinishReason::kStop, FinishReason::kLength,
                                    FinishReason::kCancelled, FinishReason::kError}) {
    EXPECT_GT(ends[reason], TestRounds(120) / 3) << static_cast<int>(reason);
  }
}

// Prompts are read in chunks and requests come and go, beside streams that go on.
TEST(AheadTest, NearlyAllStepsArePlannedAhead) {
  Playthrough run(SmallOptions(), 200, 1);
  for (const char* id : {"a", "b"}) run.Add(Request(id, 5, 110), 0, "test");
  for (int i = 0; run.busy(); ++i) {
    if (i % 10 == 0) run.Add(Request("c" + std::to_string(i), 30, 4), 0, "test");
    if (i > 100 && run.stats().running <= 1) break;
    run.Step();
  }
  EXPECT_GT(run.stats().steps, 100);
  EXPECT_GE(run.stats().steps_ahead, run.stats().steps - 3);
  EXPECT_EQ(run.stats().preemptions, 0);
}

TEST(AheadTest, ReceiversHearOfAStepWhileTheNextIsComputed) {
  auto decoder = std::make_unique<FakeDevice>();
  const FakeDevice& device = *decoder;
  const auto engine = Start(std::move(decoder), SmallOptions());
  const GenerationRequest request = Request("r", 10, 100);
  int deltas = 0, beside = 0;
  TestClient client;
  const auto sink = client.Sink();
  ASSERT_TRUE(engine->Submit(TicketFor(request), request, [&](Delta delta) {
    ++deltas;
    if (device.under_way == 1) ++beside;
    sink(std::move(delta));
  }));
  client.Wait();
  EXPECT_EQ(deltas, 100);
  EXPECT_EQ(beside, 99);  // it is known which step is the last
}

TEST(AheadTest, WhatDependsOnATokenWaitsForIt) {
  const auto planned_ahead = [](auto change) {
    Playthrough run(SmallOptions(), 100, 1);
    GenerationRequest request = Request("r", 10, 40);
    change(request);
    run.Add(request, 0, "test");
    while (run.busy()) run.Step();
    EXPECT_EQ(run.answers("r")[0].tokens.size(), 40u);
    return run.stats().steps_ahead;
  };
  EXPECT_EQ(planned_ahead([](auto&) {}), 39);
  EXPECT_EQ(planned_ahead([](auto& r) { r.sampling.repetition_penalty = 1.1; }), 0);
  EXPECT_EQ(planned_ahead([](auto& r) { r.logprobs = 0; }), 0);
  EXPECT_EQ(planned_ahead([](auto& r) { r.sampling.logit_bias.push_back({3, 1.0f}); }), 0);
}

// A stream that repeats itself is drafted, which is worth more than not to wait.
TEST(AheadTest, DraftsThatPayAreWaitedFor) {
  EngineOptions options = SmallOptions();
  options.row_share_override = 0.3;
  Playthrough run(options, 100, 1);
  GenerationRequest request = Request("r", 10, 100);
  request.sampling.temperature = 0;
  request.sampling.logit_bias = {{20, 100.0f}};
  run.Add(request, 0, "test");
  while (run.busy()) run.Step();
  EXPECT_EQ(run.answers("r")[0].tokens, std::vector<TokenId>(100, 20));
  EXPECT_GT(run.stats().steps_ahead, 2);
  // Nearly as many as where every step waits.
  const auto processor = Start(std::make_unique<FakeDecoder>(), options);
  EXPECT_EQ(Ask(*processor, request)[0].tokens, run.answers("r")[0].tokens);
  EXPECT_GE(run.stats().accepted_tokens, processor->stats().accepted_tokens - 4);
  EXPECT_GT(run.stats().accepted_tokens, 30);
}

// One stream of ten is not waited for. What is drafted when a step waits all the same, beside one
// whose penalties need every token, is in the way of no step ahead.
TEST(AheadTest, DraftsAreNeverUnderWayBesideAStepAhead) {
  EngineOptions options = SmallOptions();
  options.max_running = 12;
  options.step_tokens = 60;
  options.prefill_slowdown = 0;
  options.row_share_override = 0.0;
  Playthrough run(options, 400, 1);
  std::vector<GenerationRequest> requests;
  for (int i = 0; i < 10; ++i) requests.push_back(Request(std::to_string(i), 5, 100));
  requests[0].sampling.temperature = 0;
  requests[0].sampling.logit_bias = {{20, 7.0f}};  // nearly always 20
  for (const GenerationRequest& request : requests) run.Add(request, 0, "test");
  for (int i = 0; run.busy(); ++i) {
    if (i % 10 == 0 && run.stats().running > 1) {
      requests.push_back(Request("p" + std::to_string(i), 5, 3));
      requests.back().sampling.presence_penalty = 0.5;
      run.Add(requests.back(), 0, "test");
    }
    run.Step();
  }
  EXPECT_GT(run.stats().accepted_tokens, 5);
  EXPECT_GT(run.stats().steps_ahead, run.stats().steps / 4);
  const auto processor = Start(std::make_unique<FakeDecoder>(), options);
  for (const GenerationRequest& request : requests) {
    EXPECT_EQ(run.answers(request.id)[0].tokens, Ask(*processor, request)[0].tokens);
  }
}

// Nothing is preempted ahead; who is more important waits for the steps under way, and no longer.
TEST(AheadTest, WhoPreemptsWaitsForTheStepsUnderWay) {
  EngineOptions options = SmallOptions();
  options.max_running = 2;
  options.prefill_slowdown = 0;
  Playthrough run(options, 100, 1);
  for (const char* id : {"a", "b"}) run.Add(Request(id, 5, 100), 1, "test");
  for (int i = 0; i < 10; ++i) run.Step();
  run.Add(Request("important", 10, 3), 0, "test");
  int calls = 0;
  for (; !run.answers("important")[0].finish; ++calls) run.Step();
  // Two to end what is under way, one to submit, one for each token.
  EXPECT_EQ(calls, 6);
  EXPECT_EQ(run.stats().preemptions, 1);
  while (run.busy()) run.Step();
  for (const char* id : {"a", "b"}) EXPECT_EQ(run.answers(id)[0].tokens.size(), 100u);
  EXPECT_EQ(run.stats().pages_used, 0);
}

// Of outputs whose ends are too far to be reserved.
TEST(AheadTest, AStreamThatLacksAPageWaitsForTheStepsUnderWay) {
  EngineOptions options = SmallOptions();
  options.context = 512;
  options.speculate = 0;
  Playthrough run(options, 170, 1);
  const std::vector<std::string> ids = {"a", "b", "c"};
  for (const std::string& id : ids) run.Add(Request(id, 10, 350), 0, "test");
  while (run.busy()) run.Step();
  EXPECT_GT(run.stats().preemptions, 0);
  EXPECT_GT(run.stats().steps_ahead, run.stats().steps * 9 / 10);
  EXPECT_EQ(run.stats().pages_used, 0);
  const auto processor = Start(std::make_unique<FakeDecoder>(), options);
  for (const std::string& id : ids) {
    EXPECT_EQ(run.answers(id)[0].tokens, Ask(*processor, Request(id, 10, 350))[0].tokens) << id;
  }
}

TEST(AheadTest, CancelledUnderWayIsForgotten) {
  auto decoder = std::make_unique<FakeDevice>();
  const auto engine = Start(std::move(decoder), SmallOptions());
  TestClient cancelled, stays;
  const GenerationRequest request = Request("c", 10, 100);
  const auto sink = cancelled.Sink();
  int heard = 0;
  ASSERT_TRUE(SubmitTo(*engine, Request("s", 10, 100), stays));
  ASSERT_TRUE(engine->Submit(TicketFor(request), request, [&](Delta delta) {
    if (++heard == 20) engine->Cancel("c");  // the step after this one is under way
    sink(std::move(delta));
  }));
  const Answer answer = cancelled.WaitOne();
  EXPECT_EQ(answer.finish, FinishReason::kCancelled);
  EXPECT_EQ(answer.output_tokens, 20);
  EXPECT_EQ(stays.WaitOne().output_tokens, 100);
  EXPECT_EQ(engine->stats().generation_tokens, 120);
  EXPECT_EQ(engine->stats().pages_used, 0);
}

// In any of its calls, and with two steps under way.
TEST(AheadTest, ALostDeviceEndsAllAndFreesAll) {
  for (int calls = 0; calls < 30; ++calls) {
    for (const bool at_submit : {false, true}) {
      Playthrough run(SmallOptions(), 100, static_cast<uint32_t>(calls));
      int left = calls;
      const auto outcome = [&left]() -> Result<> {
        if (left-- > 0) return {};
        return Fail(ErrorCode::kUnavailable, "the device is lost");
      };
      if (at_submit) run.device().submit = outcome;
      if (!at_submit) run.device().outcome = outcome;
      const std::vector<std::string> ids = {"a", "b", "c", "d", "e", "f"};
      for (const std::string& id : ids) run.Add(Request(id, 10, 50), 0, "test");
      while (run.busy()) run.Step();
      for (const std::string& id : ids) {
        const Answer& answer = run.answers(id)[0];
        EXPECT_EQ(answer.finish, FinishReason::kError);
        ASSERT_TRUE(answer.error);
        EXPECT_EQ(answer.error->message, "the device is lost");
      }
      ASSERT_TRUE(run.stepper().lost());
      EXPECT_EQ(run.stats().pages_used, 0);
      EXPECT_EQ(run.stats().waiting + run.stats().running, 0);
    }
  }
}

// A step that is refused, or a lack of memory, ends what runs; what waits goes on.
TEST(AheadTest, AFailedStepLeavesNothingUnderWay) {
  for (int calls = 0; calls < 12; ++calls) {
    Playthrough run(SmallOptions(), 100, static_cast<uint32_t>(calls));
    int left = calls;
    run.device().submit = [&left, calls]() -> Result<> {
      if (left-- != 0) return {};
      if (calls % 2 == 0) throw std::bad_alloc();
      return Fail(ErrorCode::kInvalidArgument, "too wide a step");
    };
    for (const char* id : {"a", "b", "c", "d", "e", "f"}) run.Add(Request(id, 10, 50), 0, "test");
    while (run.busy()) run.Step();
    EXPECT_EQ(run.answers("a")[0].finish, FinishReason::kError);
    EXPECT_EQ(run.answers("f")[0].finish, FinishReason::kLength);
    EXPECT_EQ(run.stats().pages_used, 0);
    EXPECT_EQ(run.device().under_way, 0);
  }
}

TEST(AheadTest, AnEngineEndsWithTwoStepsUnderWay) {
  auto decoder = std::make_unique<FakeDevice>();
  TestClient client;
  {
    const auto engine = Start(std::move(decoder), SmallOptions());
    ASSERT_TRUE(SubmitTo(*engine, Request("r", 10, 110), client));
    client.WaitForTokens(3);
  }
  const Answer answer = client.WaitOne();
  EXPECT_TRUE(answer.finish == FinishReason::kCancelled || answer.finish == FinishReason::kLength);
}

}  // namespace
}  // namespace jikji
