// A hub whose weights are stored as differences: less room, the same bytes, whatever is deleted.
#include "hub/compact/compact.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "hub/compact/restore.h"
#include "hub/compact/testing.h"

namespace jikji::hub {
namespace {

class HubCompact : public testing::Test {
 protected:
  void Commit(const std::string& model, const std::string& weights, const std::string& base = "",
              const std::string& path = "model.safetensors") {
    auto session = hub_->Connect();
    auto repository = FindRepository(**session, "model", model);
    if (!repository) repository = hub_.Make(model);
    const auto done = CommitModel(*hub_, *repository, weights, base, path);
    ASSERT_TRUE(done.has_value()) << done.error().ToString();
  }
  CompactReport Run(bool dry_run = false) {
    CompactOptions options;
    options.dry_run = dry_run;
    auto report = CompactHub(*hub_, options, pool_);
    EXPECT_TRUE(report.has_value()) << (report ? "" : report.error().ToString());
    return report.value_or(CompactReport{});
  }
  void ForgetLeases() {
    auto session = hub_->Connect();
    ASSERT_TRUE((*session)->Run("DELETE FROM leases"));
  }
  void Delete(const std::string& model) {
    auto session = hub_->Connect();
    const auto repository = FindRepository(**session, "model", model);
    ASSERT_TRUE(DeleteRepository(**session, repository->id));
  }
  size_t Files() {
    size_t count = 0;
    EXPECT_TRUE(hub_->blobs().ForEach([&](const StoredFile&) -> Result<> {
      ++count;
      return {};
    }));
    return count;
  }

  TemporaryHub hub_;
  ThreadPool pool_{2};
};

TEST_F(HubCompact, AFineTuneIsStoredAsItsDifference) {
  const auto base = RandomModel(1);
  const std::string plain = Safetensors(base);
  const std::string tuned = Safetensors(Tuned(base, 2));
  Commit("alice/base", plain);
  Commit("bob/tuned", tuned, "alice/base");
  const CompactReport dry = Run(/*dry_run=*/true);
  EXPECT_TRUE(IsPlain(*hub_, tuned));
  EXPECT_FALSE(IsCompact(*hub_, tuned));
  const CompactReport report = Run();
  EXPECT_EQ(report.files, 2u);
  EXPECT_EQ(report.stored, plain.size() + tuned.size());
  EXPECT_EQ(dry.stored_now, report.stored_now);
  ASSERT_EQ(report.compacted.size(), 1u);
  const CompactedFile& file = report.compacted.front();
  EXPECT_EQ(file.model, "bob/tuned");
  EXPECT_EQ(file.shared, base[0].bytes.size());  // the layer that was frozen
  EXPECT_LT(file.stored, tuned.size() / 5);
  EXPECT_EQ(std::filesystem::file_size(hub_->blobs().CompactPathOf(Sha256Of(tuned))), file.stored);
  EXPECT_TRUE(IsPlain(*hub_, plain));
  EXPECT_FALSE(IsPlain(*hub_, tuned));
  EXPECT_TRUE(BytesOf(*hub_, tuned) == tuned);
  const CompactReport again = Run();
  EXPECT_TRUE(again.compacted.empty());
  EXPECT_EQ(again.stored, report.stored_now);
  EXPECT_TRUE(CheckStore(*hub_, nullptr)->empty());
}

// Damage of one file is told, and leaves the others alone; a copy of the right file mends it.
TEST_F(HubCompact, ADamagedFileIsPassedOverAndACopyMendsIt) {
  const auto base = RandomModel(1);
  const std::string first = Safetensors(Tuned(base, 2)), second = Safetensors(Tuned(base, 3));
  Commit("alice/base", Safetensors(base));
  Commit("bob/first", first, "alice/base");
  Commit("carl/second", second, "alice/base");
  const auto write = [&](const std::filesystem::path& path, const std::string& bytes) {
    std::filesystem::permissions(path.parent_path(), std::filesystem::perms::owner_all);
    std::filesystem::remove(path);
    std::ofstream(path, std::ios::binary) << bytes;
  };
  const auto path = hub_->blobs().PathOf(Sha256Of(first));
  std::string damaged = first;
  damaged[first.size() / 2] ^= 1;
  write(path, damaged);
  const CompactReport report = Run();
  EXPECT_THAT(report.failed, testing::ElementsAre(testing::HasSubstr("bob/first")));
  EXPECT_TRUE(IsCompact(*hub_, second));
  EXPECT_FALSE(IsCompact(*hub_, first));
  write(path, first);
  EXPECT_TRUE(Run().failed.empty());
  EXPECT_TRUE(IsCompact(*hub_, first));

  // Now the compact file: the copy beside it is what is read, and what the next run keeps.
  const auto compact = hub_->blobs().CompactPathOf(Sha256Of(first));
  std::string stored = *ReadFile(compact);
  stored[stored.size() - 9] ^= 1;
  write(compact, stored);
  ASSERT_EQ(CheckStore(*hub_, nullptr)->size(), 1u);
  std::ofstream(path, std::ios::binary) << first;
  EXPECT_TRUE(CheckStore(*hub_, nullptr)->empty());
  EXPECT_TRUE(Run().failed.empty());
  EXPECT_TRUE(BytesOf(*hub_, first) == first);
  EXPECT_TRUE(CheckStore(*hub_, nullptr)->empty());
}

TEST_F(HubCompact, TheSameLayoutOrAnOlderRevisionIsABaseWithoutACard) {
  const auto base = RandomModel(1);
  const std::string plain = Safetensors(base);
  const std::string next = Safetensors(Tuned(base, 2), " of the next day");
  const std::string other = Safetensors(Tuned(base, 3));
  Commit("alice/base", plain);
  Commit("alice/base", next);
  Commit("bob/other", other);
  const CompactReport report = Run();
  EXPECT_EQ(report.compacted.size(), 2u);
  for (const std::string& bytes : {plain, next, other}) EXPECT_TRUE(BytesOf(*hub_, bytes) == bytes);
}

TEST_F(HubCompact, SharedTensorsAreKeptOnceUnderAnyName) {
  auto base = RandomModel(1);
  Commit("alice/base", Safetensors(base));
  std::vector<TestTensor> renamed = {{"own", RandomModel(9)[0].bytes}};
  for (const TestTensor& tensor : base) renamed.push_back({"model." + tensor.name, tensor.bytes});
  const std::string other = Safetensors(renamed);
  Commit("bob/renamed", other);
  const CompactReport report = Run();
  ASSERT_EQ(report.compacted.size(), 1u);
  EXPECT_EQ(report.compacted.front().shared, 4 * base[0].bytes.size());
  EXPECT_TRUE(BytesOf(*hub_, other) == other);
}

TEST_F(HubCompact, ALargerVocabularyStillHasTheBaseOfItsFirstRows) {
  auto base = RandomModel(1);
  Commit("alice/base", Safetensors(base));
  auto grown = Tuned(base, 2, 0);
  Random random(5);
  grown[0].bytes += RandomValues(random, 64 * 100);
  const std::string tuned = Safetensors(grown);
  Commit("bob/grown", tuned, "alice/base");
  const CompactReport report = Run();
  ASSERT_EQ(report.compacted.size(), 1u);
  EXPECT_LT(report.compacted.front().stored, tuned.size() / 4);
  EXPECT_TRUE(BytesOf(*hub_, tuned) == tuned);
}

TEST_F(HubCompact, StrangersStayPlain) {
  Commit("alice/base", Safetensors(RandomModel(1)));
  const std::string stranger = Safetensors(RandomModel(2));
  Commit("bob/claims", stranger, "alice/base");
  EXPECT_TRUE(Run().compacted.empty());
  EXPECT_TRUE(IsPlain(*hub_, stranger));
}

TEST_F(HubCompact, AFineTuneOfAFineTuneHangsOnThePlainOne) {
  const auto base = RandomModel(1);
  const auto first = Tuned(base, 2);
  const std::string plain = Safetensors(base);
  const std::string tuned = Safetensors(first);
  const std::string twice = Safetensors(Tuned(first, 3));
  Commit("alice/base", plain);
  Commit("bob/tuned", tuned, "alice/base");
  EXPECT_EQ(Run().compacted.size(), 1u);
  Commit("carol/twice", twice, "bob/tuned");
  EXPECT_EQ(Run().compacted.size(), 1u);
  auto session = hub_->Connect();
  const auto rows = (*session)->Run("SELECT DISTINCT source FROM compact_blobs");
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->Text(0, 0), HexOf(Sha256Of(plain)));
  EXPECT_TRUE(BytesOf(*hub_, twice) == twice);
}

TEST_F(HubCompact, DeletingTheBaseLeavesTheFineTune) {
  const auto base = RandomModel(1);
  const std::string plain = Safetensors(base);
  const std::string tuned = Safetensors(Tuned(base, 2));
  Commit("alice/base", plain);
  Commit("bob/tuned", tuned, "alice/base");
  Run();
  Delete("alice/base");
  ForgetLeases();
  ASSERT_TRUE(CollectGarbage(*hub_));
  EXPECT_TRUE(IsPlain(*hub_, plain));  // nobody's, and needed
  EXPECT_TRUE(BytesOf(*hub_, tuned) == tuned);
  // One fine-tune by itself takes less than its difference and a base that nobody wants.
  EXPECT_THAT(Run().restored, testing::ElementsAre(HexOf(Sha256Of(tuned))));
  EXPECT_TRUE(IsPlain(*hub_, tuned));
  EXPECT_FALSE(IsCompact(*hub_, tuned));
  ASSERT_TRUE(CollectGarbage(*hub_));
  EXPECT_FALSE(IsPlain(*hub_, plain));
  EXPECT_TRUE(BytesOf(*hub_, tuned) == tuned);
  Delete("bob/tuned");
  ASSERT_TRUE(CollectGarbage(*hub_));
  EXPECT_EQ(Files(), 0u);
}

TEST_F(HubCompact, BothGoInOneCollection) {
  const auto base = RandomModel(1);
  Commit("alice/base", Safetensors(base));
  Commit("bob/tuned", Safetensors(Tuned(base, 2)), "alice/base");
  Run();
  Delete("alice/base");
  Delete("bob/tuned");
  ForgetLeases();
  ASSERT_TRUE(CollectGarbage(*hub_));
  EXPECT_EQ(Files(), 0u);
}

TEST_F(HubCompact, PushingAgainMendsADamagedFile) {
  const auto base = RandomModel(1);
  const std::string tuned = Safetensors(Tuned(base, 2));
  Commit("alice/base", Safetensors(base));
  Commit("bob/tuned", tuned, "alice/base");
  Run();
  const auto path = hub_->blobs().CompactPathOf(Sha256Of(tuned));
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path) / 2));
    file.write("damage", 6);
  }
  const auto damaged = CheckStore(*hub_, nullptr);
  ASSERT_TRUE(damaged.has_value());
  ASSERT_EQ(damaged->size(), 1u);
  EXPECT_EQ(damaged->front().digest, HexOf(Sha256Of(tuned)));
  EXPECT_THAT(damaged->front().models, testing::ElementsAre("bob/tuned"));
  EXPECT_THAT(BytesOf(*hub_, tuned), testing::StartsWith("cannot be read"));
  {
    auto session = hub_->Connect();
    ASSERT_TRUE(Store(*hub_, **session, tuned, "bob"));
  }
  EXPECT_TRUE(BytesOf(*hub_, tuned) == tuned);
  ASSERT_TRUE(CollectGarbage(*hub_));
  EXPECT_FALSE(IsCompact(*hub_, tuned));  // the damaged one
  EXPECT_TRUE(CheckStore(*hub_, nullptr)->empty());
  EXPECT_EQ(Run().compacted.size(), 1u);
}

TEST_F(HubCompact, AFileForReadersThatWantOneIsTheBlob) {
  const auto base = RandomModel(1);
  const std::string tuned = Safetensors(Tuned(base, 2));
  Commit("alice/base", Safetensors(base));
  Commit("bob/tuned", tuned, "alice/base");
  Run();
  const auto placed = hub_.root() / "placed";
  ASSERT_TRUE(hub_->blobs().PlaceAt(Sha256Of(tuned), placed));
  EXPECT_TRUE(*ReadFile(placed) == tuned);
  EXPECT_EQ(hub_->blobs().PlaceAt(Sha256Of(tuned), placed).error().code,
            ErrorCode::kInvalidArgument);
  const auto mapped = hub_->blobs().Map(Sha256Of(tuned));
  ASSERT_TRUE(mapped.has_value());
  EXPECT_TRUE(std::string(reinterpret_cast<const char*>(mapped->bytes().data()),
                          mapped->bytes().size()) == tuned);
  EXPECT_TRUE(std::filesystem::is_empty(hub_.root() / "incoming"));
}

}  // namespace
}  // namespace jikji::hub
