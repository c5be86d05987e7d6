#include "hub/http/files.h"

#include <fmt/format.h>

#include <memory>

#include "base/file.h"
#include "base/log.h"
#include "hub/http/range.h"

namespace jikji::hub {
namespace {

// True where a list of entity tags holds this one, or is `*`.
bool Holds(std::string_view list, const std::string& etag) {
  return list == "*" || list.find(etag) != std::string_view::npos;
}

}  // namespace

HttpResult<NamedFile> FileNamed(Call& call) {
  std::string_view path = call.rest;
  JIKJI_ASSIGN(const Commit commit, TakeRevision(call, path));
  JIKJI_ASSIGN(std::ignore, MustRead(call));
  JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, commit.tree));
  const auto found = listing->find(path);
  if (found == listing->end()) return std::unexpected(EntryNotFound(path, commit.oid));
  return NamedFile{commit.oid, found->first, found->second};
}

HttpResult<net::Response> ServeFile(Call& call, net::Response response, const File& file,
                                    const std::string& etag) {
  response.headers.emplace_back("ETag", etag);
  response.headers.emplace_back("Accept-Ranges", "bytes");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'none'; style-src 'unsafe-inline'; sandbox");
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
    const auto blob = call.hub.blobs().OpenBlob(file.digest);
    if (!blob || blob->size() != file.size) {
      // The log tells where it lies; whoever asked need not know.
      if (!blob) Log(LogLevel::kError, blob.error().ToString());
      return std::unexpected(
          HttpError(Error{ErrorCode::kIo, "the stored file is damaged: `jikji hub fsck` tells more",
                          HexOf(file.digest)}));
    }
    part.file = blob->source();
    if (part.length > 0 && part.file->descriptor() < 0) {
      // What is damaged is found here, while the answer can still say so.
      char first;
      JIKJI_RETURN_IF_ERROR(blob->Read(part.offset, {&first, 1}));
    }
  }
  response.file = std::move(part);
  return response;
}

}  // namespace jikji::hub
