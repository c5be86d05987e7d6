// git-lfs' batch API and the transfers it leads to: one PUT, or numbered parts and a POST.
#include <fmt/format.h>

#include <filesystem>

#include "base/json.h"
#include "hub/blobs.h"
#include "hub/gate.h"
#include "hub/http/routes.h"
#include "hub/http/signed_url.h"
#include "hub/http/upload.h"
#include "hub/names.h"

namespace jikji::hub {
namespace json = boost::json;

namespace {

constexpr size_t kMaxObjects = 1000;
constexpr std::string_view kLfsType = "application/vnd.git-lfs+json";
// A file over this is sent in parts of this size where the client can: what a broken line costs.
constexpr uint64_t kPartBytes = 512u << 20;

struct Object {
  Digest digest{};
  uint64_t size = 0;
};

HttpResult<Object> ObjectIn(const json::value& value) {
  const auto bad = [] {
    return std::unexpected(BadRequest("an object has `oid`, a SHA-256, and `size`",
                                      "객체에는 SHA-256인 `oid`와 `size`가 있어야 합니다"));
  };
  if (!value.is_object()) return bad();
  JIKJI_ASSIGN(const auto oid, OptionalString(value.as_object(), "oid"));
  JIKJI_ASSIGN(const auto size, OptionalInt(value.as_object(), "size"));
  const auto digest = ParseDigest(oid.value_or(""));
  if (!digest || !size || *size < 0) return bad();
  return Object{*digest, static_cast<uint64_t>(*size)};
}

SignedUrl UrlFor(const Call& call, const Object& object, std::string action) {
  SignedUrl url;
  url.action = std::move(action);
  url.digest = object.digest;
  url.size = object.size;
  url.owner = OwnerOf(call.repository->name);
  url.expires = NowSeconds() + kSignedSeconds;
  return url;
}

HttpResult<json::object> PartActions(const Call& call, const Object& object) {
  SignedUrl url = UrlFor(call, object, "part");
  JIKJI_ASSIGN(url.upload, RandomHex(16));
  json::object header{{"chunk_size", std::to_string(kPartBytes)}};
  for (uint64_t number = 1; url.offset < object.size; ++number) {
    url.length = std::min(kPartBytes, object.size - url.offset);
    header[std::to_string(number)] = FormatSignedUrl(call.base_url, call.hub.secret(), url);
    url.offset += url.length;
  }
  url.action = "complete";
  url.offset = url.length = 0;
  return json::object{{"href", FormatSignedUrl(call.base_url, call.hub.secret(), url)},
                      {"header", std::move(header)}};
}

HttpResult<json::object> UploadActions(const Call& call, const Object& object, bool parts) {
  json::object upload;
  if (parts) {
    JIKJI_ASSIGN(upload, PartActions(call, object));
  } else {
    upload["href"] = FormatSignedUrl(call.base_url, call.hub.secret(), UrlFor(call, object, "put"));
  }
  return json::object{
      {"upload", std::move(upload)},
      {"verify",
       {{"href", call.base_url + "/" + call.repository->name + ".git/info/lfs/objects/verify"}}}};
}

// Only what the repository holds may be fetched through it.
HttpResult<bool> HoldsBlob(const Call& call, const Object& object) {
  JIKJI_ASSIGN(
      const SqlRows rows,
      call.database.Run("SELECT 1 FROM repository_blobs WHERE repository = $1 AND digest = $2",
                        {call.repository->id, HexOf(object.digest)}));
  return !rows.empty();
}

json::object ErrorOf(int code, std::string_view english, std::string_view korean) {
  return {{"code", code}, {"message", fmt::format("{} / {}", english, korean)}};
}

net::Response LfsResponse(const json::value& value) {
  net::Response response = JsonResponse(value);
  response.content_type = kLfsType;
  return response;
}

HttpResult<net::Response> Publish(Call& call, BlobWriter& writer, const SignedUrl& url) {
  JIKJI_ASSIGN(const Digest digest, writer.Seal());
  if (digest != url.digest || writer.size() != url.size) {
    return std::unexpected(
        BadRequest("the bytes that came are not those of the announced SHA-256 and size",
                   "받은 내용이 알려 준 SHA-256, 크기와 다릅니다"));
  }
  JIKJI_RETURN_IF_ERROR(PublishBlob(call.database, writer, digest, url.owner));
  net::Response response = JsonResponse(json::object{});
  response.headers.emplace_back("ETag", "\"" + HexOf(digest) + "\"");
  return response;
}

}  // namespace

HttpResult<net::Response> LfsBatch(Call& call) {
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const auto operation, OptionalString(body, "operation"));
  JIKJI_ASSIGN(const json::array* objects, OptionalArray(body, "objects"));
  JIKJI_ASSIGN(const json::array* transfers, OptionalArray(body, "transfers"));
  const bool upload = operation == "upload";
  if (upload) {
    JIKJI_ASSIGN(std::ignore, MustWrite(call));
  } else {
    JIKJI_ASSIGN(std::ignore, MustRead(call));
  }
  if (objects == nullptr || objects->size() > kMaxObjects) {
    return std::unexpected(BadRequest("`objects` holds 1 to 1,000 objects",
                                      "`objects`에는 객체가 1~1,000개 있어야 합니다"));
  }
  const bool can_part = transfers != nullptr &&
                        std::ranges::find(*transfers, json::value("multipart")) != transfers->end();
  bool parted = false;
  for (const json::value& value : *objects) {
    JIKJI_ASSIGN(const Object object, ObjectIn(value));
    parted |= upload && can_part && object.size > kPartBytes && object.size <= kMaxFileBytes;
  }
  json::array out;
  for (const json::value& value : *objects) {
    JIKJI_ASSIGN(const Object object, ObjectIn(value));
    json::object answer{{"oid", HexOf(object.digest)}, {"size", object.size}};
    if (object.size > kMaxFileBytes) {
      answer["error"] = ErrorOf(422, "over 50 GB: write the weights in shards",
                                "50 GB를 넘습니다. 가중치를 여러 조각으로 나누세요");
    } else if (upload) {
      JIKJI_ASSIGN(const bool has, HasBlob(call.database, object.digest, object.size,
                                           std::string(OwnerOf(call.repository->name))));
      if (!has) {
        JIKJI_ASSIGN(answer["actions"],
                     UploadActions(call, object, parted && object.size > kPartBytes));
      }
    } else {
      JIKJI_ASSIGN(const bool holds, HoldsBlob(call, object));
      if (holds) {
        answer["actions"] =
            json::object{{"download",
                          {{"href", FormatSignedUrl(call.base_url, call.hub.secret(),
                                                    UrlFor(call, object, "get"))}}}};
      } else {
        answer["error"] = ErrorOf(404, "not in this repository", "이 저장소에 없습니다");
      }
    }
    out.push_back(std::move(answer));
  }
  return LfsResponse(json::object{{"transfer", parted ? "multipart" : "basic"},
                                  {"objects", std::move(out)},
                                  {"hash_algo", "sha256"}});
}

HttpResult<net::Response> LfsVerify(Call& call) {
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  JIKJI_ASSIGN(const Object object, ObjectIn(body));
  JIKJI_ASSIGN(const bool has, HasBlob(call.database, object.digest, object.size,
                                       std::string(OwnerOf(call.repository->name))));
  if (has) return LfsResponse(json::object{});
  return std::unexpected(
      HttpError(404, "", "these bytes were not uploaded", "업로드되지 않은 파일입니다"));
}

// PUT of a whole blob or of a part; its bytes are with the sink already.
HttpResult<net::Response> LfsUpload(Call& call) {
  std::shared_ptr<Upload> upload = std::dynamic_pointer_cast<Upload>(call.request.sink);
  if (upload == nullptr) upload = Upload::Begin(call.hub, call.request);  // no byte: an empty blob
  if (upload->error()) return std::unexpected(HttpError(*upload->error()));
  if (upload->url().action == "put") return Publish(call, upload->writer(), upload->url());
  JIKJI_RETURN_IF_ERROR(upload->FinishPart());
  net::Response response = JsonResponse(json::object{});
  // Clients want one and give it back with POST, where it says nothing: the whole is hashed.
  response.headers.emplace_back("ETag", fmt::format("\"{}\"", upload->url().offset));
  return response;
}

// POST once all parts are there. The whole is hashed: what parts claim of themselves counts for
// nothing.
HttpResult<net::Response> LfsComplete(Call& call) {
  JIKJI_ASSIGN(const SignedUrl url, ReadSignedUrl(call.request.path, call.request.query,
                                                  call.hub.secret(), NowSeconds()));
  if (url.action != "complete") {
    return std::unexpected(HttpError(
        Error{ErrorCode::kPermissionDenied, "the URL is not for completing an upload", ""}));
  }
  JIKJI_ASSIGN(BlobWriter writer,
               call.hub.blobs().Adopt(call.hub.blobs().PartialPath("parts-" + url.upload)));
  return Publish(call, writer, url);
}

}  // namespace jikji::hub
