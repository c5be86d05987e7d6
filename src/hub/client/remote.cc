#include "hub/client/remote.h"

#include <fmt/format.h>

#include "base/json.h"
#include "hub/http/call.h"
#include "hub/names.h"
#include "store/digest.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

constexpr size_t kMaxAnswer = 256u << 20;
constexpr int kMaxRedirects = 5;

ErrorCode CodeOf(int status) {
  switch (status) {
    case 401:
      return ErrorCode::kUnauthenticated;
    case 403:
      return ErrorCode::kPermissionDenied;
    case 404:
      return ErrorCode::kNotFound;
    case 429:
    case 503:
      return ErrorCode::kUnavailable;
    case 507:
      return ErrorCode::kResourceExhausted;
    default:
      return status >= 500 ? ErrorCode::kUnavailable : ErrorCode::kInvalidArgument;
  }
}

// The hub's own words, where it has any.
std::unexpected<Error> Refused(const net::Response& response, const std::string& url) {
  std::string message = fmt::format("the hub answered {}", response.status);
  if (const auto body = ParseJson(response.body); body && body->is_object()) {
    if (const json::value* error = body->as_object().if_contains("error");
        error != nullptr && error->is_string()) {
      message = error->as_string();
    }
  }
  return Fail(CodeOf(response.status), std::move(message), url);
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// `https://host:port` of a URL.
std::string_view OriginOf(std::string_view url) {
  const size_t host = url.find("://");
  return host == std::string_view::npos ? url : url.substr(0, url.find('/', host + 3));
}

// Where a redirect leads. Never from TLS to none.
Result<std::string> LocationOf(const net::Response& response, const std::string& url) {
  for (const auto& [name, value] : response.headers) {
    if (Folded(name) != "location") continue;
    if (value.starts_with("/") && !value.starts_with("//")) {
      return std::string(OriginOf(url)) + value;
    }
    if (value.starts_with("https://")) return value;
    if (value.starts_with("http://") && url.starts_with("http://")) return value;
  }
  return Fail(ErrorCode::kMalformed, "the hub sends its files from where nobody may follow", url);
}

// The address of the next page.
std::string NextOf(const net::Response& response) {
  for (const auto& [name, value] : response.headers) {
    if (Folded(name) != "link" || value.find("rel=\"next\"") == std::string::npos) continue;
    const size_t begin = value.find('<');
    const size_t end = value.find('>');
    if (begin != std::string::npos && end != std::string::npos && begin < end) {
      return value.substr(begin + 1, end - begin - 1);
    }
  }
  return {};
}

Result<RemoteFile> FileOf(const json::object& entry) {
  RemoteFile file;
  JIKJI_ASSIGN(const auto path, OptionalString(entry, "path"));
  JIKJI_ASSIGN(const auto size, OptionalInt(entry, "size"));
  JIKJI_ASSIGN(const auto oid, OptionalString(entry, "oid"));
  JIKJI_ASSIGN(const json::object* lfs, OptionalObject(entry, "lfs"));
  file.path = path.value_or("");
  file.size = static_cast<uint64_t>(std::max<int64_t>(size.value_or(0), 0));
  file.etag = oid.value_or("");
  file.large = lfs != nullptr;
  if (lfs != nullptr) {
    JIKJI_ASSIGN(const auto digest, OptionalString(*lfs, "oid"));
    file.etag = digest.value_or("");
  }
  // They become names of files on this machine.
  JIKJI_RETURN_IF_ERROR(CheckFilePath(file.path));
  if (IsHex(file.etag, file.large ? 64 : 40)) return file;
  return Fail(ErrorCode::kMalformed, "the hub names a file by something that is no digest",
              file.path);
}

}  // namespace

net::ClientRequest Remote::Request(const std::string& method, const std::string& url) const {
  net::ClientRequest request;
  request.method = method;
  request.url = url;
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  return request;
}

Result<net::Response> Remote::Fetch(const net::ClientRequest& request) {
  net::ClientOptions options;
  options.max_body_bytes = kMaxAnswer;
  options.pool = &pool_;
  return net::Fetch(request, options);
}

Result<json::value> Remote::Call(const std::string& method, const std::string& path,
                                 const std::string& body, const std::string& content_type,
                                 bool absent_is_null) {
  net::ClientRequest request = Request(method, url_ + path);
  if (!content_type.empty()) request.headers.emplace_back("Content-Type", content_type);
  request.body = body;
  JIKJI_ASSIGN(const net::Response response, Fetch(request));
  if (response.status == 404 && absent_is_null) return json::value(nullptr);
  if (response.status / 100 != 2) return Refused(response, request.url);
  return ParseJson(response.body, request.url);
}

Result<int> Remote::Post(const std::string& path, const json::value& body, int also_fine) {
  net::ClientRequest request = Request("POST", url_ + path);
  request.headers.emplace_back("Content-Type", "application/json");
  request.body = json::serialize(body);
  JIKJI_ASSIGN(const net::Response response, Fetch(request));
  if (response.status / 100 == 2 || response.status == also_fine) return response.status;
  return Refused(response, request.url);
}

Result<> Remote::Put(const std::string& url, const net::FilePart& part) {
  net::ClientRequest request;  // without a token: the URL is enough, and may lead elsewhere
  request.method = "PUT";
  request.url = url;
  request.file = part;
  JIKJI_ASSIGN(const net::Response response, net::Fetch(request));
  if (response.status / 100 == 2) return {};
  return Refused(response, url_);
}

Result<std::string> Remote::Commit(const std::string& repository, const std::string& revision) {
  JIKJI_ASSIGN(
      const json::value info,
      Call("GET", "/api/models/" + repository + "/revision/" + UrlEscape(revision), "", ""));
  const json::value* sha = info.is_object() ? info.as_object().if_contains("sha") : nullptr;
  if (sha != nullptr && sha->is_string() && IsHex(sha->as_string(), 40)) {
    return std::string(sha->as_string());
  }
  return Fail(ErrorCode::kMalformed, "the hub tells of no commit", repository);
}

Result<> Remote::ForEach(std::string url,
                         const std::function<Result<>(const json::object&)>& visit) {
  while (!url.empty()) {
    JIKJI_ASSIGN(const net::Response response, Fetch(Request("GET", url)));
    if (response.status / 100 != 2) return Refused(response, url);
    JIKJI_ASSIGN(const json::value page, ParseJson(response.body, url));
    if (!page.is_array()) return Fail(ErrorCode::kMalformed, "a page of it is a list", url);
    for (const json::value& entry : page.as_array()) {
      if (entry.is_object()) JIKJI_RETURN_IF_ERROR(visit(entry.as_object()));
    }
    url = NextOf(response);
    if (!url.empty() && !url.starts_with(url_ + "/")) {
      return Fail(ErrorCode::kMalformed, "the next page is at another hub", url);
    }
  }
  return {};
}

Result<std::vector<RemoteFile>> Remote::Files(const std::string& repository,
                                              const std::string& commit) {
  std::vector<RemoteFile> files;
  JIKJI_RETURN_IF_ERROR(
      ForEach(url_ + "/api/models/" + repository + "/tree/" + commit + "?recursive=true",
              [&](const json::object& entry) -> Result<> {
                const json::value* type = entry.if_contains("type");
                if (!entry.contains("path") || type == nullptr || *type != json::value("file")) {
                  return {};
                }
                JIKJI_ASSIGN(RemoteFile file, FileOf(entry));
                files.push_back(std::move(file));
                return {};
              }));
  return files;
}

Result<std::vector<std::string>> Remote::Models(const std::string& owner) {
  std::vector<std::string> names;
  const std::string author = owner.empty() ? "" : "&author=" + UrlEscape(owner);
  JIKJI_RETURN_IF_ERROR(
      ForEach(url_ + "/api/models?limit=1000" + author, [&](const json::object& entry) -> Result<> {
        JIKJI_ASSIGN(auto name, OptionalString(entry, "id"));
        if (name) names.push_back(*std::move(name));
        return {};
      }));
  return names;
}

Result<std::optional<PieceList>> Remote::Pieces(const std::string& repository,
                                                const std::string& commit,
                                                const std::string& path) {
  JIKJI_ASSIGN(
      const json::value answer,
      Call("GET", "/api/models/" + repository + "/pieces/" + commit + "/" + UrlEscape(path, true),
           "", "", /*absent_is_null=*/true));
  if (!answer.is_object()) return std::nullopt;
  PieceList list;
  JIKJI_ASSIGN(const auto bytes, OptionalInt(answer.as_object(), "piece_bytes"));
  JIKJI_ASSIGN(const json::array* digests, OptionalArray(answer.as_object(), "sha256"));
  list.piece_bytes = static_cast<uint64_t>(std::max<int64_t>(bytes.value_or(0), 0));
  for (const json::value& digest : digests == nullptr ? json::array() : *digests) {
    if (!digest.is_string() || !IsHex(digest.as_string(), 64)) return std::nullopt;
    list.sha256.emplace_back(digest.as_string());
  }
  if (list.piece_bytes == 0) return std::nullopt;
  return list;
}

Result<net::BodyReader> Remote::Read(const std::string& repository, const std::string& commit,
                                     const std::string& path, uint64_t begin, uint64_t end) {
  net::ClientRequest request =
      Request("GET", url_ + "/" + repository + "/resolve/" + commit + "/" + UrlEscape(path, true));
  request.headers.emplace_back("Range", fmt::format("bytes={}-{}", begin, end - 1));
  net::ClientOptions options;
  options.pool = &pool_;
  JIKJI_ASSIGN(net::BodyReader body, net::BodyReader::Open(request, options));
  for (int hops = 0; hops < kMaxRedirects && IsRedirect(body.response().status); ++hops) {
    JIKJI_ASSIGN(request.url, LocationOf(body.response(), request.url));
    // Another host has a right of its own in its URL, and no business with our token.
    if (OriginOf(request.url) != OriginOf(url_)) {
      std::erase_if(request.headers,
                    [](const auto& header) { return header.first == "Authorization"; });
    }
    JIKJI_ASSIGN(body, net::BodyReader::Open(request, options));
  }
  if (body.response().status / 100 != 2) return Refused(body.response(), request.url);
  if (body.response().status == 206 && body.left() == end - begin) return body;
  return Fail(ErrorCode::kMalformed, "the hub did not answer with the part that was asked for",
              request.url);
}

}  // namespace jikji::hub
