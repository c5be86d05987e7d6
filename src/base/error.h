// Errors as values: `Result<T>` holds a T or an Error that a user can act on.
//
// Contract: library code never aborts and never throws across a module because of its input; it
// returns an Error. Non-goals: stack traces, error chains.
#ifndef JIKJI_BASE_ERROR_H_
#define JIKJI_BASE_ERROR_H_

#include <expected>
#include <string>
#include <utility>

namespace jikji {

enum class ErrorCode {
  kInvalidArgument,    // the caller asked for something that can never be right
  kMalformed,          // a file or message breaks its format
  kUnsupported,        // well formed, but not something this program does
  kNotFound,           // no such file, model, tensor, key
  kUnauthenticated,    // no credential, or a wrong one
  kPermissionDenied,   // a right credential without the right
  kResourceExhausted,  // a limit was reached; later, or with less, it may work
  kUnavailable,        // not now: starting, draining, overloaded
  kCancelled,          // the caller went away
  kIo,                 // the operating system refused
  kInternal,           // a defect of this program
};

// "invalid_argument", "malformed", ...
const char* ErrorCodeName(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;  // one sentence, for the person who can mend it
  std::string where;    // file, file:offset, or the JSON path of a field; may be empty

  // "where: message", or the message alone.
  std::string ToString() const;
};

template <class T = void>
using Result = std::expected<T, Error>;

// `return Fail(ErrorCode::kNotFound, "no tensor `x`", path);`
std::unexpected<Error> Fail(ErrorCode code, std::string message, std::string where = {});

}  // namespace jikji

#define JIKJI_CONCAT_INNER(a, b) a##b
#define JIKJI_CONCAT(a, b) JIKJI_CONCAT_INNER(a, b)

// `JIKJI_ASSIGN(auto file, MappedFile::Open(path));` returns the error, or assigns the value.
#define JIKJI_ASSIGN(target, expression) \
  JIKJI_ASSIGN_INNER(JIKJI_CONCAT(jikji_result_, __LINE__), target, expression)
#define JIKJI_ASSIGN_INNER(result, target, expression)            \
  auto result = (expression);                                     \
  if (!result) return std::unexpected(std::move(result).error()); \
  target = std::move(result).value()

// Returns the error of a Result<void> expression, if it has one.
#define JIKJI_RETURN_IF_ERROR(expression)                      \
  do {                                                         \
    if (auto jikji_status = (expression); !jikji_status)       \
      return std::unexpected(std::move(jikji_status).error()); \
  } while (false)

#endif  // JIKJI_BASE_ERROR_H_
