// What the ledger says after the server was killed, its store was away, or its journal was full.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <random>
#include <thread>

#include "base/test_rounds.h"
#include "govern/testing/site.h"

namespace jikji {
namespace {

// Memory that a killed child leaves to its parent: the engine's own log, and what receivers heard.
struct EngineLog {
  static constexpr int64_t kMost = 1'000'000;
  std::atomic<int64_t> requests{0};
  std::atomic<int64_t> prompt_sent{0}, prompt_heard{0};
  std::atomic<int64_t> output_sent{0}, output_heard{0};

  static EngineLog* Make() {
    void* memory =
        mmap(nullptr, sizeof(EngineLog), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : new (memory) EngineLog;
  }
};

class CrashTest : public Site {
 protected:
  static constexpr int kThreads = 4;

  // Requests without end: streams of any length, cut off, failed, never begun.
  void RunForever(Governor& governor, EngineLog& log, unsigned seed) {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        std::mt19937 random(seed * 31 + static_cast<unsigned>(t));
        for (;;) {
          const auto prompt = static_cast<int64_t>(1 + random() % 50);
          auto ticket = Admit(governor, key_.secret, Ask(prompt, 20));
          if (!ticket) continue;
          ++log.requests;
          if (random() % 8 == 0) continue;  // the engine would not take it
          log.prompt_sent += prompt;
          ticket->meter()->Count(prompt, 0, 0);
          log.prompt_heard += prompt;
          for (auto left = random() % 21; left > 0; --left) {
            ++log.output_sent;
            ticket->meter()->Count(prompt, 0, 1);
            ++log.output_heard;
          }
        }
      });
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Stores, CrashTest, kEachStore, StoreName);

// Killed anywhere, again and again: the ledger has what the engine gave out, to the token. Between
// the engine's own note of a token and the receiver's, each thread may be caught with one.
TEST_P(CrashTest, TheLedgerIsTheEnginesLogAfterEveryKill) {
  const int rounds = TestRounds(6);
  ASSERT_TRUE(
      admin_->SetBudget({ScopeKind::kProject, project_}, Window::kMonth, int64_t{1} << 60, true));
  ASSERT_TRUE(admin_->SetBudget({ScopeKind::kKey, key_.id}, Window::kHour, int64_t{1} << 59, true));
  EngineLog* log = EngineLog::Make();
  ASSERT_NE(log, nullptr);
  // No connection is open while a child is made: SQLite's must not be carried across.
  admin_.reset();
  database_.reset();
  std::mt19937 random(17);
  for (int round = 0; round < rounds; ++round) {
    const int64_t target = log->requests + 500 + static_cast<int64_t>(random() % 3000);
    const pid_t server = fork();
    ASSERT_GE(server, 0);
    if (server == 0) {
      GovernorOptions options = Options();
      options.interval = std::chrono::milliseconds(3);
      auto governor = Governor::Open(options);
      if (!governor) _exit(1);
      RunForever(**governor, *log, static_cast<unsigned>(round));
      _exit(2);
    }
    int status = 0;
    while (log->requests < target && waitpid(server, &status, WNOHANG) == 0) sched_yield();
    ASSERT_GE(log->requests, target) << "the server ended by itself: " << status;
    kill(server, SIGKILL);
    waitpid(server, nullptr, 0);
  }
  database_ = Connect();
  const auto governor = Open();  // replays
  ASSERT_NE(governor, nullptr);
  EXPECT_EQ(governor->ledger().unfinished(), 0u);
  const UsageRow total = Total();
  EXPECT_GE(total.tokens.output, log->output_heard);
  EXPECT_LE(total.tokens.output, log->output_sent);
  EXPECT_LE(log->output_sent - log->output_heard, rounds * kThreads);
  EXPECT_GE(total.tokens.input, log->prompt_heard);
  EXPECT_LE(total.tokens.input, log->prompt_sent);
  EXPECT_LE(log->prompt_sent - log->prompt_heard, rounds * kThreads * 50);
  EXPECT_EQ(total.cost, total.tokens.input * kPrices.input + total.tokens.output * kPrices.output);
  // And each budget knows the same.
  const auto settled = database_->Run(
      "SELECT CAST(SUM(settled) AS BIGINT) FROM budget_slices GROUP BY budget ORDER BY budget");
  ASSERT_EQ(settled->size(), 2u);
  EXPECT_EQ(settled->Int(0, 0), total.cost);
  EXPECT_EQ(settled->Int(1, 0), total.cost);
  munmap(log, sizeof(EngineLog));
}

TEST_P(CrashTest, AFullJournalAdmitsNothing) {
  GovernorOptions options = Options();
  options.journal.segment_slots = 3;
  options.journal.max_segments = 2;
  const auto governor = Governor::Open(options).value();
  std::vector<Ticket> held;
  for (int i = 0; i < 6; ++i) held.push_back(std::move(*Admit(*governor, key_.secret, Ask(1, 1))));
  const auto refused = Admit(*governor, key_.secret, Ask(1, 1));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().reason, "journal_unavailable");
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  held.clear();
  (void)governor->Tick();
  EXPECT_TRUE(Admit(*governor, key_.secret, Ask(1, 1)).has_value());
}

// Governance goes away with a database that went away, after its patience; no usage is lost.
class AwayTest : public Site {
 protected:
  void SetUp() override {
    auto cluster = PostgresCluster::Start();
    if (!cluster) GTEST_SKIP() << cluster.error().message;
    cluster_ = std::move(*cluster);
    Site::SetUp();
  }
  std::unique_ptr<PostgresCluster> cluster_;
};
INSTANTIATE_TEST_SUITE_P(Postgres, AwayTest, testing::Values("postgres"), StoreName);

TEST_P(AwayTest, TheDeclaredPolicyAndNoLostUsage) {
  url_ = cluster_->NewDatabase();
  ASSERT_NO_FATAL_FAILURE(Found());
  ASSERT_TRUE(admin_->SetBudget({ScopeKind::kProject, project_}, Window::kMonth,
                                160 * kPrices.input, true));
  const auto governor = Open();
  const auto use = [&] {
    auto ticket = Admit(*governor, key_.secret, Ask(10, 0));
    if (ticket) ticket->meter()->Count(10, 0, 0);
    return ticket ? std::string() : ticket.error().reason;
  };
  EXPECT_EQ(use(), "");
  ASSERT_TRUE(governor->Tick());
  EXPECT_EQ(use(), "");  // asks for the second slice

  ASSERT_TRUE(cluster_->StopServer("immediate"));
  // Within what was granted it goes on; what needs a new slice is refused.
  std::string refused;
  int64_t admitted = 2;
  for (int i = 0; i < 20 && refused.empty(); ++i) {
    refused = use();
    admitted += refused.empty();
  }
  EXPECT_EQ(refused, "store_unavailable");
  EXPECT_FALSE(governor->Tick().has_value());
  clock_.Advance(599);
  EXPECT_TRUE(governor->Authenticate(key_.secret, "", Right::kInfer).has_value());
  clock_.Advance(2);
  EXPECT_EQ(governor->Authenticate(key_.secret, "", Right::kInfer).error().reason,
            "store_unavailable");

  ASSERT_TRUE(cluster_->StartServer());
  admin_.reset();  // its connection broke
  database_ = Connect();
  ASSERT_TRUE(governor->Tick());
  EXPECT_EQ(governor->ledger().unfinished(), 0u);
  EXPECT_EQ(Total().tokens.input, admitted * 10);
  while (use().empty()) ++admitted;
  EXPECT_EQ(admitted, 16);
}

}  // namespace
}  // namespace jikji
