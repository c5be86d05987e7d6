// /login, /login/callback and /logout: people by way of an identity provider.
//
// The session's secret travels in a cookie that no script reads and no other site's page can make
// a browser send. The provider may be slow, so logins have a thread of their own.
#include <fmt/format.h>

#include "api/access.h"
#include "api/handlers.h"
#include "api/query.h"
#include "govern/login/login.h"

namespace jikji {
namespace {

constexpr std::string_view kFlowCookie = "jikji_login";

std::string CookieOf(std::string_view name, std::string_view value, int64_t seconds,
                     std::string_view path, std::string_view same_site, bool secure) {
  return fmt::format("{}={}; Max-Age={}; Path={}; HttpOnly; SameSite={}{}", name, value, seconds,
                     path, same_site, secure ? "; Secure" : "");
}

void Redirect(const Call& call, const std::string& url, net::Headers cookies) {
  net::Response response;
  response.status = 303;
  response.headers = std::move(cookies);
  response.headers.emplace_back("Location", url);
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  call.reply.Send(std::move(response));
}

void Begin(const Call& call, login::Login& login) {
  const auto begun = login.Begin();
  if (!begun) return call.reply.SendError(ApiError(begun.error()));
  // Lax: the provider's page sends the browser back here, and the cookie must come along.
  Redirect(call, begun->url,
           {{"Set-Cookie", CookieOf(kFlowCookie, begun->cookie, login::kFlowSeconds, "/login",
                                    "Lax", login.secure())}});
}

void Finish(const Call& call, login::Login& login) {
  const Query query(call.request.query);
  const auto secret = login.Finish({.cookie = std::string(Cookie(call.request, kFlowCookie)),
                                    .state = query.Find("state").value_or(""),
                                    .code = query.Find("code").value_or(""),
                                    .peer = call.request.peer});
  if (!secret) return call.reply.SendError(ApiError(secret.error()));
  Redirect(call, "/",
           {{"Set-Cookie", CookieOf(kFlowCookie, "", 0, "/login", "Lax", login.secure())},
            {"Set-Cookie", CookieOf(kSessionCookie, *secret, login.session_seconds(), "/", "Strict",
                                    login.secure())}});
}

void End(const Call& call, login::Login& login) {
  const auto ended = login.End(call.caller->key());
  if (!ended) return call.reply.SendError(ApiError(ended.error()));
  net::Response response;
  response.status = 204;
  response.headers = {
      {"Set-Cookie", CookieOf(kSessionCookie, "", 0, "/", "Strict", login.secure())}};
  call.reply.Send(std::move(response));
}

void Work(Call& call, void (*step)(const Call& call, login::Login& login)) {
  const ApiOptions& options = call.context->options;
  if (options.login == nullptr) {
    ApiError error = ErrorOfStatus(404, "no identity provider is set up; use an API key");
    error.code = "not_found";
    return call.reply.SendError(error);
  }
  const bool waits = options.login->workers().Post(
      [copy = call, &login = *options.login, step] { step(copy, login); });
  if (!waits) call.reply.SendError(ErrorOfStatus(503, "too many people log in; try again"));
}

}  // namespace

void BeginLogin(Call& call) { Work(call, Begin); }
void FinishLogin(Call& call) { Work(call, Finish); }
void EndLogin(Call& call) { Work(call, End); }

}  // namespace jikji
