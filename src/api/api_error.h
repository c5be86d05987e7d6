// An error as a client of the API sees it: a status and `{"error":{message,type,param,code}}`.
#ifndef JIKJI_API_API_ERROR_H_
#define JIKJI_API_API_ERROR_H_

#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/ticket.h"

namespace jikji {

struct ApiError {
  ApiError() = default;
  // The status and type that stand for the code; `where` becomes `param`. Implicit, so that
  // JIKJI_ASSIGN turns what lower floors return into this.
  ApiError(const Error& error);  // NOLINT(google-explicit-constructor)
  // What a policy refused: its reason becomes `code`. Money that is used up is of the type
  // `insufficient_quota` and names no time to come back, as OpenAI's clients know it.
  ApiError(const Refusal& refusal);  // NOLINT(google-explicit-constructor)

  int status = 400;
  std::string type = "invalid_request_error";
  std::string message;
  std::optional<std::string> param;
  std::optional<std::string> code;
  std::optional<int64_t> retry_after;  // seconds, for the Retry-After header

  // One line of JSON; all four keys are always there.
  std::string ToJson() const;
};

template <class T = void>
using ApiResult = std::expected<T, ApiError>;

// A 400 about one field.
std::unexpected<ApiError> BadField(std::string_view param, std::string message,
                                   std::optional<std::string> code = {});

// The error of a bare status, for what is not about a field: 404, 405, 413, ...
ApiError ErrorOfStatus(int status, std::string_view message);

}  // namespace jikji

#endif  // JIKJI_API_API_ERROR_H_
