// What a registry's clients ask of a hub: by tag and by digest, in parts, with and without a token.
#include <gmock/gmock.h>

#include "hub/http/oci_routes.h"
#include "hub/oci/image.h"
#include "hub/testing/temporary_site.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::HasSubstr;

const net::Headers kOllama = {{"Accept", kDockerManifest}};
const net::Headers kOci = {{"Accept", std::string(kDockerManifest) + ", " + kOciManifest}};

std::string Number(uint64_t value, size_t bytes) {
  std::string out;
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  return out;
}
std::string Text(std::string_view text) { return Number(text.size(), 8) + std::string(text); }

// A GGUF file without tensors; `name` makes files differ.
std::string SmallGguf(std::string_view architecture, std::string_view name) {
  return "GGUF" + Number(3, 4) + Number(0, 8) + Number(2, 8) + Text("general.architecture") +
         Number(8, 4) + Text(architecture) + Text("general.name") + Number(8, 4) + Text(name);
}

class Oci : public testing::Test {
 protected:
  void Fill(const std::string& repository, bool is_private = false) {
    auto session = site_.hub().Connect();
    const auto made = CreateRepository(**session, "model", repository, is_private, "alice");
    ASSERT_TRUE(made.has_value());
    for (const auto& [path, content] : files_) {
      ASSERT_TRUE(CommitFile(site_.hub(), made->repository, path, content).has_value()) << path;
    }
  }
  json::value Manifest(const std::string& path, const net::Headers& accept) {
    const auto answer = site_.Get(path, accept);
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(FieldOf(answer, "Docker-Content-Digest"), "sha256:" + HexOf(Sha256Of(answer.body)));
    const json::value manifest = ParseJson(answer.body).value_or(json::object());
    EXPECT_EQ(manifest.at("mediaType"), json::value(answer.content_type));
    return manifest;
  }
  std::string DigestOf(const std::string& path) {
    return "sha256:" + HexOf(Sha256Of(files_.at(path)));
  }
  std::string CodeOf(const net::Response& answer) {
    const json::value body = ParseJson(answer.body).value_or(json::object());
    return std::string(body.at("errors").at(0).at("code").as_string());
  }

  TemporarySite site_;
  std::map<std::string, std::string> files_ = {{"model-Q4_K_M.gguf", SmallGguf("llama", "four")},
                                               {"model-q8_0.gguf", SmallGguf("llama", "eight")},
                                               {"mmproj-model-f16.gguf", SmallGguf("clip", "eyes")},
                                               {"template", "{{ .Prompt }}"},
                                               {"params", R"({"stop":["<|end|>"]})"},
                                               {"LICENSE", "Apache License"},
                                               {"README.md", "# 모델"}};
};

TEST_F(Oci, OllamaTakesOneGgufWithWhatLiesBesideIt) {
  Fill("alice/m");
  EXPECT_EQ(site_.Get("/v2/").status, 200);
  EXPECT_EQ(FieldOf(site_.Get("/v2/"), "Docker-Distribution-API-Version"), "registry/2.0");
  const json::value manifest = Manifest("/v2/alice/m/manifests/latest", kOllama);
  EXPECT_EQ(manifest.at("mediaType"), kDockerManifest);
  std::map<std::string, std::string> layers;
  for (const json::value& layer : manifest.at("layers").as_array()) {
    const auto blob = site_.Get("/v2/alice/m/blobs/" + std::string(layer.at("digest").as_string()));
    EXPECT_EQ(blob.status, 200);
    EXPECT_EQ(blob.body.size(), layer.at("size").as_int64());
    const std::string type(layer.at("mediaType").as_string());
    layers[type.substr(type.rfind('.') + 1)] = blob.body;
  }
  EXPECT_EQ(layers.size(), 5u);
  EXPECT_EQ(layers["model"], files_["model-Q4_K_M.gguf"]);
  EXPECT_EQ(layers["projector"], files_["mmproj-model-f16.gguf"]);
  EXPECT_EQ(layers["template"], files_["template"]);
  EXPECT_EQ(layers["params"], files_["params"]);
  EXPECT_EQ(layers["license"], files_["LICENSE"]);
  const auto config = site_.GetJson("/v2/alice/m/blobs/" +
                                    std::string(manifest.at("config").at("digest").as_string()));
  EXPECT_EQ(config.at("model_family"), "llama");
  EXPECT_EQ(config.at("file_type"), "Q4_K_M");
  EXPECT_EQ(config.at("rootfs").at("diff_ids").as_array().size(), 5u);
  // Another quantisation is another tag.
  const json::value eight = Manifest("/v2/alice/m/manifests/Q8_0", kOllama);
  EXPECT_EQ(eight.at("layers").at(0).at("digest"), json::value(DigestOf("model-q8_0.gguf")));
}

TEST_F(Oci, OthersTakeAllFilesUnderTheirPaths) {
  Fill("alice/m");
  const json::value manifest = Manifest("/v2/alice/m/manifests/main", kOci);
  EXPECT_EQ(manifest.at("mediaType"), kOciManifest);
  EXPECT_EQ(manifest.at("artifactType"), "application/vnd.cncf.model.manifest.v1+json");
  ASSERT_EQ(manifest.at("layers").as_array().size(), files_.size());
  for (const json::value& layer : manifest.at("layers").as_array()) {
    const std::string path(
        layer.at("annotations").at("org.opencontainers.image.title").as_string());
    EXPECT_EQ(layer.at("digest"), json::value(DigestOf(path))) << path;
  }
}

TEST_F(Oci, AManifestStaysUnderItsDigestWhenTheTagMoves) {
  Fill("alice/m");
  const auto first = site_.Get("/v2/alice/m/manifests/latest", kOllama);
  const std::string digest = FieldOf(first, "Docker-Content-Digest");
  files_ = {{"model-Q4_K_M.gguf", SmallGguf("llama", "better")}};
  Fill("alice/m");
  const auto second = site_.Get("/v2/alice/m/manifests/latest", kOllama);
  EXPECT_NE(FieldOf(second, "Docker-Content-Digest"), digest);
  const auto pinned = site_.Get("/v2/alice/m/manifests/" + digest, kOllama);
  EXPECT_EQ(pinned.body, first.body);
  EXPECT_EQ(pinned.content_type, kDockerManifest);
  const auto head = site_.Request("HEAD", "/v2/alice/m/manifests/" + digest, {}, kOllama);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(FieldOf(head, "Content-Length"), std::to_string(first.body.size()));
}

TEST_F(Oci, BlobsComeInParts) {
  Fill("alice/m");
  const std::string& weights = files_["model-Q4_K_M.gguf"];
  const std::string path = "/v2/alice/m/blobs/sha256:" + HexOf(Sha256Of(weights));
  const auto head = site_.Head(path);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(FieldOf(head, "Content-Length"), std::to_string(weights.size()));
  EXPECT_EQ(FieldOf(head, "Location"), site_.url() + path.substr(0, path.find("sha256")) +
                                           "sha256%3A" + HexOf(Sha256Of(weights)));
  const auto part = site_.Get(path, {{"Range", "bytes=4-9"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, weights.substr(4, 6));
  EXPECT_EQ(site_.GetUrl(FieldOf(head, "Location")).body, weights);
}

TEST_F(Oci, ListsComeInPages) {
  Fill("alice/m");
  // A branch that no tag may be called is in no list.
  EXPECT_EQ(site_.Request("POST", "/api/models/alice/m/branch/%ED%95%9C%EA%B8%80", "{}").status,
            200);
  files_ = {{"README.md", "# x"}};
  Fill("bob/Other");
  EXPECT_EQ(site_.GetJson("/v2/_catalog").at("repositories"),
            (json::array{"alice/m", "bob/other"}));
  EXPECT_EQ(site_.Get("/v2/alice/m/tags/list?n=two").status, 400);
  const auto tags = site_.Get("/v2/alice/m/tags/list?n=2");
  EXPECT_EQ(ParseJson(tags.body)->at("tags"), (json::array{"Q4_K_M", "Q8_0"}));
  const std::string link = FieldOf(tags, "Link");
  ASSERT_THAT(link, HasSubstr("last=Q8_0"));
  const auto rest = site_.GetUrl(link.substr(1, link.find('>') - 1));
  EXPECT_EQ(ParseJson(rest.body)->at("tags"), (json::array{"latest", "main"}));
  EXPECT_TRUE(site_.GetJson("/v2/alice/m/referrers/sha256:" + std::string(64, 'a'))
                  .at("manifests")
                  .as_array()
                  .empty());
}

TEST_F(Oci, ErrorsAreARegistrys) {
  Fill("alice/m");
  const std::string none = "sha256:" + std::string(64, 'a');
  const auto code = [&](const std::string& path) { return CodeOf(site_.Get(path, kOci)); };
  EXPECT_EQ(code("/v2/alice/none/manifests/latest"), "NAME_UNKNOWN");
  EXPECT_EQ(code("/v2/alice/m/manifests/none"), "MANIFEST_UNKNOWN");
  EXPECT_EQ(code("/v2/alice/m/manifests/" + none), "MANIFEST_UNKNOWN");
  EXPECT_EQ(code("/v2/alice/m/manifests/sha256:12"), "DIGEST_INVALID");
  EXPECT_EQ(code("/v2/alice/m/blobs/" + none), "BLOB_UNKNOWN");
  EXPECT_EQ(code("/v2/alice/m/blobs/md5:1"), "DIGEST_INVALID");
  const auto push = site_.Post("/v2/alice/m/blobs/uploads/", "");
  EXPECT_EQ(push.status, 405);
  EXPECT_EQ(CodeOf(push), "UNSUPPORTED");
  files_ = {{"README.md", "# x"}};
  Fill("alice/words");
  const auto words = site_.Get("/v2/alice/words/manifests/latest", kOllama);
  EXPECT_EQ(words.status, 404);
  EXPECT_THAT(words.body, HasSubstr("gguf"));
}

// The rules are those of the other surface; a digest of a private blob opens nothing elsewhere.
TEST_F(Oci, WhoMayPullWhat) {
  Fill("alice/secret", /*is_private=*/true);
  const std::string blob = "/blobs/sha256:" + HexOf(Sha256Of(files_["model-Q4_K_M.gguf"]));
  files_ = {{"README.md", "# open"}};
  Fill("alice/open");
  const std::string alice = site_.AddAccount("alice", AccountRole::kWrite);
  const std::string bob = site_.AddAccount("bob", AccountRole::kWrite);
  const auto as = [](const std::string& token) {
    return net::Headers{{"Authorization", "Basic " + Base64Of("anyone:" + token)}};
  };
  const std::string manifest = "/v2/alice/secret/manifests/latest";
  for (const char* path :
       {"/v2/alice/secret/manifests/latest", "/v2/alice/none/manifests/latest"}) {
    const auto nobody = site_.Get(path);
    EXPECT_EQ(nobody.status, 401) << path;
    EXPECT_EQ(CodeOf(nobody), "UNAUTHORIZED");
    EXPECT_THAT(FieldOf(nobody, "WWW-Authenticate"), HasSubstr("Basic"));
    EXPECT_EQ(CodeOf(site_.Get(path, as(bob))), "NAME_UNKNOWN");
  }
  EXPECT_EQ(site_.Get(manifest, as(alice)).status, 200);
  EXPECT_EQ(site_.Get("/v2/alice/secret" + blob, as(alice)).status, 200);
  EXPECT_EQ(site_.Get(manifest, as("hf_wrong")).status, 401);
  EXPECT_EQ(CodeOf(site_.Get("/v2/alice/open" + blob, as(bob))), "BLOB_UNKNOWN");
  EXPECT_EQ(ParseJson(site_.Get("/v2/_catalog").body)->at("repositories"),
            (json::array{"alice/open"}));
  // Gated: seen, and pulled by whoever was let in.
  site_.UseToken(alice);
  EXPECT_EQ(site_.Request("PUT", "/api/models/alice/open/settings", R"({"gated":"auto"})").status,
            200);
  site_.UseToken("");
  EXPECT_EQ(site_.Get("/v2/alice/open/manifests/latest").status, 401);
  EXPECT_EQ(CodeOf(site_.Get("/v2/alice/open/manifests/latest", as(bob))), "DENIED");
  EXPECT_EQ(site_.Request("POST", "/alice/open/ask-access", {}, as(bob)).status, 200);
  EXPECT_EQ(site_.Get("/v2/alice/open/manifests/latest", as(bob)).status, 200);
}

TEST(OciImage, QuantisationsAreReadFromNames) {
  EXPECT_EQ(QuantisationOf("dir/model-q4_k_m.gguf"), "Q4_K_M");
  EXPECT_EQ(QuantisationOf("m.IQ2_XS.gguf"), "IQ2_XS");
  EXPECT_EQ(QuantisationOf("bf16.gguf"), "BF16");
  EXPECT_EQ(QuantisationOf("model-query.gguf"), "");
  EXPECT_EQ(QuantisationOf("model-Q8_0.safetensors"), "");
  Listing listing;
  listing["a-00001-of-00002-Q8_0.gguf"] = {};
  listing["mmproj-Q8_0.gguf"] = {};
  EXPECT_EQ(GgufFor(listing, "latest"), "");
  listing["b-Q8_0.gguf"] = {};
  EXPECT_EQ(GgufFor(listing, "q8_0"), "b-Q8_0.gguf");
  EXPECT_EQ(GgufFor(listing, "Q2_K"), "");
  EXPECT_THAT(QuantisationsOf(listing), ElementsAre("Q8_0"));
}

}  // namespace
}  // namespace jikji::hub
