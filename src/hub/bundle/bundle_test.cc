// Bundles from one hub to another: whole, changed on the way, cut, signed by another.
#include "hub/bundle/bundle.h"

#include <gtest/gtest.h>

#include "base/file.h"
#include "hub/testing/temporary_site.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

class Bundles : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeSigningKey(Path("key"), Path("key.pub")));
    repository_ = from_.Make("alice/tiny");
    ASSERT_TRUE(CommitFile(*from_, repository_, "config.json", "{}"));
    ASSERT_TRUE(CommitFile(*from_, repository_, "한글/설명 1.txt", "한국어"));
    ASSERT_TRUE(CommitFile(*from_, repository_, "same.txt", "한국어"));
    const auto session = from_->Connect();
    tip_ = *ResolveRevision(**session, repository_.id, "main");
    const auto done =
        ExportBundle(*from_, **session, repository_, tip_, Path("bundle"), {Path("key"), {}});
    ASSERT_TRUE(done) << done.error().ToString();
    bytes_ = *ReadFile(Path("bundle"));
  }
  fs::path Path(const std::string& name) { return from_.root() / name; }
  Result<BundleHeader> Import(const std::string& bytes, const std::string& key = "key.pub") {
    EXPECT_TRUE(WriteFileAtomic(Path("changed"), bytes));
    const auto session = to_->Connect();
    return ImportBundle(*to_, **session, Path("changed"), {Path(key), {}}, "main");
  }
  size_t Stored() {
    size_t count = 0;
    EXPECT_TRUE(to_->blobs().ForEach([&](const StoredFile&) -> Result<> {
      ++count;
      return {};
    }));
    return count;
  }

  TemporaryHub from_, to_;
  Repository repository_;
  Commit tip_;
  std::string bytes_;
};

TEST_F(Bundles, TheCommitKeepsItsIdAndItsFiles) {
  const auto done = Import(bytes_);
  ASSERT_TRUE(done) << done.error().ToString();
  const auto session = to_->Connect();
  const auto repository = FindRepository(**session, "model", "alice/tiny");
  ASSERT_TRUE(repository);
  EXPECT_TRUE(repository->is_private);
  const auto tip = ResolveRevision(**session, repository->id, "main");
  EXPECT_EQ(tip->oid, tip_.oid);
  const auto listing = *to_->ListingOf(**session, tip->tree);
  EXPECT_EQ(*listing, **from_->ListingOf(**from_->Connect(), tip_.tree));
  EXPECT_EQ(*ReadFile(to_->blobs().PathOf(listing->at("한글/설명 1.txt").digest)), "한국어");
  EXPECT_EQ(History(**session, repository->id, tip->oid, 0, 9)->size(), 1u);
  // Again is no change; a branch that went on is not moved.
  EXPECT_TRUE(Import(bytes_));
  ASSERT_TRUE(CommitFile(*to_, *repository, "more.txt", "x"));
  EXPECT_EQ(Import(bytes_).error().code, ErrorCode::kInvalidArgument);
  // The collector keeps what came.
  EXPECT_EQ(CollectGarbage(*to_)->blobs, 0u);
}

TEST_F(Bundles, ALaterRevisionFollowsAnEarlierOne) {
  ASSERT_TRUE(Import(bytes_));
  ASSERT_TRUE(CommitFile(*from_, repository_, "two.txt", "2"));
  ASSERT_TRUE(CommitFile(*from_, repository_, "three.txt", "3"));
  const auto session = from_->Connect();
  const Commit later = *ResolveRevision(**session, repository_.id, "main");
  ASSERT_TRUE(
      ExportBundle(*from_, **session, repository_, later, Path("bundle"), {Path("key"), {}}));
  const auto done = Import(*ReadFile(Path("bundle")));
  ASSERT_TRUE(done) << done.error().ToString();
  const auto there = to_->Connect();
  const auto repository = FindRepository(**there, "model", "alice/tiny");
  EXPECT_EQ(ResolveRevision(**there, repository->id, "main")->oid, later.oid);
  // The way back is no way on.
  EXPECT_EQ(Import(bytes_).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Bundles, ADamagedFileGoesIntoNone) {
  const auto stored = from_->blobs().PathOf(Sha256Of("한국어"));
  std::filesystem::remove(stored);
  ASSERT_TRUE(WriteFileAtomic(stored, "한극어"));
  const auto session = from_->Connect();
  const auto done =
      ExportBundle(*from_, **session, repository_, tip_, Path("other"), {Path("key"), {}});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, ErrorCode::kIo);
  EXPECT_FALSE(std::filesystem::exists(Path("other")));
  EXPECT_FALSE(std::filesystem::exists(Path("other").string() + ".partial"));
}

// The envelope's own spelling (the hint of a key, say) is not signed; everything else is.
TEST_F(Bundles, AnyByteThatIsChangedStoresNothing) {
  const auto length_at = [&](size_t at) {
    uint64_t length = 0;
    for (size_t i = 0; i < 8; ++i)
      length |= uint64_t{static_cast<uint8_t>(bytes_[at + i])} << (8 * i);
    return length;
  };
  const size_t header_end = kBundleMagic.size() + 8 + length_at(kBundleMagic.size());
  const size_t signature_end = header_end + 8 + length_at(header_end);
  const size_t step = std::max<size_t>(1, bytes_.size() / 200);
  size_t stored = 0;
  for (size_t at = 0; at < bytes_.size(); at += at < signature_end ? step : 1) {
    std::string changed = bytes_;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    if (Import(changed)) {
      EXPECT_TRUE(at >= header_end + 8 && at < signature_end) << at;
      stored = 2;  // the files, of which two are the same
    }
    EXPECT_EQ(Stored(), stored) << at;
  }
}

TEST_F(Bundles, CutLongerOrOfAnotherSignerIsRefused) {
  for (const size_t length :
       {size_t{0}, size_t{10}, size_t{20}, bytes_.size() / 2, bytes_.size() - 1}) {
    EXPECT_FALSE(Import(bytes_.substr(0, length))) << length;
  }
  EXPECT_FALSE(Import(bytes_ + "x"));
  ASSERT_TRUE(MakeSigningKey(Path("other"), Path("other.pub")));
  EXPECT_FALSE(Import(bytes_, "other.pub"));
  EXPECT_EQ(Stored(), 0u);
}

TEST(BundleHeader, LeadsNowhereElse) {
  Commit commit{"", std::string(40, 'b'), "", "t", "", "alice", 1};
  commit.oid = CommitId(commit);
  const auto parse = [&](const std::string& path) {
    BundleHeader header{"a/b", commit, {}, {}};
    header.files[path] = {Digest{}, 3, false};
    return ParseBundleHeader(HeaderText(header));
  };
  EXPECT_TRUE(parse("a.txt"));
  for (const char* path : {"../a.txt", "/a.txt", "a//b", ".git/config", ""}) {
    EXPECT_FALSE(parse(path)) << path;
  }
  EXPECT_FALSE(ParseBundleHeader(HeaderText({"a/b", commit, {}, {}}))) << "no files";
}

TEST(BundleHeader, AHistoryIsALineOfParentsByTheirIds) {
  Commit first{"", std::string(40, 'b'), "", "first", "", "alice", 1};
  first.oid = CommitId(first);
  Commit second{"", std::string(40, 'c'), first.oid, "second", "", "alice", 2};
  second.oid = CommitId(second);
  BundleHeader header{"a/b", second, {first}, {}};
  header.files["a.txt"] = {Digest{}, 3, false};
  EXPECT_TRUE(ParseBundleHeader(HeaderText(header)));
  header.history[0].title = "another";
  EXPECT_FALSE(ParseBundleHeader(HeaderText(header))) << "the id is of the first";
  header.history[0].oid = CommitId(header.history[0]);
  EXPECT_FALSE(ParseBundleHeader(HeaderText(header))) << "no parent of the second";
}

}  // namespace
}  // namespace jikji::hub
