// One request to a hub on its way through its route: who asks, for which repository, and helpers
// that every route uses.
#ifndef JIKJI_HUB_HTTP_CALL_H_
#define JIKJI_HUB_HTTP_CALL_H_

#include <boost/json.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hub/accounts.h"
#include "hub/commits.h"
#include "hub/http/http_error.h"
#include "hub/hub.h"
#include "hub/repositories.h"
#include "net/http.h"

namespace jikji::hub {

struct Deed {
  std::string event;
  std::string repository;
  boost::json::object detail;
};

struct Call {
  Hub& hub;
  Database& database;
  const net::Request& request;
  std::string base_url;  // of this hub, as the client sees it
  Account account;
  std::string kind;                                     // "model", "dataset" or "space"
  std::optional<Repository> repository = std::nullopt;  // that the path names
  std::string_view rest = {};                           // of the path, behind what the route names
  // Whose a token is.
  std::function<Result<Account>(std::string_view token)> account_of = nullptr;
  bool signed_in = false;  // in a browser, by the cookie
  // What it changed, for the record.
  std::optional<Deed> deed = std::nullopt;
};

// "NAME=" of the cookie that a browser signs in by.
inline constexpr std::string_view kTokenCookie = "jikji_token=";
// The value of `name` ("NAME=") among the request's cookies; empty where there is none.
std::string_view CookieOf(const net::Request& request, std::string_view name);

// "models" to "model"; empty for what is no kind.
std::string KindOf(std::string_view plural);

// The text before the first `/`, taken off `path` with it.
std::string_view TakeSegment(std::string_view& path);

// Fields of `a=1&b=%20`, of a query or a form; `+` is a space.
using FormFields = std::vector<std::pair<std::string, std::string>>;
FormFields ParseForm(std::string_view raw);
std::string FieldOf(const FormFields& fields, std::string_view name,
                    std::string_view otherwise = {});
// Of a query: `otherwise` where it is not given, at most `most`; what is no number is a 400.
HttpResult<size_t> NumberOf(const FormFields& fields, std::string_view name, size_t otherwise,
                            size_t most);

// For a part of a URL's path: all but unreserved characters escaped, `/` too unless `keep_slash`.
std::string UrlEscape(std::string_view text, bool keep_slash = false);

// Finds call.repository; a repository that the account may not see is not found.
HttpResult<Repository> SeeRepository(const Call& call, const std::string& kind,
                                     std::string_view name);
// The caller may write to call.repository.
HttpResult<std::monostate> MustWrite(const Call& call);
// The caller may read the contents of call.repository.
HttpResult<std::monostate> MustRead(const Call& call);

// The longest front of `path` that is a revision of the repository, taken off it: names of branches
// may hold slashes. RevisionNotFound.
HttpResult<Commit> TakeRevision(const Call& call, std::string_view& path);

HttpResult<boost::json::object> JsonBody(const Call& call);

net::Response JsonResponse(const boost::json::value& value, int status = 200);

// Link: <...>; rel="next" with these fields in place of what the request had.
void AddNextLink(const Call& call, const FormFields& fields, net::Response& response);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_CALL_H_
