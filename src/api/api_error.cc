#include "api/api_error.h"

#include "api/json_text.h"

namespace jikji {
namespace {

// Seconds: about the time in which a queue of short answers moves on.
constexpr int kRetryAfterSeconds = 1;

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
    case ErrorCode::kMalformed:
    case ErrorCode::kUnsupported:
      return 400;
    case ErrorCode::kUnauthenticated:
      return 401;
    case ErrorCode::kPermissionDenied:
      return 403;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kResourceExhausted:
      return 429;
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled:
      return 503;
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

const char* TypeOf(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 429:
      return "rate_limit_error";
    case 503:
      return "unavailable_error";
    default:
      return status >= 500 ? "server_error" : "invalid_request_error";
  }
}

}  // namespace

ApiError::ApiError(const Error& error)
    : status(StatusOf(error.code)), type(TypeOf(status)), message(error.message) {
  if (!error.where.empty() && status < 500) param = error.where;
  if (status == 429 || status == 503) retry_after = kRetryAfterSeconds;
}

ApiError::ApiError(const Refusal& refusal) : ApiError(static_cast<const Error&>(refusal)) {
  if (refusal.reason.empty()) return;
  code = refusal.reason;
  retry_after = refusal.retry_after;
  if (status == 429 && refusal.reason != "rate_limit_exceeded") type = "insufficient_quota";
}

std::string ApiError::ToJson() const {
  const auto append = [](const std::optional<std::string>& text, std::string& out) {
    if (text) {
      AppendJsonString(*text, out);
    } else {
      out += "null";
    }
  };
  std::string out = R"({"error":{"message":)";
  AppendJsonString(message, out);
  out += R"(,"type":)";
  AppendJsonString(type, out);
  out += R"(,"param":)";
  append(param, out);
  out += R"(,"code":)";
  append(code, out);
  out += "}}";
  return out;
}

std::unexpected<ApiError> BadField(std::string_view param, std::string message,
                                   std::optional<std::string> code) {
  ApiError error;
  error.message = std::move(message);
  error.param = std::string(param);
  error.code = std::move(code);
  return std::unexpected(std::move(error));
}

ApiError ErrorOfStatus(int status, std::string_view message) {
  ApiError error;
  error.status = status;
  error.type = TypeOf(status);
  error.message = std::string(message);
  if (status == 429 || status == 503) error.retry_after = kRetryAfterSeconds;
  return error;
}

}  // namespace jikji
