// A disk that is full: under the audit log, the journal, the store. Nothing is let pass that cannot
// be recorded, what is missing is said, no usage is lost, and all goes on when there is room again.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include "govern/audit/verify.h"
#include "govern/testing/site.h"

namespace jikji {
namespace {

constexpr std::chrono::seconds kPatience{20};

class FullDiskTest : public Site {
 protected:
  void SetUp() override {
    Site::SetUp();
    disk_ = folder_ / "disk";
    std::filesystem::create_directory(disk_);
    if (mount("tmpfs", disk_.c_str(), "tmpfs", 0, "size=4m") != 0) {
      GTEST_SKIP() << "no file system of 4 MiB can be mounted (needs root): "
                   << std::strerror(errno);
    }
    mounted_ = true;
  }
  void TearDown() override {
    if (mounted_) umount2(disk_.c_str(), MNT_DETACH);
    Site::TearDown();
  }

  void Fill() const {
    const int file = open((disk_ / "filler").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ASSERT_GE(file, 0);
    const std::string page(4096, 'x');
    while (write(file, page.data(), page.size()) > 0) {
    }
    EXPECT_EQ(errno, ENOSPC);
    close(file);
  }
  void MakeRoom() const { std::filesystem::remove(disk_ / "filler"); }

  // A budget of 160 such requests, in slices of ten.
  void FoundWithBudget() {
    ASSERT_NO_FATAL_FAILURE(Found());
    ASSERT_TRUE(admin_->SetBudget({ScopeKind::kProject, project_}, Window::kMonth,
                                  1'600 * kPrices.input, true));
  }

  // One request of ten tokens; why it was refused, or nothing.
  std::string Use(Governor& governor) {
    auto ticket = Admit(governor, key_.secret, Ask(10, 0));
    if (!ticket) {
      EXPECT_EQ(ticket.error().code, ErrorCode::kUnavailable);
      said_ = ticket.error().message;
      return ticket.error().reason;
    }
    ticket->meter()->Count(10, 0, 0);
    ++admitted_;
    return "";
  }
  // Until it is admitted; what refused tries again now and then.
  bool UseInTheEnd(Governor& governor) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!Use(governor).empty()) {
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::yield();
    }
    return true;
  }
  void ExpectNothingLost(Governor& governor) {
    do {  // a round writes what an earlier one could not, the next one the rest
      ASSERT_TRUE(governor.Tick().has_value());
    } while (governor.ledger().unfinished() > 0);
    EXPECT_EQ(Total().requests, admitted_);
    EXPECT_EQ(Total().tokens.input, 10 * admitted_);
  }

  std::filesystem::path disk_;
  bool mounted_ = false;
  int64_t admitted_ = 0;
  std::string said_;
};
INSTANTIATE_TEST_SUITE_P(Stores, FullDiskTest, testing::Values("sqlite"), StoreName);

TEST_P(FullDiskTest, UnderTheAuditLog) {
  GovernorOptions options = Options();
  options.audit = disk_ / "audit";
  {
    const auto governor = Governor::Open(options).value();
    EXPECT_EQ(Use(*governor), "");
    ASSERT_NO_FATAL_FAILURE(Fill());
    audit::Trail& trail = *governor->trail();
    // The last page that the log has takes some more records.
    bool written = true;
    for (int i = 0; i < 1'000 && written; ++i) {
      const auto mark = trail.Write("site", "test.mark", {});
      written = mark && trail.log().WaitDurable(mark->index).has_value();
    }
    ASSERT_FALSE(written);
    EXPECT_EQ(Use(*governor), "audit_unavailable");
    EXPECT_THAT(said_, testing::HasSubstr("No space left on device"));
    MakeRoom();
    EXPECT_TRUE(UseInTheEnd(*governor));
    ExpectNothingLost(*governor);
  }
  const auto report = audit::VerifyLog(options.audit);
  ASSERT_TRUE(report.has_value());
  EXPECT_TRUE(report->faults.empty());
  EXPECT_EQ(report->signed_records, report->records);
}

TEST_P(FullDiskTest, UnderTheJournal) {
  GovernorOptions options = Options();
  options.journal = {disk_ / "journal", /*segment_slots=*/3, /*max_segments=*/64};
  const auto governor = Governor::Open(options).value();
  EXPECT_EQ(Use(*governor), "");
  ASSERT_NO_FATAL_FAILURE(Fill());
  std::string refused;
  for (int i = 0; i < 100 && refused.empty(); ++i) refused = Use(*governor);
  EXPECT_EQ(refused, "journal_unavailable");
  EXPECT_THAT(said_, testing::HasSubstr("No space left on device"));
  EXPECT_LT(admitted_, 10);  // as many as had a place
  MakeRoom();
  EXPECT_EQ(Use(*governor), "");
  ExpectNothingLost(*governor);
}

TEST_P(FullDiskTest, UnderTheStore) {
  url_ = "sqlite:" + (disk_ / "store.db").string();
  ASSERT_NO_FATAL_FAILURE(FoundWithBudget());
  const auto governor = Open();
  EXPECT_EQ(Use(*governor), "");
  ASSERT_TRUE(governor->Tick());
  ASSERT_NO_FATAL_FAILURE(Fill());
  // Usage that cannot be written waits in the journal; what needs a new slice is refused.
  std::string refused;
  bool ticked = true;
  for (int i = 0; i < 160 && refused.empty(); ++i) {
    refused = Use(*governor);
    ticked = governor->Tick().has_value();
  }
  EXPECT_EQ(refused, "store_unavailable");
  EXPECT_THAT(said_, testing::HasSubstr("full"));
  EXPECT_FALSE(ticked);
  MakeRoom();
  EXPECT_EQ(Use(*governor), "");
  ExpectNothingLost(*governor);
}

// The tables' disk, not that of PostgreSQL's own log: it goes on and says what it cannot write.
TEST_P(FullDiskTest, UnderThePostgresStore) {
  auto& cluster = SharedCluster();
  if (!cluster) GTEST_SKIP() << cluster.error().message;
  std::filesystem::permissions(folder_, std::filesystem::perms{0711});
  ASSERT_EQ(mount("none", disk_.c_str(), nullptr, MS_REMOUNT, "size=24m"), 0);
  url_ = (*cluster)->NewDatabaseIn(disk_.string());
  ASSERT_FALSE(url_.empty());
  ASSERT_NO_FATAL_FAILURE(FoundWithBudget());
  {
    const auto governor = Open();
    EXPECT_EQ(Use(*governor), "");
    ASSERT_TRUE(governor->Tick());
    ASSERT_NO_FATAL_FAILURE(Fill());
    // A row of usage for each minute, until their table would need a page that is not there. What
    // is admitted meanwhile, within the budget, waits in the journal.
    std::string told;
    for (int i = 0; i < 1'000 && told.empty(); ++i) {
      clock_.Advance(60);
      EXPECT_EQ(Use(*governor), "");
      const auto ticked = governor->Tick();
      if (!ticked) told = ticked.error().ToString();
    }
    EXPECT_THAT(told, testing::HasSubstr("No space left on device"));
    for (int i = 0; i < 5; ++i) {
      EXPECT_EQ(Use(*governor), "");
      EXPECT_FALSE(governor->Tick().has_value());
    }
    EXPECT_GT(governor->ledger().unfinished(), 0u);
    MakeRoom();
    EXPECT_EQ(Use(*governor), "");
    ExpectNothingLost(*governor);
  }
  admin_.reset();
  database_.reset();
  EXPECT_TRUE((*cluster)->DropDatabaseIn());
}

}  // namespace
}  // namespace jikji
