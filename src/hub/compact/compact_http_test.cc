// Clients do not see how a file is stored: ranges, pieces, registries, bundles.
#include <gtest/gtest.h>

#include "hub/bundle/bundle.h"
#include "hub/compact/compact.h"
#include "hub/compact/testing.h"
#include "hub/testing/temporary_site.h"

namespace jikji::hub {
namespace {

class HubCompactHttp : public testing::Test {
 protected:
  void SetUp() override {
    auto session = site_.hub().Connect();
    for (const char* name : {"alice/base", "bob/tuned"}) {
      ASSERT_TRUE(CreateRepository(**session, "model", name, false, "alice"));
    }
    ASSERT_TRUE(CommitModel(site_.hub(), *FindRepository(**session, "model", "alice/base"),
                            Safetensors(base_)));
    ASSERT_TRUE(CommitModel(site_.hub(), *FindRepository(**session, "model", "bob/tuned"), tuned_,
                            "alice/base"));
    ThreadPool pool(1);
    ASSERT_TRUE(CompactHub(site_.hub(), {}, pool));
    ASSERT_TRUE(IsCompact(site_.hub(), tuned_));
    ASSERT_FALSE(IsPlain(site_.hub(), tuned_));
  }

  static constexpr const char* kFile = "/bob/tuned/resolve/main/model.safetensors";
  const std::vector<TestTensor> base_ = RandomModel(1, 12);
  const std::string tuned_ = Safetensors(Tuned(base_, 2));
  TemporarySite site_;
};

TEST_F(HubCompactHttp, RangesAreThoseOfTheFile) {
  const net::Response whole = site_.Get(kFile);
  EXPECT_EQ(whole.status, 200);
  EXPECT_TRUE(whole.body == tuned_);
  EXPECT_EQ(FieldOf(site_.Head(kFile), "Content-Length"), std::to_string(tuned_.size()));
  Random random(3);
  for (int i = 0; i < 30; ++i) {
    const uint64_t begin = random.Below(tuned_.size());
    const uint64_t length = 1 + random.Below(std::min<uint64_t>(tuned_.size() - begin, 700'000));
    const net::Response part = site_.Get(
        kFile,
        {{"Range", "bytes=" + std::to_string(begin) + "-" + std::to_string(begin + length - 1)}});
    EXPECT_EQ(part.status, 206);
    ASSERT_TRUE(part.body == tuned_.substr(begin, length)) << begin;
  }
  EXPECT_EQ(site_.Get(kFile, {{"Range", "bytes=" + std::to_string(tuned_.size()) + "-"}}).status,
            416);
}

TEST_F(HubCompactHttp, PiecesAndRegistriesServeIt) {
  const auto pieces = site_.GetJson("/api/models/bob/tuned/pieces/main/model.safetensors");
  EXPECT_EQ(pieces.at("sha256").as_array().front().as_string(), HexOf(Sha256Of(tuned_)));
  const net::Response blob = site_.Get("/v2/bob/tuned/blobs/sha256:" + HexOf(Sha256Of(tuned_)));
  EXPECT_TRUE(blob.body == tuned_);
}

TEST_F(HubCompactHttp, ItCanBeCommittedAgainElsewhere) {
  const std::string oid = HexOf(Sha256Of(tuned_));
  {
    auto session = site_.hub().Connect();
    ASSERT_TRUE(CreateRepository(**session, "model", "carol/copy", false, "carol"));
  }
  const net::Response done =
      site_.Post("/api/models/carol/copy/commit/main",
                 R"({"key":"header","value":{"summary":"copy"}})"
                 "\n"
                 R"({"key":"lfsFile","value":{"path":"m.safetensors","algo":"sha256","oid":")" +
                     oid + R"(","size":)" + std::to_string(tuned_.size()) + "}}\n");
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_TRUE(site_.Get("/carol/copy/resolve/main/m.safetensors").body == tuned_);
}

TEST_F(HubCompactHttp, ABundleHoldsTheBytes) {
  TemporaryHub there;
  const auto path = [&](const char* name) { return there.root() / name; };
  ASSERT_TRUE(MakeSigningKey(path("key"), path("key.pub")));
  {
    const auto session = site_.hub().Connect();
    const auto repository = FindRepository(**session, "model", "bob/tuned");
    const auto commit = ResolveRevision(**session, repository->id, "main");
    const auto done = ExportBundle(site_.hub(), **session, *repository, *commit, path("bundle"),
                                   {path("key"), {}});
    ASSERT_TRUE(done.has_value()) << done.error().ToString();
  }
  const auto session = there->Connect();
  const auto taken = ImportBundle(*there, **session, path("bundle"), {path("key.pub"), {}}, "main");
  ASSERT_TRUE(taken.has_value()) << taken.error().ToString();
  EXPECT_TRUE(IsPlain(*there, tuned_));
  EXPECT_TRUE(BytesOf(*there, tuned_) == tuned_);
}

TEST_F(HubCompactHttp, DamageIsAnErrorAndNeverOtherBytes) {
  const auto path = site_.hub().blobs().CompactPathOf(Sha256Of(tuned_));
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_EQ(site_.Get(kFile, {{"Range", "bytes=-1000"}}).status, 500);
  auto rest = net::Fetch({"GET", site_.url() + kFile, {}, {}});
  EXPECT_FALSE(rest.has_value());  // cut where the damage begins
  std::filesystem::resize_file(path, 20);
  EXPECT_EQ(site_.Get(kFile).status, 500);
}

}  // namespace
}  // namespace jikji::hub
