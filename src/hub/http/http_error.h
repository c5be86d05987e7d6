// What a hub tells a client that went wrong: a status, the code that Hugging Face's client knows it
// by, and a sentence in English and in Korean.
#ifndef JIKJI_HUB_HTTP_HTTP_ERROR_H_
#define JIKJI_HUB_HTTP_HTTP_ERROR_H_

#include <expected>
#include <string>
#include <string_view>

#include "base/error.h"
#include "net/http.h"

namespace jikji::hub {

struct HttpError {
  HttpError(int status, std::string code, std::string english, std::string korean)
      : status(status),
        code(std::move(code)),
        english(std::move(english)),
        korean(std::move(korean)) {}
  // Implicit, so that JIKJI_ASSIGN turns what lower layers return into this.
  HttpError(const Error& error);  // NOLINT(google-explicit-constructor)

  int status;
  std::string code;  // X-Error-Code; may be empty
  std::string english;
  std::string korean;
  std::string commit;  // X-Repo-Commit, where the revision is known
};

template <class T>
using HttpResult = std::expected<T, HttpError>;

HttpError RepositoryNotFound(std::string_view name);
HttpError RevisionNotFound(std::string_view revision);
HttpError EntryNotFound(std::string_view path, const std::string& commit);
HttpError Gated(std::string_view name);
HttpError NeedsToken();
HttpError MayNotWrite(std::string_view name);
HttpError BadRequest(std::string english, std::string korean);

net::Response ResponseOf(const HttpError& error);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_HTTP_ERROR_H_
