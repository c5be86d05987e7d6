// Who may call: bearer keys, and the origins that browsers may call from.
#ifndef JIKJI_API_ACCESS_H_
#define JIKJI_API_ACCESS_H_

#include <string>
#include <string_view>
#include <vector>

#include "net/http.h"

namespace jikji {

// The credential of an Authorization header; empty where it has none.
std::string_view BearerToken(std::string_view authorization);

// The cookie that holds a person's session, as a key does (login_routes.cc).
inline constexpr std::string_view kSessionCookie = "jikji_session";
// Of a request; empty where it has none.
std::string_view Cookie(const net::Request& request, std::string_view name);

class KeyGuard {
 public:
  // No keys: everyone is let in.
  explicit KeyGuard(std::vector<std::string> keys) : keys_(std::move(keys)) {}

  // `authorization` is the header's value. The time taken tells nothing of the keys but how many
  // there are (it varies with the length of what the caller sent).
  bool Admits(std::string_view authorization) const;

 private:
  std::vector<std::string> keys_;
};

class CorsPolicy {
 public:
  explicit CorsPolicy(std::vector<std::string> origins) : origins_(std::move(origins)) {}

  // False for a request that a browser sends for a page of another site which is not in the list:
  // it must not act, since such a request may come without the user's knowing.
  bool Admits(const net::Request& request) const;

  // What to add to the answer; nothing unless the origin is in the list.
  net::Headers AnswerHeaders(const net::Request& request) const;
  // Likewise for an OPTIONS request that asks before the true one.
  net::Headers PreflightHeaders(const net::Request& request) const;

 private:
  bool Lists(std::string_view origin) const;
  std::vector<std::string> origins_;
};

}  // namespace jikji

#endif  // JIKJI_API_ACCESS_H_
