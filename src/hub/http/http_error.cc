#include "hub/http/http_error.h"

#include <algorithm>
#include <boost/json.hpp>

namespace jikji::hub {
namespace {

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kMalformed:
    case ErrorCode::kUnsupported:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kResourceExhausted:
      return 507;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kCancelled:
      return 499;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

// By kind; details are in English, as in the errors of commands.
std::string_view KoreanKind(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "요청이 올바르지 않습니다";
    case ErrorCode::kMalformed:
      return "형식에 맞지 않습니다";
    case ErrorCode::kUnsupported:
      return "지원하지 않는 요청입니다";
    case ErrorCode::kNotFound:
      return "찾을 수 없습니다";
    case ErrorCode::kUnauthenticated:
      return "토큰이 없거나 틀렸습니다";
    case ErrorCode::kPermissionDenied:
      return "권한이 없습니다";
    case ErrorCode::kResourceExhausted:
      return "저장 한도를 넘었거나 디스크가 가득 찼습니다";
    case ErrorCode::kUnavailable:
      return "지금은 처리할 수 없으니 나중에 다시 시도하세요";
    default:
      return "서버 오류입니다";
  }
}

// Header fields are ASCII.
std::string Ascii(std::string_view text) {
  std::string out;
  for (const char c : text) out += c >= 0x20 && c < 0x7F ? c : '?';
  return out;
}

}  // namespace

HttpError::HttpError(const Error& error)
    : status(StatusOf(error.code)),
      code(error.code == ErrorCode::kUnauthenticated ? "InvalidToken" : ""),
      english(error.ToString()),
      korean(KoreanKind(error.code)) {}

HttpError RepositoryNotFound(std::string_view name) {
  return {404, "RepoNotFound", "there is no repository `" + std::string(name) + "` here for you",
          "저장소 `" + std::string(name) + "`이(가) 없거나 볼 권한이 없습니다"};
}

HttpError RevisionNotFound(std::string_view revision) {
  return {404, "RevisionNotFound", "there is no revision `" + std::string(revision) + "`",
          "리비전 `" + std::string(revision) + "`이(가) 없습니다"};
}

HttpError EntryNotFound(std::string_view path, const std::string& commit) {
  HttpError error{404, "EntryNotFound", "there is no file `" + std::string(path) + "`",
                  "파일 `" + std::string(path) + "`이(가) 없습니다"};
  error.commit = commit;
  return error;
}

HttpError Gated(std::string_view name) {
  return {
      403, "GatedRepo",
      "access to `" + std::string(name) + "` is restricted: ask for it on its page",
      "`" + std::string(name) + "`은(는) 승인이 필요한 저장소입니다. 모델 페이지에서 요청하세요"};
}

HttpError NeedsToken() {
  return {401, "", "this needs a token: `Authorization: Bearer hf_...`",
          "토큰이 필요합니다: `Authorization: Bearer hf_...`"};
}

HttpError MayNotWrite(std::string_view name) {
  return {403, "", "your token may not write to `" + std::string(name) + "`",
          "이 토큰에는 `" + std::string(name) + "`에 쓸 권한이 없습니다"};
}

HttpError BadRequest(std::string english, std::string korean) {
  return {400, "", std::move(english), std::move(korean)};
}

net::Response ResponseOf(const HttpError& error) {
  net::Response response;
  response.status = error.status;
  if (!error.code.empty()) response.headers.emplace_back("X-Error-Code", error.code);
  response.headers.emplace_back("X-Error-Message", Ascii(error.english));
  if (!error.commit.empty()) response.headers.emplace_back("X-Repo-Commit", error.commit);
  if (error.status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (error.status == 503) response.headers.emplace_back("Retry-After", "1");
  response.body = boost::json::serialize(boost::json::object{
      {"error", error.english + " / " + error.korean}, {"error_ko", error.korean}});
  return response;
}

}  // namespace jikji::hub
