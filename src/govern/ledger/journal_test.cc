#include "govern/ledger/journal.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace jikji {
namespace {

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = std::filesystem::temp_directory_path() / "jikji_journal_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Journal> Open(uint32_t slots = 7, size_t segments = 4) const {
    auto opened = Journal::Open({folder_, slots, segments});
    EXPECT_TRUE(opened.has_value()) << opened.error().ToString();
    return opened ? std::move(*opened) : nullptr;
  }
  size_t Files() const {
    size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      count += entry.path().extension() == ".slots";
    }
    return count;
  }
  static Admission For(int64_t key) {
    Admission admission;
    admission.key = key;
    admission.prompt_tokens = 10;
    admission.max_output_tokens = 100;
    admission.prices = {2, 1, 3};
    return admission;
  }

  std::filesystem::path folder_;
};

// As the ledger does.
std::vector<Slot*> Take(Journal& journal, int64_t batch, size_t most) {
  auto slots = journal.TakeBatch(most);
  Journal::Mark(slots, batch);
  return slots;
}
void Finish(Journal& journal, const std::vector<Slot*>& slots) {
  Journal::Close(slots);
  journal.FinishBatch(slots);
}

TEST_F(JournalTest, PagesFaultedInAheadOfNeedHoldNoSlots) {
  {
    const auto journal = Open(100, 3);
    for (int64_t key = 1; key <= 90; ++key) {
      journal->Settle(*journal->Allocate(For(key)).value());
      // More ahead than the segment has, in the end.
      if (key % 30 == 0) Journal::Touch(journal->NextSlots());
    }
    Journal::Touch(journal->NextSlots());
  }
  const auto journal = Open(100, 3);
  EXPECT_EQ(journal->damaged(), 0u);
  EXPECT_EQ(journal->Replay(0), 0u);
  EXPECT_EQ(Take(*journal, 1, 1'000).size(), 90u);
}

TEST_F(JournalTest, SlotsOutliveTheProcess) {
  std::string server;
  {
    const auto journal = Open();
    server = journal->server();
    for (int64_t key = 1; key <= 10; ++key) {
      Slot* slot = journal->Allocate(For(key)).value();
      slot->input = 10;
      slot->output = key;
      if (key % 2 == 0) journal->Settle(*slot);
    }
    EXPECT_EQ(journal->unfinished(), 10u);
    EXPECT_EQ(journal->settled(), 5u);
  }
  const auto journal = Open();
  EXPECT_EQ(journal->server(), server);
  EXPECT_EQ(journal->Replay(0), 5u);
  const auto slots = Take(*journal, 1, 100);
  ASSERT_EQ(slots.size(), 10u);
  for (int64_t i = 0; i < 10; ++i) {
    const Slot& slot = *slots[static_cast<size_t>(i)];
    EXPECT_EQ(slot.admission.key, i + 1);
    EXPECT_EQ(slot.admission.ticket, i + 1);
    EXPECT_EQ(slot.Used(), (Tokens{10, 0, i + 1}));
  }
  Finish(*journal, slots);
  EXPECT_EQ(journal->unfinished(), 0u);
  EXPECT_EQ(Files(), 0u);
  // Numbers go on.
  Slot* slot = journal->Allocate(For(1)).value();
  EXPECT_GE(slot->admission.ticket, 1);
}

// A batch that was written, or not: the store's number decides, and each slot comes exactly once.
TEST_F(JournalTest, MarkedBatchesAreAppliedOnce) {
  for (const bool written : {true, false}) {
    std::filesystem::remove_all(folder_);
    {
      const auto journal = Open();
      for (int64_t key = 1; key <= 6; ++key) {
        Slot* slot = journal->Allocate(For(key)).value();
        journal->Settle(*slot);
      }
      Finish(*journal, Take(*journal, 1, 2));
      EXPECT_EQ(Take(*journal, 2, 2).size(), 2u);  // and killed here
    }
    const auto journal = Open();
    EXPECT_EQ(journal->Replay(written ? 2 : 1), 0u);
    std::vector<int64_t> keys;
    for (int64_t batch = written ? 3 : 2; journal->unfinished() > 0; ++batch) {
      const auto slots = Take(*journal, batch, 100);
      // What may have been written comes alone: it must not share its number with more.
      if (!written && batch == 2) {
        EXPECT_EQ(slots.size(), 2u);
      }
      for (const Slot* slot : slots) keys.push_back(slot->admission.key);
      Finish(*journal, slots);
    }
    EXPECT_EQ(keys, written ? (std::vector<int64_t>{5, 6}) : (std::vector<int64_t>{3, 4, 5, 6}));
  }
}

TEST_F(JournalTest, EmptySegmentsGoAndAFullJournalRefuses) {
  const auto journal = Open(3, 3);
  std::vector<Slot*> slots;
  for (int i = 0; i < 9; ++i) slots.push_back(journal->Allocate(For(1)).value());
  const auto more = journal->Allocate(For(1));
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, ErrorCode::kUnavailable);
  // One that is not over keeps its segment and no other.
  for (size_t i = 0; i < 9; ++i) {
    if (i != 1) journal->Settle(*slots[i]);
  }
  Finish(*journal, Take(*journal, 1, 100));
  EXPECT_EQ(Files(), 1u);
  EXPECT_TRUE(journal->Allocate(For(1)).has_value());
}

TEST_F(JournalTest, OneProcessAtATime) {
  const auto journal = Open();
  const auto second = Journal::Open({folder_, 7, 4});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

// Any byte of a slot may be torn: it is either whole or left out, never read wrongly.
TEST_F(JournalTest, TornSlotsAreLeftOut) {
  {
    const auto journal = Open();
    for (int64_t key = 1; key <= 2; ++key) {
      Slot* slot = journal->Allocate(For(key)).value();
      slot->input = 10;
    }
  }
  std::filesystem::path file;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    if (entry.path().extension() == ".slots") file = entry.path();
  }
  std::string content;
  {
    std::ifstream in(file, std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(in), {});
  }
  constexpr size_t kFirst = sizeof(Slot);
  for (size_t at = offsetof(Slot, input); at < offsetof(Slot, digest) + 8; ++at) {
    std::string torn = content;
    torn[kFirst + at] = static_cast<char>(~torn[kFirst + at]);
    std::ofstream(file, std::ios::binary | std::ios::trunc) << torn;
    const auto journal = Open();
    journal->Replay(0);
    for (const Slot* slot : Take(*journal, 1, 10)) {
      const Tokens used = slot->Used();
      EXPECT_LE(used.input, 10) << at;
      EXPECT_GE(used.cached, 0) << at;
      EXPECT_LE(used.output, 100) << at;
      EXPECT_EQ(slot->admission.prices, (Prices{2, 1, 3})) << at;
    }
    if (at >= offsetof(Slot, admission)) {
      EXPECT_EQ(journal->damaged(), 1u) << at;
    }
  }
  // A file that is no journal is not taken for one.
  std::string strange = content;
  strange[0] = 'x';
  std::ofstream(file, std::ios::binary | std::ios::trunc) << strange;
  EXPECT_FALSE(Journal::Open({folder_, 7, 4}).has_value());
  std::ofstream(file, std::ios::binary | std::ios::trunc)
      << content.substr(0, content.size() - 256);
  EXPECT_FALSE(Journal::Open({folder_, 7, 4}).has_value());
}

TEST_F(JournalTest, AFullDiskRefusesAndCostsNothing) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{100'000, 100'000};
    setrlimit(RLIMIT_FSIZE, &limit);
    auto small = Journal::Open({folder_, 7, 4});
    if (!small || !(*small)->Allocate(For(1))) _exit(1);
    small->reset();
    auto large = Journal::Open({folder_, 16'383, 4});
    if (!large) _exit(2);
    (*large)->Replay(0);
    const auto slot = (*large)->Allocate(For(2));
    _exit(!slot && slot.error().code == ErrorCode::kResourceExhausted ? 0 : 3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  const auto journal = Open();
  EXPECT_EQ(journal->Replay(0), 0u);  // the child's second opening settled it
  EXPECT_EQ(journal->unfinished(), 1u);
}

}  // namespace
}  // namespace jikji
