#include "hub/http/oci_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "hub/http/files.h"
#include "hub/names.h"
#include "hub/oci/image.h"
#include "tensor/gguf.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

constexpr size_t kPageItems = 1000;
constexpr const char* kChallenge = "Basic realm=\"jikji hub\"";

// A caller without a token is asked for one where a repository is not there for it, as registries
// do: so nobody learns which of the two it was.
HttpResult<Repository> See(const Call& call, std::string_view name) {
  auto found = SeeRepository(call, "model", name);
  if (found || !call.account.name.empty()) return found;
  return std::unexpected(NeedsToken());
}

HttpResult<std::monostate> MayPull(const Call& call) {
  auto may = MustRead(call);
  if (may || !call.account.name.empty()) return may;
  return std::unexpected(NeedsToken());
}

std::unexpected<HttpError> Unknown(std::string code, std::string_view what) {
  return std::unexpected(HttpError(404, std::move(code),
                                   "there is no `" + std::string(what) + "` here",
                                   "`" + std::string(what) + "`이(가) 없습니다"));
}

HttpResult<Digest> DigestIn(std::string_view text) {
  constexpr std::string_view kAlgorithm = "sha256:";
  auto digest = ParseDigest(text.substr(std::min(kAlgorithm.size(), text.size())));
  if (text.starts_with(kAlgorithm) && digest) return *digest;
  return std::unexpected(HttpError(400, "DIGEST_INVALID", "a digest is sha256: and 64 digits",
                                   "다이제스트는 sha256: 뒤에 16진수 64자리입니다"));
}

net::Response Document(std::string content, std::string media_type, const std::string& digest) {
  net::Response response;
  response.content_type = std::move(media_type);
  response.headers.emplace_back("Docker-Content-Digest", "sha256:" + digest);
  response.headers.emplace_back("ETag", "\"sha256:" + digest + "\"");
  response.body = std::move(content);
  return response;
}

HttpResult<std::monostate> Keep(const Call& call, const std::string& source,
                                const std::string& media_type, const std::string& content) {
  JIKJI_RETURN_IF_ERROR(call.database.Run(
      "INSERT INTO oci_documents (repository, digest, source, media_type, content) VALUES "
      "($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
      {call.repository->id, HexOf(Sha256Of(content)), source, media_type, content}));
  return std::monostate{};
}

// "llama" of a GGUF file.
std::string FamilyOf(const Call& call, const File& file) {
  const auto mapped = call.hub.blobs().Map(file.digest);
  if (!mapped) return {};
  const auto gguf = ParseGguf(mapped->bytes(), "model.gguf");
  if (!gguf) return {};
  const auto family = gguf->metadata.String("general.architecture");
  return family && *family ? **family : std::string();
}

// A tag is a branch, a tag or a commit; `latest` is `main`; else it names a quantisation on `main`.
HttpResult<Commit> CommitOf(const Call& call, const std::string& tag) {
  auto commit = ResolveRevision(call.database, call.repository->id, tag);
  if (commit) return *std::move(commit);
  if (commit.error().code != ErrorCode::kNotFound) {
    return std::unexpected(HttpError(commit.error()));
  }
  JIKJI_ASSIGN(Commit tip, ResolveRevision(call.database, call.repository->id, "main"));
  if (tag == "latest") return tip;
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, tip.tree));
  if (!GgufFor(*listing, tag).empty()) return tip;
  return Unknown("MANIFEST_UNKNOWN", tag);
}

// Ollama asks for nothing but Docker's manifests; others take OCI's too.
bool WantsOllama(const Call& call) {
  const std::string_view accept = call.request.Header("Accept");
  return accept.find(kDockerManifest) != std::string_view::npos &&
         accept.find(kOciManifest) == std::string_view::npos;
}

HttpResult<net::Response> ManifestOfTag(Call& call, const std::string& tag) {
  JIKJI_ASSIGN(const Commit commit, CommitOf(call, tag));
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, commit.tree));
  std::string gguf;
  if (WantsOllama(call)) {
    gguf = GgufFor(*listing, tag);
    if (gguf.empty()) gguf = GgufFor(*listing, "latest");
    if (gguf.empty()) return Unknown("MANIFEST_UNKNOWN", "*.gguf");
  }
  const std::string source = commit.oid + " " + gguf;
  JIKJI_ASSIGN(const SqlRows kept,
               call.database.Run("SELECT content, media_type, digest FROM oci_documents WHERE "
                                 "repository = $1 AND source = $2",
                                 {call.repository->id, source}));
  if (!kept.empty()) return Document(kept.Text(0, 0), kept.Text(0, 1), kept.Text(0, 2));
  OciImage image = gguf.empty() ? ModelPackImage(*listing, call.repository->name)
                                : OllamaImage(*listing, gguf, FamilyOf(call, listing->at(gguf)));
  JIKJI_ASSIGN(std::ignore, Keep(call, "", image.config_media_type, image.config));
  JIKJI_ASSIGN(std::ignore, Keep(call, source, image.media_type, image.manifest));
  const std::string digest = HexOf(Sha256Of(image.manifest));
  return Document(std::move(image.manifest), std::move(image.media_type), digest);
}

HttpResult<net::Response> Manifest(Call& call, std::string_view reference) {
  if (reference.find(':') == std::string_view::npos) {
    return ManifestOfTag(call, std::string(reference));
  }
  JIKJI_ASSIGN(const Digest digest, DigestIn(reference));
  JIKJI_ASSIGN(const SqlRows rows,
               call.database.Run("SELECT content, media_type FROM oci_documents WHERE repository = "
                                 "$1 AND digest = $2 AND source <> ''",
                                 {call.repository->id, HexOf(digest)}));
  if (rows.empty()) return Unknown("MANIFEST_UNKNOWN", reference);
  return Document(rows.Text(0, 0), rows.Text(0, 1), HexOf(digest));
}

HttpResult<net::Response> Blob(Call& call, std::string_view reference) {
  JIKJI_ASSIGN(const Digest digest, DigestIn(reference));
  const std::string hex = HexOf(digest);
  // A digest alone opens nothing: a commit of this repository must hold it.
  JIKJI_ASSIGN(const SqlRows held,
               call.database.Run("SELECT b.size FROM repository_blobs r JOIN blobs b ON b.digest = "
                                 "r.digest WHERE r.repository = $1 AND r.digest = $2",
                                 {call.repository->id, hex}));
  if (held.empty()) {
    JIKJI_ASSIGN(const SqlRows document,
                 call.database.Run("SELECT content, media_type FROM oci_documents WHERE repository "
                                   "= $1 AND digest = $2 AND source = ''",
                                   {call.repository->id, hex}));
    if (document.empty()) return Unknown("BLOB_UNKNOWN", reference);
    return Document(document.Text(0, 0), document.Text(0, 1), hex);
  }
  net::Response response;
  response.content_type = "application/octet-stream";
  response.headers.emplace_back("Docker-Content-Digest", "sha256:" + hex);
  // Ollama takes an answer without one for a failure.
  response.headers.emplace_back("Location", call.base_url + UrlEscape(call.request.path, true));
  return ServeFile(call, std::move(response),
                   LargeFile(digest, static_cast<uint64_t>(held.Int(0, 0))),
                   "\"sha256:" + hex + "\"");
}

// `names` behind `last`, `n` at a time, as both lists of a registry are paged.
HttpResult<net::Response> Page(const Call& call, std::vector<std::string> names, const char* key,
                               json::object body) {
  const FormFields query = ParseForm(call.request.query);
  const std::string last = FieldOf(query, "last");
  JIKJI_ASSIGN(const size_t limit, NumberOf(query, "n", kPageItems, kPageItems));
  std::erase_if(names, [&](const std::string& name) { return name <= last; });
  json::array page;
  for (size_t i = 0; i < std::min(limit, names.size()); ++i) page.emplace_back(names[i]);
  body[key] = page;
  net::Response response = JsonResponse(body);
  if (!page.empty() && page.size() < names.size()) {
    AddNextLink(call, {{"n", std::to_string(limit)}, {"last", names[page.size() - 1]}}, response);
  }
  return response;
}

// What OCI lets a tag be called: clients refuse the whole list for one that is called otherwise.
bool IsTag(std::string_view name) {
  const auto plain = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && name.size() <= 128 && plain(name[0]) &&
         std::ranges::all_of(name, [&](char c) { return plain(c) || c == '.' || c == '-'; });
}

HttpResult<net::Response> Tags(Call& call) {
  JIKJI_ASSIGN(const std::vector<Ref> refs, ListRefs(call.database, call.repository->id));
  std::set<std::string> tags{"latest"};
  for (const Ref& ref : refs) {
    if (IsTag(ref.name)) tags.insert(ref.name);
  }
  JIKJI_ASSIGN(const Commit tip, ResolveRevision(call.database, call.repository->id, "main"));
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, tip.tree));
  for (std::string& label : QuantisationsOf(*listing)) tags.insert(std::move(label));
  return Page(call, {tags.begin(), tags.end()}, "tags",
              json::object{{"name", call.repository->name}});
}

HttpResult<net::Response> Catalog(Call& call) {
  std::vector<std::string> names;
  std::string after = FieldOf(ParseForm(call.request.query), "last");
  for (;;) {
    JIKJI_ASSIGN(const std::vector<Repository> found,
                 ListRepositories(call.database, "model", "", "", after, kPageItems));
    for (const Repository& repository : found) {
      after = repository.name;
      // In lower case, as a registry's names are, and sorted by it.
      if (MaySee(call.account, repository)) names.push_back(Folded(repository.name));
    }
    if (found.size() < kPageItems || names.size() > kPageItems) break;
  }
  return Page(call, std::move(names), "repositories", {});
}

HttpResult<net::Response> NoReferrers() {
  net::Response response =
      JsonResponse(json::object{{"schemaVersion", 2},
                                {"mediaType", "application/vnd.oci.image.index.v1+json"},
                                {"manifests", json::array()}});
  response.content_type = "application/vnd.oci.image.index.v1+json";
  return response;
}

HttpResult<net::Response> Route(Call& call) {
  std::string_view rest = std::string_view(call.request.path).substr(3);
  if (!rest.empty()) rest.remove_prefix(1);
  if (call.request.method != "GET" && call.request.method != "HEAD") {
    return std::unexpected(HttpError(405, "UNSUPPORTED",
                                     "images are pulled here; publish with `jikji hub push`",
                                     "이미지는 내려받기만 됩니다. `jikji hub push`로 올리세요"));
  }
  if (rest.empty()) {
    net::Response response = JsonResponse(json::object());
    // Who has a token is told that it may be sent; nobody must.
    if (call.account.name.empty()) response.headers.emplace_back("WWW-Authenticate", kChallenge);
    return response;
  }
  if (rest == "_catalog") return Catalog(call);
  const std::string_view owner = TakeSegment(rest);
  const std::string_view name = TakeSegment(rest);
  JIKJI_ASSIGN(call.repository, See(call, std::string(owner) + "/" + std::string(name)));
  const std::string_view verb = TakeSegment(rest);
  if (verb == "tags" && rest == "list") return Tags(call);
  if (verb == "referrers") return NoReferrers();
  JIKJI_ASSIGN(std::ignore, MayPull(call));
  if (verb == "manifests") return Manifest(call, rest);
  if (verb == "blobs") return Blob(call, rest);
  return Unknown("UNSUPPORTED", call.request.path);
}

}  // namespace

bool IsOciPath(std::string_view path) { return path == "/v2" || path.starts_with("/v2/"); }

HttpResult<net::Response> RunOci(Call& call) {
  auto answer = Route(call);
  if (answer) {
    answer->headers.emplace_back("Docker-Distribution-API-Version", "registry/2.0");
  }
  return answer;
}

net::Response OciResponseOf(const HttpError& error) {
  std::string code = error.code;
  if (code == "RepoNotFound") {
    code = "NAME_UNKNOWN";
  } else if (error.status == 401) {
    code = "UNAUTHORIZED";
  } else if (error.status == 403) {
    code = "DENIED";
  } else if (error.status == 503) {
    code = "TOOMANYREQUESTS";
  } else if (code.empty()) {
    code = "UNSUPPORTED";
  }
  net::Response response = JsonResponse(
      json::object{{"errors", json::array{{{"code", code},
                                           {"message", error.english + " / " + error.korean},
                                           {"detail", json::object()}}}}},
      error.status);
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", kChallenge);
  if (error.status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace jikji::hub
