// GET and HEAD of a file at a revision: what every client reads from, with the headers that each
// of them insists on (docs/hub.md lists them).
#include <fmt/format.h>

#include <charconv>
#include <memory>
#include <optional>

#include "base/file.h"
#include "hub/gate.h"
#include "hub/http/range.h"
#include "hub/http/routes.h"
#include "hub/http/signed_url.h"

namespace jikji::hub {
namespace {

// Never a type that a browser would run: what is uploaded shares the origin of the hub's pages.
std::string ContentType(std::string_view path) {
  const auto kind = KindOfFile(path);
  if (!kind || *kind == FileKind::kWeights || *kind == FileKind::kData) {
    return "application/octet-stream";
  }
  if (*kind == FileKind::kImage) {
    if (path.ends_with(".png")) return "image/png";
    if (path.ends_with(".gif")) return "image/gif";
    return path.ends_with(".webp") ? "image/webp" : "image/jpeg";
  }
  return "text/plain; charset=utf-8";
}

std::string Disposition(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string name =
      UrlEscape(slash == std::string_view::npos ? path : path.substr(slash + 1));
  return fmt::format("inline; filename*=UTF-8''{}; filename=\"{}\"", name, name);
}

// True where a list of entity tags holds this one, or is `*`.
bool Holds(std::string_view list, const std::string& etag) {
  return list == "*" || list.find(etag) != std::string_view::npos;
}

// `response` with the bytes that the request asks for.
HttpResult<net::Response> Serve(Call& call, net::Response response, const File& file,
                                const std::string& etag) {
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Content-Security-Policy", "default-src 'none'; sandbox");
  if (Holds(call.request.Header("If-None-Match"), etag)) {
    response.status = 304;
    return response;
  }
  const std::string_view condition = call.request.Header("If-Range");
  const std::string_view asked =
      condition.empty() || condition == etag ? call.request.Header("Range") : std::string_view();
  const RangeRequest range = ParseRange(asked, file.size);
  if (range.kind == RangeRequest::Kind::kUnsatisfiable) {
    response.status = 416;
    response.headers.emplace_back("Content-Range", fmt::format("bytes */{}", file.size));
    return response;
  }
  net::FilePart part{nullptr, 0, file.size};
  if (range.kind == RangeRequest::Kind::kPart) {
    response.status = 206;
    part.offset = range.begin;
    part.length = range.end - range.begin;
    response.headers.emplace_back(
        "Content-Range", fmt::format("bytes {}-{}/{}", range.begin, range.end - 1, file.size));
  }
  if (call.request.method != "HEAD") {
    JIKJI_ASSIGN(OpenFile opened, call.hub.blobs().OpenBlob(file.digest));
    part.file = std::make_shared<const OpenFile>(std::move(opened));
  }
  response.file = std::move(part);
  return response;
}

}  // namespace

HttpResult<net::Response> ResolveFile(Call& call) {
  std::string_view path = call.rest;
  JIKJI_ASSIGN(const Commit commit, TakeRevision(call, path));
  JIKJI_ASSIGN(std::ignore, MustRead(call));
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, commit.tree));
  const auto found = listing->find(path);
  if (found == listing->end()) return std::unexpected(EntryNotFound(path, commit.oid));
  const File& file = found->second;
  net::Response response;
  response.content_type = ContentType(path);
  response.headers.emplace_back("X-Repo-Commit", commit.oid);
  response.headers.emplace_back("Content-Disposition", Disposition(path));
  const std::string etag = fmt::format("\"{}\"", file.large ? HexOf(file.digest) : file.oid);
  if (file.large) {
    response.headers.emplace_back("X-Linked-Etag", etag);
    response.headers.emplace_back("X-Linked-Size", std::to_string(file.size));
  }
  return Serve(call, std::move(response), file, etag);
}

HttpResult<net::Response> GetObject(Call& call) {
  JIKJI_ASSIGN(const SignedUrl url, ReadSignedUrl(call.request.path, call.request.query,
                                                  call.hub.secret(), NowSeconds()));
  if (url.action != "get") {
    return std::unexpected(
        HttpError(Error{ErrorCode::kPermissionDenied, "the URL is not for reading", ""}));
  }
  net::Response response;
  response.content_type = "application/octet-stream";
  return Serve(call, std::move(response), LargeFile(url.digest, url.size),
               "\"" + HexOf(url.digest) + "\"");
}

}  // namespace jikji::hub
