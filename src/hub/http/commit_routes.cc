#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "hub/blobs.h"
#include "hub/card.h"
#include "hub/gate.h"
#include "hub/http/routes.h"
#include "hub/names.h"

namespace jikji::hub {
namespace json = boost::json;

namespace {

// Files over this, and all that are no text, are sent by themselves and not in the commit.
constexpr int64_t kMaxRegularBytes = 1 << 20;
constexpr size_t kMaxChanges = 25'000;
// Pages show the one whole, and keep both.
constexpr size_t kMaxTitle = 4u << 10;
constexpr size_t kMaxMessage = 64u << 10;

HttpError RefusedFile(const Refusal& refusal) {
  return {422, "RefusedFile", refusal.english, refusal.korean};
}

bool IsText(std::string_view sample) {
  return sample.find('\0') == std::string_view::npos &&
         IsValidUtf8(sample.substr(0, sample.size() - IncompleteUtf8Suffix(sample)));
}

HttpResult<std::string> TextIn(const json::object& object, std::string_view key) {
  JIKJI_ASSIGN(auto text, OptionalString(object, key));
  if (text) return *std::move(text);
  return std::unexpected(BadRequest("`" + std::string(key) + "` is missing",
                                    "`" + std::string(key) + "`이(가) 없습니다"));
}

// A small file: its bytes are in the commit. `stored`: what came in with this commit already.
HttpResult<Change> PutSmall(Call& call, const json::object& value, std::set<Digest>& stored) {
  JIKJI_ASSIGN(const std::string path, TextIn(value, "path"));
  JIKJI_ASSIGN(std::string content, TextIn(value, "content"));
  JIKJI_ASSIGN(const auto encoding, OptionalString(value, "encoding"));
  if (encoding == "base64") {
    JIKJI_ASSIGN(content, ParseBase64(content));
  } else if (encoding && encoding != "utf-8") {
    return std::unexpected(
        BadRequest("`encoding` is base64 or utf-8", "`encoding`은 base64이거나 utf-8입니다"));
  }
  if (const auto refused = CheckContent(path, std::as_bytes(std::span(content)))) {
    return std::unexpected(RefusedFile(*refused));
  }
  const File file = SmallFile(content);
  if (stored.insert(file.digest).second) {
    JIKJI_ASSIGN(BlobWriter writer, call.hub.blobs().Begin());
    JIKJI_RETURN_IF_ERROR(writer.Write(content));
    JIKJI_ASSIGN(const Digest digest, writer.Seal());
    JIKJI_RETURN_IF_ERROR(
        PublishBlob(call.database, writer, digest, std::string(OwnerOf(call.repository->name))));
  }
  return Change{Change::Kind::kPut, path, file};
}

// A large file: its bytes came before.
HttpResult<Change> PutLarge(Call& call, const json::object& value) {
  JIKJI_ASSIGN(const std::string path, TextIn(value, "path"));
  JIKJI_ASSIGN(const std::string oid, TextIn(value, "oid"));
  JIKJI_ASSIGN(const Digest digest, ParseDigest(oid));
  JIKJI_ASSIGN(const SqlRows rows,
               call.database.Run("SELECT size FROM blobs WHERE digest = $1", {oid}));
  const auto size = static_cast<uint64_t>(rows.Int(0, 0));
  JIKJI_ASSIGN(const bool has,
               HasBlob(call.database, digest, size, std::string(OwnerOf(call.repository->name))));
  if (!has) {
    return std::unexpected(BadRequest("the bytes of `" + path + "` were not uploaded",
                                      "`" + path + "`의 내용이 업로드되지 않았습니다"));
  }
  JIKJI_ASSIGN(const auto told, OptionalInt(value, "size"));
  if (told && static_cast<uint64_t>(*told) != size) {
    return std::unexpected(BadRequest("`" + path + "` has another `size` than its `oid`",
                                      "`" + path + "`의 `size`가 `oid`의 크기와 다릅니다"));
  }
  JIKJI_ASSIGN(const MappedFile mapped, call.hub.blobs().Map(digest));
  if (const auto refused = CheckContent(path, mapped.bytes())) {
    return std::unexpected(RefusedFile(*refused));
  }
  return Change{Change::Kind::kPut, path, LargeFile(digest, size)};
}

HttpResult<std::monostate> ReadLine(Call& call, std::string_view line, std::set<Digest>& stored,
                                    CommitRequest& commit) {
  JIKJI_ASSIGN(const json::value parsed, ParseJson(line));
  if (!parsed.is_object()) {
    return std::unexpected(BadRequest("a line of a commit is an object with `key` and `value`",
                                      "커밋의 각 줄은 `key`와 `value`가 있는 객체여야 합니다"));
  }
  JIKJI_ASSIGN(const std::string key, TextIn(parsed.as_object(), "key"));
  JIKJI_ASSIGN(const json::object* found, OptionalObject(parsed.as_object(), "value"));
  const json::object value = found == nullptr ? json::object() : *found;
  if (key == "header") {
    JIKJI_ASSIGN(const auto summary, OptionalString(value, "summary"));
    JIKJI_ASSIGN(const auto description, OptionalString(value, "description"));
    JIKJI_ASSIGN(const auto parent, OptionalString(value, "parentCommit"));
    commit.title = summary.value_or("");
    commit.message = description.value_or("");
    commit.parent = parent.value_or("");
  } else if (key == "file") {
    JIKJI_ASSIGN(Change change, PutSmall(call, value, stored));
    commit.changes.push_back(std::move(change));
  } else if (key == "lfsFile") {
    JIKJI_ASSIGN(Change change, PutLarge(call, value));
    commit.changes.push_back(std::move(change));
  } else if (key == "deletedFile" || key == "deletedFolder") {
    JIKJI_ASSIGN(std::string path, TextIn(value, "path"));
    commit.changes.push_back(
        {key == "deletedFile" ? Change::Kind::kDeleteFile : Change::Kind::kDeleteFolder,
         std::move(path),
         {}});
  } else {
    return std::unexpected(BadRequest("`" + key + "` is no operation of a commit",
                                      "`" + key + "`은(는) 커밋 연산이 아닙니다"));
  }
  if (commit.changes.size() > kMaxChanges) {
    return std::unexpected(BadRequest("a commit changes at most 25,000 files",
                                      "한 커밋은 파일을 25,000개까지 바꿀 수 있습니다"));
  }
  return {};
}

json::array MessagesOf(const std::vector<CardProblem>& problems) {
  json::array out;
  for (const CardProblem& problem : problems) {
    out.push_back(json::object{{"message", problem.english + " / " + problem.korean}});
  }
  return out;
}

}  // namespace

// Clients refuse to commit where this answers 400.
HttpResult<net::Response> ValidateYaml(Call& call) {
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const auto content, OptionalString(body, "content"));
  const CardReport report = CheckCard(content.value_or(""));
  return JsonResponse(json::object{{"errors", MessagesOf(report.errors)},
                                   {"warnings", MessagesOf(report.warnings)}},
                      report.errors.empty() ? 200 : 400);
}

HttpResult<net::Response> Preupload(Call& call) {
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  std::string_view revision = call.rest;
  JIKJI_ASSIGN(const Commit commit, TakeRevision(call, revision));
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, commit.tree));
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const json::array* files, OptionalArray(body, "files"));
  JIKJI_ASSIGN(const std::set<Digest> damaged, DamagedBlobs(call.database));
  json::array out;
  for (const json::value& file : files == nullptr ? json::array() : *files) {
    if (!file.is_object()) continue;
    JIKJI_ASSIGN(const std::string path, TextIn(file.as_object(), "path"));
    JIKJI_ASSIGN(const auto size, OptionalInt(file.as_object(), "size"));
    JIKJI_ASSIGN(const auto encoded, OptionalString(file.as_object(), "sample"));
    JIKJI_ASSIGN(const std::string sample, ParseBase64(encoded.value_or("")));
    // Said before the bytes are sent for nothing.
    if (const auto refused =
            CheckBeforeUpload(path, static_cast<uint64_t>(size.value_or(0)), sample)) {
      return std::unexpected(RefusedFile(*refused));
    }
    const FileKind kind = *KindOfFile(path);
    const bool large = size.value_or(0) > kMaxRegularBytes || !IsText(sample) ||
                       kind == FileKind::kWeights || kind == FileKind::kImage ||
                       kind == FileKind::kData;
    json::object answer{
        {"path", path}, {"uploadMode", large ? "lfs" : "regular"}, {"shouldIgnore", false}};
    const auto held = listing->find(path);
    if (held == listing->end() || damaged.contains(held->second.digest)) {
      answer["oid"] = nullptr;  // send it
    } else {
      answer["oid"] = held->second.large ? HexOf(held->second.digest) : held->second.oid;
    }
    out.push_back(std::move(answer));
  }
  return JsonResponse(json::object{{"files", std::move(out)}});
}

HttpResult<net::Response> PostCommit(Call& call) {
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  if (FieldOf(ParseForm(call.request.query), "create_pr") == "1") {
    return std::unexpected(HttpError(501, "", "pull requests are not there: commit to a branch",
                                     "풀 리퀘스트는 없습니다. 브랜치에 커밋하세요"));
  }
  CommitRequest commit;
  commit.repository = call.repository->id;
  commit.owner = OwnerOf(call.repository->name);
  commit.branch = call.rest.starts_with("refs/heads/") ? call.rest.substr(11) : call.rest;
  commit.author = call.account.name;
  std::string_view body = call.request.body;
  std::set<Digest> stored;
  while (!body.empty()) {
    const size_t end = std::min(body.find('\n'), body.size());
    const std::string_view line = body.substr(0, end);
    body.remove_prefix(std::min(end + 1, body.size()));
    if (line.empty()) continue;
    JIKJI_ASSIGN(std::ignore, ReadLine(call, line, stored, commit));
  }
  if (commit.title.size() > kMaxTitle || commit.message.size() > kMaxMessage) {
    return std::unexpected(BadRequest("a `summary` has at most 4 KiB and a `description` 64 KiB",
                                      "`summary`는 4 KiB, `description`은 64 KiB까지입니다"));
  }
  if (commit.title.empty()) {
    return std::unexpected(
        BadRequest("a commit needs a `summary`", "커밋에는 `summary`가 필요합니다"));
  }
  auto done = CommitTo(call.hub, call.database, commit);
  if (!done && done.error().code == ErrorCode::kNotFound &&
      done.error().message == "there is no such branch") {
    return std::unexpected(RevisionNotFound(commit.branch));
  }
  if (!done) return std::unexpected(HttpError(done.error()));
  if (done->status == CommitOutcome::Status::kLost) {
    return std::unexpected(HttpError(
        412, "", "the branch has moved to " + done->oid + ": put your changes on it and push again",
        "브랜치가 " + done->oid + "로 옮겨졌습니다. 그 위에 다시 커밋하세요"));
  }
  call.deed = Deed{
      "hub_commit.made", call.repository->name, {{"branch", commit.branch}, {"commit", done->oid}}};
  const std::string prefix =
      call.repository->kind == "model" ? "/" : "/" + call.repository->kind + "s/";
  return JsonResponse(json::object{
      {"success", true},
      {"commitUrl", call.base_url + prefix + call.repository->name + "/commit/" + done->oid},
      {"commitOid", done->oid},
      {"hookOutput", ""}});
}

}  // namespace jikji::hub
