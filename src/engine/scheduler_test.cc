#include "engine/scheduler.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>

#include "engine/fake_model.h"
#include "engine/test_client.h"

namespace jikji {
namespace {

using ::testing::ElementsAre;

constexpr int32_t kPageTokens = 4;

EngineOptions SmallOptions() {
  EngineOptions options;
  options.page_tokens = kPageTokens;
  options.max_running = 8;
  options.step_tokens = 16;
  options.speculate = 0;
  return options;
}

// Plays the model and the clients of a scheduler, and checks every step.
class Playthrough {
 public:
  Playthrough(const EngineOptions& options, int32_t pages)
      : options_(options),
        scheduler_(options_, pages, {std::make_shared<FakeTokenizer>()}),
        memory_(static_cast<size_t>(pages) * kPageTokens, -1) {}

  void Add(const std::string& id, std::vector<TokenId> prompt, int64_t max_tokens,
           int32_t priority = 0, int32_t choices = 1, int32_t prompt_logprobs = -1,
           const std::string& tenant = "test") {
    GenerationRequest request;
    request.id = id;
    request.prompt = std::move(prompt);
    request.max_tokens = max_tokens;
    request.choices = choices;
    request.prompt_logprobs = prompt_logprobs;
    Ticket ticket = TicketFor(request, priority, {}, tenant);
    scheduler_.Add(std::make_shared<ActiveRequest>(std::move(ticket), request, [](Delta) {}));
  }

  // One step; the tokens of each choice in it, by "id/choice".
  std::map<std::string, int32_t> Step() {
    const std::vector<StepPart> parts = scheduler_.Plan(prices_);
    std::map<std::string, int32_t> planned;
    int32_t total = 0;
    for (const StepPart& part : parts) {
      EXPECT_GT(part.tokens, 0);
      EXPECT_LE(part.tokens, part.sequence->left());
      // A prompt's chunk of one token is no stream's.
      EXPECT_EQ(part.decodes(), End(part) == static_cast<int64_t>(part.sequence->tokens().size()) &&
                                    part.tokens == 1);
      EXPECT_LE(part.drafts, options_.speculate);
      total += part.tokens + part.drafts;
      planned[Name(*part.sequence)] = part.tokens;
      for (int64_t p = part.sequence->computed(); p < End(part); ++p) {
        Slot(*part.sequence, p) = part.sequence->tokens()[static_cast<size_t>(p)];
      }
      for (int32_t i = 0; i < part.drafts; ++i) {
        Slot(*part.sequence, End(part) + i) = part.sequence->guesses()[static_cast<size_t>(i)];
      }
    }
    EXPECT_EQ(planned.size(), parts.size());
    EXPECT_LE(total, std::max(options_.step_tokens, static_cast<int32_t>(parts.size())));
    for (const StepPart& part : parts) {
      for (int64_t p = 0; p < End(part); ++p) {
        EXPECT_EQ(Slot(*part.sequence, p), part.sequence->tokens()[static_cast<size_t>(p)]);
      }
    }
    for (const StepPart& part : parts) Commit(part);
    return planned;
  }

  EngineStats stats() const {
    EngineStats stats;
    scheduler_.Count(stats);
    return stats;
  }
  Scheduler& scheduler() { return scheduler_; }
  // Of prompts at most so many tokens beside decoding.
  void set_beside(int32_t tokens) { prices_.prompt_tokens = tokens; }
  void set_row_share(double share) { prices_.row_share = share; }
  // Choices that ended, in order.
  const std::vector<std::string>& ended() const { return ended_; }
  int64_t accepted() const { return accepted_; }
  int64_t cached(const std::string& name) const { return cached_.at(name); }

 private:
  static std::string Name(const Sequence& sequence) {
    return fmt::format("{}/{}", sequence.request()->request.id, sequence.rank().choice);
  }
  static int64_t End(const StepPart& part) { return part.sequence->computed() + part.tokens; }
  TokenId& Slot(Sequence& sequence, int64_t position) {
    const int32_t page = sequence.pages().pages()[static_cast<size_t>(position) / kPageTokens];
    return memory_[static_cast<size_t>(page * int64_t{kPageTokens} + position % kPageTokens)];
  }
  void Commit(const StepPart& part) {
    Sequence& sequence = *part.sequence;
    for (int64_t p = sequence.computed() + 1; p <= End(part); ++p) {
      if (sequence.ScoresAt(p)) sequence.TakeScore({});
    }
    sequence.Advance(part.tokens);
    if (sequence.left() > 0) return;
    for (int32_t i = 0; i <= part.drafts; ++i) {
      if (i > 0) sequence.Advance(1);
      // Each token is sampled once, whatever is computed twice.
      ++sampled_[Name(sequence)];
      const TokenId next = static_cast<TokenId>(sequence.tokens().size() % 7);
      const bool right = i < part.drafts && sequence.guesses()[static_cast<size_t>(i)] == next;
      const Emission emission = sequence.Take({.token = next, .logprob = {}}, {});
      if (emission.delta.finish) return Finish(sequence, emission.delta);
      if (!right) break;
      ++accepted_;
    }
  }
  void Finish(const Sequence& sequence, const Delta& delta) {
    EXPECT_EQ(delta.output_tokens, sequence.request()->request.max_tokens);
    EXPECT_EQ(sampled_[Name(sequence)], delta.output_tokens);
    ended_.push_back(Name(sequence));
    ActiveRequest& request = *sequence.request();
    request.sampled += delta.output_tokens;
    request.computed_prompt += static_cast<int64_t>(request.request.prompt.size());
    if (--request.unfinished == 0) scheduler_.Leave(request);
    cached_[ended_.back()] = delta.cached_tokens;
    scheduler_.Remove(sequence);
  }

  const EngineOptions options_;
  StepPrices prices_;
  Scheduler scheduler_;
  std::vector<TokenId> memory_;
  std::vector<std::string> ended_;
  std::map<std::string, int64_t> sampled_;
  int64_t accepted_ = 0;
  std::map<std::string, int64_t> cached_;
};

std::vector<TokenId> Prompt(size_t count, TokenId first = 10) {
  std::vector<TokenId> prompt;
  while (prompt.size() < count) prompt.push_back(first + static_cast<TokenId>(prompt.size()));
  return prompt;
}

using Tokens = std::map<std::string, int32_t>;

TEST(SchedulerTest, PromptsShareWhatDecodingLeaves) {
  Playthrough run(SmallOptions(), 100);
  run.Add("a", Prompt(3, 1), 9);
  run.Add("b", Prompt(3, 2), 9);
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 3}, {"b/0", 3}}));
  run.Add("c", Prompt(10, 3), 9);
  run.Add("d", Prompt(10, 4), 9);
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 1}, {"b/0", 1}, {"c/0", 10}, {"d/0", 4}}));
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 1}, {"b/0", 1}, {"c/0", 1}, {"d/0", 6}}));
}

TEST(SchedulerTest, PromptsAdvanceEvenWhereDecodingTakesTheBudget) {
  EngineOptions options = SmallOptions();
  options.step_tokens = 2;
  Playthrough run(options, 100);
  for (const char* id : {"a", "b"}) run.Add(id, Prompt(1, id[0]), 9);
  run.Step();
  run.Add("c", Prompt(5, 3), 9);
  run.Add("d", Prompt(5, 4), 9);
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 1}, {"b/0", 1}, {"c/0", 1}}));
}

TEST(SchedulerTest, AdmitsWhilePagesAndSlotsLast) {
  EngineOptions options = SmallOptions();
  options.max_running = 2;
  Playthrough run(options, 5);
  run.Add("a", Prompt(4, 1), 4);
  run.Add("b", Prompt(4, 2), 4);
  run.Add("c", Prompt(2, 3), 1);
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 4}, {"b/0", 4}}));
  EXPECT_EQ(run.stats().waiting, 1);
  while (run.ended().empty()) run.Step();
  EXPECT_EQ(run.Step().count("c/0"), 1u);
}

TEST(SchedulerTest, SmallDoesNotOvertakeLarge) {
  Playthrough run(SmallOptions(), 5);
  run.Add("a", Prompt(4, 1), 4);
  run.Step();
  run.Add("large", Prompt(12, 2), 4);
  run.Add("small", Prompt(2, 3), 5);
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 1}}));
  while (run.ended().size() < 3) run.Step();
  EXPECT_THAT(run.ended(), ElementsAre("a/0", "large/0", "small/0"));
}

TEST(SchedulerTest, PromptsOfLowerPriorityWaitForThoseOfHigher) {
  Playthrough run(SmallOptions(), 100);
  run.Add("later", Prompt(40, 1), 4, 1);
  EXPECT_EQ(run.Step(), (Tokens{{"later/0", 16}}));
  run.Add("first", Prompt(20, 2), 4, 0);
  EXPECT_EQ(run.Step(), (Tokens{{"first/0", 16}}));
  EXPECT_EQ(run.Step(), (Tokens{{"first/0", 4}, {"later/0", 12}}));
}

TEST(SchedulerTest, PromptsBesideDecodingAreBounded) {
  Playthrough run(SmallOptions(), 100);
  run.set_beside(3);
  run.Add("a", Prompt(10, 1), 9);
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 10}}));
  run.Add("b", Prompt(10, 2), 9);
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 1}, {"b/0", 3}}));
  run.set_beside(0);
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 1}}));
}

TEST(SchedulerTest, LongLimitsAreNotReserved) {
  EngineOptions options = SmallOptions();
  options.step_tokens = 100;
  Playthrough run(options, 200);
  // Either alone might need half of the cache and more.
  for (const char* id : {"a", "b"}) run.Add(id, Prompt(4, id[0]), 600);
  EXPECT_EQ(run.Step().size(), 2u);
  while (!run.scheduler().idle()) run.Step();
  EXPECT_THAT(run.ended(), ElementsAre("a/0", "b/0"));
  // The second ran to where both filled the cache, and again when the first had ended.
  EXPECT_EQ(run.stats().preemptions, 1);
}

TEST(SchedulerTest, HigherPriorityPreemptsNoMoreThanItNeeds) {
  EngineOptions options = SmallOptions();
  options.step_tokens = 100;
  Playthrough run(options, 12);
  run.Add("first", Prompt(8, 1), 8, 1);   // 4 pages
  run.Add("second", Prompt(8, 2), 8, 1);  // 4
  run.Add("third", Prompt(8, 3), 8, 2);   // 4
  EXPECT_EQ(run.Step().size(), 3u);
  run.Add("urgent", Prompt(8, 4), 8, 0);
  EXPECT_EQ(run.Step(), (Tokens{{"first/0", 1}, {"second/0", 1}, {"urgent/0", 8}}));
  EXPECT_EQ(run.stats().preemptions, 1);
  EXPECT_EQ(run.stats().waiting, 1);
  EXPECT_EQ(run.scheduler().waiting_requests(), 0u);
  // One of the same priority preempts none.
  run.Add("equal", Prompt(8, 5), 2, 1);
  EXPECT_EQ(run.Step().size(), 3u);
  EXPECT_EQ(run.stats().preemptions, 1);
  while (!run.scheduler().idle()) run.Step();
  EXPECT_THAT(run.ended(), ElementsAre("first/0", "second/0", "urgent/0", "equal/0", "third/0"));
  EXPECT_EQ(run.stats().pages_used, 0);
}

TEST(SchedulerTest, NothingIsPreemptedInVain) {
  EngineOptions options = SmallOptions();
  options.step_tokens = 100;
  Playthrough run(options, 12);
  run.Add("first", Prompt(16, 1), 16, 0);  // 8 pages
  run.Add("second", Prompt(4, 2), 4, 1);   // 2
  run.Step();
  run.Add("large", Prompt(30, 3), 10, 0);  // 10: even without the second it does not fit
  run.Step();
  EXPECT_EQ(run.stats().preemptions, 0);
}

TEST(SchedulerTest, APreemptedScoreGoesOnWhereItStopped) {
  EngineOptions options = SmallOptions();
  options.step_tokens = 4;
  Playthrough run(options, 8);
  run.Add("scored", Prompt(20, 1), 4, 1, 1, 2);  // 6 pages
  run.Step();
  run.Add("urgent", Prompt(16, 2), 2, 0);  // 5
  while (!run.scheduler().idle()) run.Step();
  EXPECT_EQ(run.stats().preemptions, 1);
  EXPECT_THAT(run.ended(), ElementsAre("urgent/0", "scored/0"));
}

TEST(SchedulerTest, DraftsStayInTheirPlaces) {
  EngineOptions options = SmallOptions();
  options.speculate = 4;
  Playthrough run(options, 20);
  run.set_row_share(0.1);
  run.Add("a", Prompt(3, 1), 60);
  int64_t steps = 0;
  for (; !run.scheduler().idle(); ++steps) run.Step();
  EXPECT_GT(run.accepted(), 20);
  EXPECT_EQ(steps, 60 - run.accepted());
  // Not where they cost as much as they bring, and not where the cache is needed for others.
  run.set_row_share(1);
  const int64_t before = run.accepted();
  run.Add("b", Prompt(3, 1), 60);
  while (!run.scheduler().idle()) run.Step();
  EXPECT_EQ(run.accepted(), before);
}

TEST(SchedulerTest, AlikeBeginningsAreComputedOnce) {
  EngineOptions options = SmallOptions();
  options.step_tokens = 100;
  Playthrough run(options, 100);
  run.Add("a", Prompt(18), 3, 0, 3);
  // Even where both come in one step: the choices, and a longer prompt.
  run.Add("b", Prompt(22), 1);
  EXPECT_EQ(run.Step(), (Tokens{{"a/0", 18}, {"a/1", 2}, {"a/2", 2}, {"b/0", 6}}));
  while (!run.scheduler().idle()) run.Step();
  EXPECT_EQ(run.cached("a/0"), 0);
  EXPECT_EQ(run.cached("b/0"), 16);
  EXPECT_EQ(run.stats().prefix_queries, 3 * 18 + 22);
  EXPECT_EQ(run.stats().prefix_hits, 3 * 16);
  EXPECT_EQ(run.stats().pages_used, 0);
  // The last token is never taken from the cache; a prompt whose logits are wanted takes nothing.
  run.Add("c", Prompt(16), 1);
  run.Add("d", Prompt(16), 1, 0, 1, 2);
  EXPECT_EQ(run.Step(), (Tokens{{"c/0", 4}, {"d/0", 16}}));

  options.prefix_cache = false;
  Playthrough without(options, 100);
  without.Add("a", Prompt(18), 3, 0, 3);
  EXPECT_EQ(without.Step(), (Tokens{{"a/0", 18}, {"a/1", 18}, {"a/2", 18}}));
  EXPECT_EQ(without.stats().prefix_queries, 0);
}

TEST(SchedulerTest, AFailedStepLeavesNothing) {
  EngineOptions options = SmallOptions();
  options.max_running = 1;
  Playthrough run(options, 100);
  for (const char* id : {"a", "b", "c"}) run.Add(id, Prompt(16), 9);
  run.Step();
  const auto removed = run.scheduler().RemoveRunning(/*first_waiting=*/true);
  ASSERT_EQ(removed.size(), 2u);
  EXPECT_TRUE(removed[0].sequence);
  EXPECT_FALSE(removed[1].sequence);
  EXPECT_EQ(removed[1].request->request.id, "b");
  EXPECT_EQ(run.Step(), (Tokens{{"c/0", 16}}));
}

TEST(SchedulerTest, AnswersAreFoundByTheNextTurn) {
  Playthrough run(SmallOptions(), 100);
  run.Add("turn", Prompt(6), 10);
  while (!run.scheduler().idle()) run.Step();
  std::vector<TokenId> longer = Prompt(6);
  for (size_t i = 6; i < 16; ++i) longer.push_back(static_cast<TokenId>(i % 7));
  longer.resize(20, 9);
  run.Add("next", longer, 1);
  EXPECT_EQ(run.Step(), (Tokens{{"next/0", 8}}));  // the last sampled token was never computed
}

// Steps from a request's arrival to its end, for tenant B, which asks now and then; while A has as
// many requests waiting as its load makes.
std::vector<int64_t> StepsOfB(int32_t load) {
  EngineOptions options = SmallOptions();
  options.max_running = 8;
  options.step_tokens = 64;
  Playthrough run(options, 400);
  std::mt19937 random(11);
  std::vector<int64_t> latencies;
  std::map<std::string, int64_t> begun;
  size_t seen = 0;
  for (int64_t step = 0, a = 0, b = 0; latencies.size() < 400; ++step) {
    // A: one request in 40 steps, `load` times; B: one in 40, too.
    for (int32_t i = 0; i < load; ++i) {
      if (random() % 40 != 0) continue;
      run.Add(fmt::format("a{}", a++),
              Prompt(8 + random() % 16, static_cast<TokenId>(random() % 90)),
              16 + static_cast<int64_t>(random() % 16), 0, 1, -1, "a");
    }
    if (step % 40 == 0) {
      const std::string id = fmt::format("b{}", b++);
      begun[id + "/0"] = step;
      run.Add(id, Prompt(8 + static_cast<size_t>(b) % 16, 100 + static_cast<TokenId>(b % 90)), 24,
              0, 1, -1, "b");
    }
    run.Step();
    for (; seen < run.ended().size(); ++seen) {
      const auto known = begun.find(run.ended()[seen]);
      if (known != begun.end()) latencies.push_back(step + 1 - known->second);
    }
  }
  std::ranges::sort(latencies);
  return latencies;
}

// A hundred times the load of one tenant moves the 99th percentile of the other by a fifth at most.
TEST(SchedulerTest, ANoisyNeighbourIsNotHeard) {
  const auto calm = StepsOfB(1), loud = StepsOfB(100);
  const auto p99 = [](const std::vector<int64_t>& sorted) {
    return sorted[sorted.size() * 99 / 100];
  };
  EXPECT_LE(static_cast<double>(p99(loud)), 1.2 * static_cast<double>(p99(calm)))
      << p99(calm) << " to " << p99(loud);
  EXPECT_LE(loud[loud.size() / 2], calm[calm.size() / 2] * 12 / 10);
}

// Slots are shared as the work is: a tenant with little work takes what it needs at once.
TEST(SchedulerTest, ATenantUnderItsShareTakesASlotFromOneAboveIt) {
  EngineOptions options = SmallOptions();
  options.step_tokens = 200;
  Playthrough run(options, 400);
  for (int i = 0; i < 20; ++i) {
    run.Add(fmt::format("a{}", i), Prompt(4, static_cast<TokenId>(i)), 30, 0, 1, -1, "a");
  }
  EXPECT_EQ(run.Step().size(), 8u);
  for (int i = 0; i < 20; ++i) {
    run.Add(fmt::format("b{}", i), Prompt(4, static_cast<TokenId>(100 + i)), 30, 0, 1, -1, "b");
  }
  const auto step = run.Step();
  const auto of_b =
      std::ranges::count_if(step, [](const auto& part) { return part.first.starts_with("b"); });
  EXPECT_GE(of_b, 3);
  EXPECT_LE(of_b, 5);
  // Nothing swings to and fro: only what was over the share was put back.
  EXPECT_LE(run.stats().preemptions, 5);
  while (!run.scheduler().idle()) run.Step();
  EXPECT_EQ(run.ended().size(), 40u);
  EXPECT_LE(run.stats().preemptions, 8);
}

// Whatever comes: the budget holds, what is read was written, everything ends, nothing stays.
TEST(SchedulerTest, RandomLoadsEnd) {
  std::mt19937 random(3);
  int64_t preemptions = 0, accepted = 0;
  for (int round = 0; round < 200; ++round) {
    EngineOptions options = SmallOptions();
    options.max_running = static_cast<int32_t>(1 + random() % 8);
    options.step_tokens = static_cast<int32_t>(1 + random() % 40);
    options.prefix_cache = random() % 4 != 0;
    options.speculate = static_cast<int32_t>(random() % 5);
    const auto pages = static_cast<int32_t>(12 + random() % 40);
    Playthrough run(options, pages);
    run.set_beside(1 + static_cast<int32_t>(random() % 20));
    run.set_row_share(0.05);
    size_t choices = 0, cancelled = 0;
    int steps = 0;
    for (int i = 0; i < 40 || !run.scheduler().idle(); ++i) {
      ASSERT_LT(++steps, 20000);
      if (i < 40) {
        // Prompts of two beginnings.
        std::vector<TokenId> prompt = Prompt(1 + random() % 28, random() % 2 == 0 ? 10 : 50);
        if (random() % 2 == 0) prompt.back() = static_cast<TokenId>(random() % 9);
        const auto n = static_cast<int32_t>(1 + random() % 3);
        run.Add(std::to_string(i), std::move(prompt), 1 + static_cast<int64_t>(random() % 20),
                static_cast<int32_t>(random() % 3), n, random() % 8 == 0 ? 1 : -1);
        choices += static_cast<size_t>(n);
      }
      for (size_t j = random() % 4; j > 0; --j) run.Step();
      if (random() % 6 == 0) {
        cancelled += run.scheduler().Remove(std::to_string(random() % 40)).size();
      }
    }
    ASSERT_EQ(run.ended().size() + cancelled, choices);
    ASSERT_EQ(run.stats().pages_used, 0);
    ASSERT_EQ(run.stats().waiting, 0);
    ASSERT_EQ(run.scheduler().waiting_requests(), 0u);
    preemptions += run.stats().preemptions;
    accepted += run.accepted();
  }
  EXPECT_GT(preemptions, 200);
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace jikji
