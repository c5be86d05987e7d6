// Signing in with a token, for what a browser may not see without: private and gated models. The
// token is kept in a cookie that no script reads and no other site's form sends.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/html.h"
#include "hub/http/routes.h"
#include "hub/pages/frame.h"

namespace jikji::hub {
namespace {

// Where to go afterwards: a path of this hub and nowhere else.
std::string Safe(const std::string& to) {
  const bool plain = std::string_view(to).find_first_of("\r\n\\") == std::string_view::npos;
  return plain && to.starts_with('/') && !to.starts_with("//") ? to : "/models";
}

// What may stand in a cookie.
bool IsPlain(std::string_view token) {
  return std::ranges::all_of(token, [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

net::Response Form(const Call& call, const PageLanguage& language, const std::string& to,
                   std::string_view problem) {
  const std::string_view title = language.Say("Sign in", "로그인");
  std::string body = fmt::format("<h1>{}</h1>\n", title);
  if (!problem.empty()) body += fmt::format("<p role=\"alert\">{}</p>\n", problem);
  body += fmt::format(
      "<form method=\"post\" action=\"/sign-in\"><input type=\"hidden\" name=\"to\" value=\"{}\">"
      "<input type=\"password\" name=\"token\" aria-label=\"{}\" placeholder=\"hf_...\" required>"
      "<button>{}</button></form>\n",
      EscapeHtml(to), language.Say("Token", "토큰"), title);
  return PageOf(call, language, title, body);
}

net::Response GoTo(const std::string& path, const std::string& cookie) {
  net::Response response;
  response.status = 303;
  response.headers.emplace_back("Location", path);
  response.headers.emplace_back(
      "Set-Cookie", std::string(kTokenCookie) + cookie + "; Path=/; HttpOnly; SameSite=Strict");
  return response;
}

}  // namespace

HttpResult<net::Response> SignIn(Call& call) {
  const PageLanguage language(call.request);
  if (call.request.method != "POST") {
    return Form(call, language, Safe(FieldOf(ParseForm(call.request.query), "to")), "");
  }
  const FormFields fields = ParseForm(call.request.body);
  const std::string token = FieldOf(fields, "token"), to = Safe(FieldOf(fields, "to"));
  const auto account = IsPlain(token) ? call.account_of(token) : Result<Account>(Account{});
  if (account && !account->name.empty()) return GoTo(to, token + "; Max-Age=2592000");
  if (!account && account.error().code != ErrorCode::kUnauthenticated) {
    return std::unexpected(HttpError(account.error()));
  }
  net::Response response =
      Form(call, language, to,
           language.Say("That token is not one of this hub.", "이 허브의 토큰이 아닙니다."));
  response.status = 401;
  return response;
}

HttpResult<net::Response> SignOut(Call&) { return GoTo("/models", "; Max-Age=0"); }

std::string SignInLine(const Call& call, const PageLanguage& language) {
  if (call.account.name.empty()) {
    return fmt::format("<a href=\"/sign-in?to={}\">{}</a>", UrlEscape(call.request.path),
                       language.Say("Sign in", "로그인"));
  }
  if (!call.signed_in) return {};
  return fmt::format(
      "<form class=\"line\" method=\"post\" action=\"/sign-out\">{} <button>{}</button></form>",
      EscapeHtml(call.account.name), language.Say("Sign out", "로그아웃"));
}

}  // namespace jikji::hub
