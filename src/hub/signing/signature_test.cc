#include "hub/signing/signature.h"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>

#include "base/file.h"
#include "base/json.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

class Signing : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = fs::temp_directory_path() / "jikji_sign_XXXXXX";
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    root_ = folder;
    model_ = root_ / "model";
    fs::create_directories(model_ / "d0");
    Write("d0/f00", "d0f00");
    Write("d0/f01", "d0f01");
    Write("f3", "f3");
    Write(".gitattributes", "not signed");
    ASSERT_TRUE(MakeSigningKey(root_ / "key.pem", root_ / "key.pub"));
    options_ = {model_, model_ / "model.sig", false, false};
  }
  void TearDown() override { fs::remove_all(root_); }
  void Write(const std::string& path, const std::string& text) {
    std::ofstream(model_ / path, std::ios::binary) << text;
  }
  std::vector<std::string> Problems(const TrustAnchor& trust) {
    const auto verified = VerifyModel(model_, options_.signature, trust);
    EXPECT_TRUE(verified.has_value()) << (verified ? "" : verified.error().ToString());
    return verified ? verified->problems : std::vector<std::string>{"not verified"};
  }
  // OpenSSL's own program: a second implementation of certificates.
  bool OpenSsl(const std::string& arguments) {
    return std::system(
               ("cd " + root_.string() + " && openssl " + arguments + " 2>/dev/null").c_str()) == 0;
  }

  fs::path root_;
  fs::path model_;
  SignOptions options_;
};

using Problem = std::vector<std::string>;

TEST_F(Signing, WhatWasSignedVerifiesAndEveryChangeShows) {
  const SigningKey key{root_ / "key.pem", {}};
  const TrustAnchor trust{root_ / "key.pub", {}};
  ASSERT_TRUE(SignModel(options_, key));
  EXPECT_EQ(Problems(trust), Problem());
  Write("f3", "other");
  EXPECT_EQ(Problems(trust), Problem{"changed: f3"});
  fs::remove(model_ / "f3");
  EXPECT_EQ(Problems(trust), Problem{"missing: f3"});
  Write("f3", "f3");
  Write("d0/extra", "x");
  EXPECT_EQ(Problems(trust), Problem{"not signed: d0/extra"});
  fs::remove(model_ / "d0/extra");
  Write(".gitattributes", "changed, and never signed");
  EXPECT_EQ(Problems(trust), Problem());
  fs::create_symlink("f3", model_ / "link");
  EXPECT_EQ(VerifyModel(model_, options_.signature, trust).error().code,
            ErrorCode::kInvalidArgument);
}

// The statement of the specification's example: names, order, root digest.
TEST_F(Signing, TheStatementIsThatOfTheSpecification) {
  ASSERT_TRUE(SignModel(options_, {root_ / "key.pem", {}}));
  const json::value bundle = *ParseJson(*ReadFile(options_.signature));
  EXPECT_EQ(bundle.at("mediaType"), "application/vnd.dev.sigstore.bundle.v0.3+json");
  const json::value statement =
      *ParseJson(*ParseBase64(bundle.at("dsseEnvelope").at("payload").as_string()));
  EXPECT_EQ(statement.at("_type"), "https://in-toto.io/Statement/v1");
  EXPECT_EQ(statement.at("predicateType"), "https://model_signing/signature/v1.0");
  EXPECT_EQ(statement.at("subject").at(0).at("name"), "model");
  const auto& resources = statement.at("predicate").at("resources").as_array();
  ASSERT_EQ(resources.size(), 3u);
  std::string raw;
  for (const char* content : {"d0f00", "d0f01", "f3"}) {
    const Digest digest = Sha256Of(content);
    raw.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  }
  EXPECT_EQ(resources[0].at("name"), "d0/f00");
  EXPECT_EQ(statement.at("subject").at(0).at("digest").at("sha256"),
            json::value(HexOf(Sha256Of(raw))));
}

TEST_F(Signing, ShardsAreSignedToo) {
  Manifest how;
  how.shards = true;
  how.shard_bytes = 2;
  const auto manifest = ManifestOf(model_, options_.signature, how);
  ASSERT_TRUE(manifest.has_value());
  EXPECT_EQ(manifest->resources.size(), 7u);
  EXPECT_EQ(manifest->resources.at("d0/f00:4:5"), Sha256Of("0"));
  const std::string statement = StatementOf(*manifest);
  EXPECT_NE(statement.find("\"sha256-sharded-2\""), std::string::npos);
  const auto parsed = ParseStatement(StatementOf(*manifest));
  ASSERT_TRUE(parsed.has_value()) << parsed.error().ToString();
  EXPECT_EQ(parsed->resources, manifest->resources);
  EXPECT_EQ(parsed->shard_bytes, 2u);
}

// Statements as the reference program writes them (sigstore/model-transparency): a shard's place by
// its number and its algorithm by the shards' size, which is written as a fraction.
TEST_F(Signing, ShardsAsTheReferenceWritesThem) {
  Write("long", "0123456789ab");
  Manifest how;
  how.name = "m";
  how.shards = true;
  how.shard_bytes = 2;
  const Manifest manifest = *ManifestOf(model_, options_.signature, how);
  std::string text = StatementOf(manifest);
  EXPECT_LT(text.find("long:8:10"), text.find("long:10:12"));
  text.replace(text.find("\"shard_size\":2"), 14, "\"shard_size\":2.0");
  const auto parsed = ParseStatement(text);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().ToString();
  EXPECT_EQ(parsed->resources, manifest.resources);
  text.replace(text.find("sha256-sharded-2"), 16, "sha256-sharded-3");
  EXPECT_FALSE(ParseStatement(text));
  text.replace(text.find("sha256-sharded-3"), 16, "sha256-sharded-2");
  text.replace(text.find("long:8:10"), 9, "long:08:10");
  EXPECT_FALSE(ParseStatement(text));
}

// Its first signatures are over one file, whose name is `.`.
TEST_F(Signing, AModelThatIsOneFile) {
  options_ = {model_ / "f3", root_ / "f3.sig", false, false};
  ASSERT_TRUE(SignModel(options_, {root_ / "key.pem", {}}));
  const auto good = VerifyModel(model_ / "f3", options_.signature, {root_ / "key.pub", {}});
  ASSERT_TRUE(good.has_value()) << good.error().ToString();
  EXPECT_EQ(good->problems, Problem());
  EXPECT_EQ(good->manifest.resources.begin()->first, ".");
  Write("f3", "other");
  EXPECT_EQ(VerifyModel(model_ / "f3", options_.signature, {root_ / "key.pub", {}})->problems,
            Problem{"changed: ."});
}

// What a signer says was left out may be there or not, and may be anything.
TEST_F(Signing, IgnoredPathsAreTheSigners) {
  Manifest how;
  how.name = "m";
  how.ignored = {"ignore-me", "notes"};
  Write("ignore-me", "1");
  fs::create_directories(model_ / "notes");
  Write("notes/a", "2");
  const Manifest manifest = *ManifestOf(model_, options_.signature, how);
  EXPECT_EQ(manifest.resources.size(), 3u);
  const std::string bundle = *SignStatement(StatementOf(manifest), {root_ / "key.pem", {}});
  ASSERT_TRUE(WriteFileAtomic(options_.signature, bundle));
  const TrustAnchor trust{root_ / "key.pub", {}};
  EXPECT_EQ(Problems(trust), Problem());
  fs::remove(model_ / "ignore-me");
  EXPECT_EQ(Problems(trust), Problem());
  Write("ignore-me-too", "3");
  EXPECT_EQ(Problems(trust), Problem{"not signed: ignore-me-too"});
}

TEST_F(Signing, AnotherKeyAndChangedBundlesAreRefused) {
  ASSERT_TRUE(SignModel(options_, {root_ / "key.pem", {}}));
  ASSERT_TRUE(MakeSigningKey(root_ / "other.pem", root_ / "other.pub"));
  EXPECT_FALSE(MakeSigningKey(root_ / "key.pem", root_ / "key.pub"));  // never over another
  EXPECT_EQ(VerifyModel(model_, options_.signature, {root_ / "other.pub", {}}).error().code,
            ErrorCode::kPermissionDenied);
  const std::string good = *ReadFile(options_.signature);
  json::value bundle = *ParseJson(good);
  const std::string payload(bundle.at("dsseEnvelope").at("payload").as_string());
  const auto refused = [&](const json::value& changed) {
    const auto verified = VerifySignature(json::serialize(changed), {root_ / "key.pub", {}});
    EXPECT_FALSE(verified.has_value());
  };
  std::string other = *ParseBase64(payload);
  other.replace(other.find("f3"), 2, "f4");
  bundle.at("dsseEnvelope").as_object()["payload"] = Base64Of(other);
  refused(bundle);
  bundle = *ParseJson(good);
  bundle.at("dsseEnvelope").as_object()["payloadType"] = "text/plain";
  refused(bundle);
  bundle = *ParseJson(good);
  auto& signatures = bundle.at("dsseEnvelope").as_object()["signatures"].as_array();
  signatures.push_back(signatures[0]);
  refused(bundle);
  refused(json::object());
}

TEST_F(Signing, StatementsThatBreakARuleAreRefused) {
  Manifest how;
  how.name = "m";
  const std::string good = StatementOf(*ManifestOf(model_, options_.signature, how));
  ASSERT_TRUE(ParseStatement(good));
  const auto broken = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    EXPECT_FALSE(ParseStatement(text)) << to;
  };
  broken("Statement/v1", "Statement/v2");
  broken("signature/v1.0", "signature/v2.0");
  broken("d0/f00", "d0/f02");  // not sorted
  broken("d0/f00", "d0/f01");  // twice
  broken("d0/f00", "../f00");
  broken("d0/f00", "/d0/f00");
  broken("\"sha256\"", "\"md5\"");
  broken(HexOf(Sha256Of("f3")), HexOf(Sha256Of("f4")));
  broken("\"files\"", "\"folders\"");
}

TEST_F(Signing, CertificatesLeadToARoot) {
  if (!OpenSsl("version > /dev/null")) GTEST_SKIP() << "no openssl program";
  ASSERT_TRUE(OpenSsl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout ca.pem -out ca.crt "
      "-days 30 -subj /CN=root -addext basicConstraints=critical,CA:TRUE"));
  ASSERT_TRUE(OpenSsl(
      "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.pem -out leaf.csr -subj "
      "/CN=signer"));
  const auto issue = [&](const std::string& ca, const std::string& out, const char* extensions) {
    std::ofstream(root_ / "extensions") << extensions;
    return OpenSsl("x509 -req -in leaf.csr -CA " + ca + ".crt -CAkey " + ca +
                   ".pem -CAcreateserial -days 30 -extfile extensions -out " + out);
  };
  ASSERT_TRUE(issue("ca", "leaf.crt", "keyUsage=digitalSignature\n"));
  ASSERT_TRUE(OpenSsl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout bad.pem -out bad.crt "
      "-days 30 -subj /CN=other"));
  ASSERT_TRUE(SignModel(options_, {root_ / "leaf.pem", root_ / "leaf.crt"}));
  EXPECT_EQ(Problems({{}, root_ / "ca.crt"}), Problem());
  EXPECT_EQ(VerifyModel(model_, options_.signature, {{}, root_ / "bad.crt"}).error().code,
            ErrorCode::kPermissionDenied);
  EXPECT_FALSE(SignModel(options_, {root_ / "key.pem", root_ / "leaf.crt"}));  // of another key
  // Whoever trusts one authority below the root, or one signer, need not trust the root.
  EXPECT_EQ(Problems({{}, root_ / "leaf.crt"}), Problem());
  // A certificate that is not for signing signs nothing; one for code does.
  ASSERT_TRUE(issue("ca", "leaf.crt", "keyUsage=keyAgreement\n"));
  ASSERT_TRUE(SignModel(options_, {root_ / "leaf.pem", root_ / "leaf.crt"}));
  EXPECT_EQ(VerifyModel(model_, options_.signature, {{}, root_ / "ca.crt"}).error().code,
            ErrorCode::kPermissionDenied);
  ASSERT_TRUE(issue("ca", "leaf.crt", "extendedKeyUsage=serverAuth\n"));
  ASSERT_TRUE(SignModel(options_, {root_ / "leaf.pem", root_ / "leaf.crt"}));
  EXPECT_FALSE(VerifyModel(model_, options_.signature, {{}, root_ / "ca.crt"}));
  ASSERT_TRUE(issue("ca", "leaf.crt", "extendedKeyUsage=codeSigning\n"));
  ASSERT_TRUE(SignModel(options_, {root_ / "leaf.pem", root_ / "leaf.crt"}));
  EXPECT_EQ(Problems({{}, root_ / "ca.crt"}), Problem());
}

}  // namespace
}  // namespace jikji::hub
