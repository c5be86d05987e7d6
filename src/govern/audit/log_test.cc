// The log on the disk: it comes back after every kind of end, and every change to it is found and
// located.
#include "govern/audit/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "govern/audit/frame.h"
#include "govern/audit/verify.h"

namespace jikji::audit {
namespace {

using ::testing::HasSubstr;

class LogTest : public ::testing::Test {
 protected:
  LogTest() {
    std::string name = ::testing::TempDir() + "auditXXXXXX";
    folder_ = mkdtemp(name.data());
    SetLogLevel(LogLevel::kError);
  }
  ~LogTest() override { std::filesystem::remove_all(folder_); }

  static Record Note(std::string tenant, std::string text) {
    Record record;
    record.tenant = std::move(tenant);
    record.event = "note";
    record.fields = {{"text", std::move(text)}};
    return record;
  }

  std::unique_ptr<AuditLog> Open() {
    auto log = AuditLog::Open(folder_);
    EXPECT_TRUE(log.has_value()) << log.error().ToString();
    return log ? std::move(*log) : nullptr;
  }

  // Ten records of two tenants, a head over the first six and one over all.
  void Fill() {
    const auto log = Open();
    for (int i = 0; i < 10; ++i) {
      const auto at = log->Append(Note(i % 2 == 0 ? "a" : "b", "text " + std::to_string(i)));
      ASSERT_TRUE(at.has_value());
      EXPECT_EQ(at->index, static_cast<uint64_t>(i));
      if (i == 5 || i == 9) {
        ASSERT_TRUE(log->WaitDurable(at->index).has_value());
      }
    }
  }

  std::string Read(const char* name) { return *ReadFile(folder_ / name); }
  void Write(const char* name, std::string_view bytes) {
    std::ofstream(folder_ / name, std::ios::binary | std::ios::trunc) << bytes;
  }
  std::vector<std::string> Frames() {
    const std::string file = Read("records");
    std::vector<std::string> frames;
    for (size_t at = 0; at < file.size(); at += frames.back().size()) {
      frames.push_back(file.substr(at, ReadFrame(file, at).size));
    }
    return frames;
  }
  void WriteFrames(const std::vector<std::string>& frames) {
    std::string file;
    for (const std::string& frame : frames) file += frame;
    Write("records", file);
  }

  VerifyReport Verify(VerifyOptions options = {}) {
    auto report = VerifyLog(folder_, std::move(options));
    EXPECT_TRUE(report.has_value()) << report.error().ToString();
    return report.value_or(VerifyReport());
  }

  // The first fault; the log must not open either.
  Fault FirstFault() {
    const VerifyReport report = Verify();
    EXPECT_FALSE(report.faults.empty());
    EXPECT_FALSE(AuditLog::Open(folder_).has_value());
    return report.faults.empty() ? Fault() : report.faults.front();
  }

  std::filesystem::path folder_;
};

TEST_F(LogTest, GrowsOverManyOpenings) {
  Fill();
  ASSERT_TRUE(Open()->Append(Note("c", "eleventh")).has_value());
  const VerifyReport report = Verify();
  EXPECT_TRUE(report.faults.empty());
  EXPECT_EQ(report.records, 11u);
  EXPECT_EQ(report.signed_records, 11u);
  EXPECT_GE(report.heads, 3u);
  EXPECT_EQ(Open()->head().size, 11u);
}

TEST_F(LogTest, ManyThreads) {
  {
    const auto log = Open();
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 500; ++i) {
          EXPECT_TRUE(log->Append(Note("t" + std::to_string(t), std::to_string(i))).has_value());
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
  const VerifyReport report = Verify();
  EXPECT_TRUE(report.faults.empty());
  EXPECT_EQ(report.signed_records, 2000u);
}

TEST_F(LogTest, OneWriterOnly) {
  const auto log = Open();
  const auto second = AuditLog::Open(folder_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

TEST_F(LogTest, ACrashAtAnyByteCostsNothingThatWasSigned) {
  Fill();
  const std::string records = Read("records");
  const std::string heads = Read("heads");
  const size_t first_head = ReadFrame(heads, 0).size;
  // The disk has the head over the first records it was signed over, and any part of the rest.
  const auto signed_first = DecodeHead(ReadFrame(heads, 0).payload);
  ASSERT_TRUE(signed_first.has_value());
  size_t covered = 0;
  for (uint64_t i = 0; i < signed_first->size; ++i) covered += ReadFrame(records, covered).size;
  // A prime step: every place within a frame is met in one record or another.
  for (size_t size = covered; size <= records.size(); size += 13) {
    for (const bool zeros : {false, true}) {
      std::string torn = records.substr(0, size);
      if (zeros) torn.resize(records.size() + 100, '\0');
      Write("records", torn);
      Write("heads", heads.substr(0, first_head));
      const auto log = Open();
      ASSERT_NE(log, nullptr);
      ASSERT_TRUE(log->Append(Note("a", "after")).has_value());
    }
    const VerifyReport report = Verify();
    ASSERT_TRUE(report.faults.empty()) << report.faults[0].detail;
    ASSERT_GT(report.signed_records, signed_first->size);
  }
  // A torn head costs the head alone.
  Write("records", records);
  Write("heads", heads.substr(0, heads.size() - 1));
  ASSERT_NE(Open(), nullptr);
}

TEST_F(LogTest, AnyFlippedBitIsFoundAndLocated) {
  Fill();
  const std::string file = Read("records");
  const auto frames = Frames();
  size_t at = 0;
  for (size_t record = 0; record < frames.size(); ++record) {
    for (size_t i = 0; i < frames[record].size(); ++i, ++at) {
      std::string flipped = file;
      flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
      Write("records", flipped);
      const VerifyReport report = Verify();
      ASSERT_FALSE(report.faults.empty());
      ASSERT_EQ(report.faults[0].first, record) << "byte " << at;
    }
  }
}

TEST_F(LogTest, ARecordWrittenAnewIsLocatedByItsTenantsChain) {
  Fill();
  auto frames = Frames();
  auto record = DecodeRecord(std::string_view(frames[4]).substr(kFrameHead));
  ASSERT_TRUE(record.has_value());
  record->fields[0].value = "other";
  frames[4].clear();
  const size_t head = OpenFrame(frames[4]);
  EncodeRecord(*record, frames[4]);
  SealFrame(head, frames[4]);
  WriteFrames(frames);
  const VerifyReport report = Verify();
  ASSERT_GE(report.faults.size(), 2u);
  // The first head after it disagrees, and the tenant's next record names it.
  EXPECT_EQ(report.faults[0].kind, FaultKind::kRewritten);
  EXPECT_LE(report.faults[0].first, 4u);
  EXPECT_GE(report.faults[0].last, 4u);
  EXPECT_EQ(report.faults[1].kind, FaultKind::kAltered);
  EXPECT_EQ(report.faults[1].first, 4u);
  EXPECT_EQ(report.faults[1].last, 6u);
  EXPECT_FALSE(AuditLog::Open(folder_).has_value());
}

TEST_F(LogTest, ADeletedRecordIsMissing) {
  Fill();
  auto frames = Frames();
  frames.erase(frames.begin() + 3);
  WriteFrames(frames);
  const Fault fault = FirstFault();
  EXPECT_EQ(fault.kind, FaultKind::kMissing);
  EXPECT_EQ(fault.first, 3u);
  EXPECT_EQ(fault.last, 3u);
}

TEST_F(LogTest, RecordsThatChangedPlaces) {
  Fill();
  auto frames = Frames();
  std::swap(frames[6], frames[7]);
  WriteFrames(frames);
  EXPECT_EQ(FirstFault().first, 6u);
  const VerifyReport report = Verify();
  EXPECT_TRUE(std::ranges::any_of(report.faults, [](const Fault& fault) {
    return fault.kind == FaultKind::kOutOfOrder && fault.first == 6;
  }));
}

TEST_F(LogTest, ATruncatedLogIsShorterThanItsHead) {
  Fill();
  auto frames = Frames();
  frames.resize(7);
  WriteFrames(frames);
  const Fault fault = FirstFault();
  EXPECT_EQ(fault.kind, FaultKind::kTruncated);
  EXPECT_EQ(fault.first, 7u);
  EXPECT_EQ(fault.last, 9u);
}

TEST_F(LogTest, ALogCutTogetherWithItsHeadsIsFoundByAKeptHead) {
  Fill();
  const SignedHead kept = Open()->head();
  const std::string heads = Read("heads");
  Write("heads", heads.substr(0, ReadFrame(heads, 0).size));
  auto frames = Frames();
  frames.resize(DecodeHead(ReadFrame(heads, 0).payload)->size);
  WriteFrames(frames);
  EXPECT_TRUE(Verify().faults.empty());  // it is a right log by itself
  const VerifyReport report = Verify({.key = {}, .witnessed = kept, .visit = {}});
  ASSERT_FALSE(report.faults.empty());
  EXPECT_EQ(report.faults[0].kind, FaultKind::kTruncated);
}

TEST_F(LogTest, AForkIsFoundByAKeptHead) {
  Fill();
  const SignedHead kept = Open()->head();
  // The same key signs another history of the same length.
  std::filesystem::remove(folder_ / "records");
  std::filesystem::remove(folder_ / "heads");
  {
    const auto log = Open();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(log->Append(Note("a", "other")).has_value());
  }
  EXPECT_TRUE(Verify().faults.empty());
  const VerifyReport report = Verify({.key = {}, .witnessed = kept, .visit = {}});
  ASSERT_FALSE(report.faults.empty());
  EXPECT_EQ(report.faults[0].kind, FaultKind::kForked);
}

TEST_F(LogTest, AHeadSignedByAnotherKeyIsForged) {
  Fill();
  std::filesystem::remove(folder_ / "signing.key");
  const auto other = Signer::LoadOrCreate(folder_ / "signing.key");
  ASSERT_TRUE(other.has_value());
  VerifyOptions options;
  options.key = other->verify_key();
  EXPECT_EQ(Verify(std::move(options)).faults.at(0).kind, FaultKind::kForged);
  std::string heads = Read("heads");
  heads[kFrameHead + 8] = static_cast<char>(heads[kFrameHead + 8] ^ 1);
  Write("heads", heads);
  EXPECT_FALSE(VerifyLog(folder_).has_value());
}

TEST_F(LogTest, WhileTheDiskRefusesNothingIsAppended) {
  const auto log = Open();
  ASSERT_TRUE(log->WaitDurable(log->Append(Note("a", "first"))->index).has_value());
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = std::filesystem::file_size(folder_ / "records") + 20;
  setrlimit(RLIMIT_FSIZE, &small);
  const auto stuck = log->Append(Note("a", "second"));
  ASSERT_TRUE(stuck.has_value());
  EXPECT_FALSE(log->WaitDurable(stuck->index).has_value());
  const auto refused = log->Append(Note("a", "third"));
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  // Room again: what waited is written.
  while (!log->WaitDurable(stuck->index).has_value()) std::this_thread::yield();
  EXPECT_TRUE(log->Append(Note("a", "fourth")).has_value());
}

TEST_F(LogTest, DestroyingATenantsKeyErasesItsContentAndTheLogStillVerifies) {
  const auto log = Open();
  const auto sealed = log->keys().Seal("a", "prompt", "900101-1234567");
  ASSERT_TRUE(sealed.has_value());
  EXPECT_EQ(sealed->size(), 32u);
  EXPECT_EQ(log->keys().Seal("a", "prompt", "900101-1234567"), *sealed);
  EXPECT_NE(log->keys().Seal("b", "prompt", "900101-1234567"), *sealed);
  EXPECT_NE(log->keys().Seal("a", "answer", "900101-1234567"), *sealed);
  Record record = Note("a", "x");
  record.fields.push_back({"prompt", *sealed, true});
  const auto at = log->Append(std::move(record));
  ASSERT_TRUE(at.has_value());
  ASSERT_TRUE(log->WaitDurable(at->index).has_value());

  // By another process, as `jikji audit destroy-key` does.
  TenantKeys other(folder_ / "keys");
  ASSERT_TRUE(other.Destroy("a").has_value());
  EXPECT_EQ(other.Destroy("a").error().code, ErrorCode::kNotFound);
  const auto after = log->keys().Seal("a", "prompt", "900101-1234567");
  ASSERT_FALSE(after.has_value());
  EXPECT_EQ(after.error().code, ErrorCode::kPermissionDenied);
  EXPECT_TRUE(Verify().faults.empty());
}

TEST_F(LogTest, ProvesRecords) {
  Fill();
  const auto proof = ProveRecord(folder_, 3, 5);
  ASSERT_TRUE(proof.has_value()) << proof.error().ToString();
  EXPECT_THAT(*proof, HasSubstr("\"consistency\""));
  const auto head = HeadFromJson(*proof, "proof");
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(*head, Open()->head());
  EXPECT_EQ(ProveRecord(folder_, 10, 0).error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace jikji::audit
