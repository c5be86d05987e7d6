// GET and HEAD of a file at a revision: what every client reads from, with the headers that each
// of them insists on (docs/hub.md lists them).
#include <fmt/format.h>

#include "hub/gate.h"
#include "hub/http/files.h"
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
  // In an <img> it runs nothing, and opened by itself ServeFile's policy keeps it in a sandbox.
  if (path.ends_with(".svg")) return "image/svg+xml";
  return "text/plain; charset=utf-8";
}

std::string Disposition(std::string_view path) {
  const size_t slash = path.rfind('/');
  const std::string name =
      UrlEscape(slash == std::string_view::npos ? path : path.substr(slash + 1));
  return fmt::format("inline; filename*=UTF-8''{}; filename=\"{}\"", name, name);
}

}  // namespace

HttpResult<net::Response> ResolveFile(Call& call) {
  JIKJI_ASSIGN(const NamedFile named, FileNamed(call));
  const File& file = named.file;
  net::Response response;
  response.content_type = ContentType(named.path);
  response.headers.emplace_back("X-Repo-Commit", named.commit);
  response.headers.emplace_back("Content-Disposition", Disposition(named.path));
  const std::string etag = fmt::format("\"{}\"", file.large ? HexOf(file.digest) : file.oid);
  if (file.large) {
    response.headers.emplace_back("X-Linked-Etag", etag);
    response.headers.emplace_back("X-Linked-Size", std::to_string(file.size));
  }
  return ServeFile(call, std::move(response), file, etag);
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
  return ServeFile(call, std::move(response), LargeFile(url.digest, url.size),
                   "\"" + HexOf(url.digest) + "\"");
}

}  // namespace jikji::hub
