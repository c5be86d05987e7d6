#include "hub/pages/frame.h"

#include <fmt/format.h>

#include "base/html.h"

namespace jikji::hub {
namespace {

constexpr std::string_view kStyle = R"(
:root { --ink: #1d1b16; --paper: #faf7f0; --card: #ffffff; --line: #ddd5c4; --accent: #8a4b21; --muted: #6d6656;
  color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece7da; --paper: #191712; --card: #23201a; --line: #3b362b; --accent: #d99b66; --muted: #a79f8d; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 0 1rem 3rem; color: var(--ink); background: var(--paper);
  overflow-wrap: anywhere;
  font: 16px/1.65 "Pretendard", "Apple SD Gothic Neo", "Noto Sans KR", "Malgun Gothic", system-ui, sans-serif; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
header { display: flex; align-items: baseline; gap: .75rem; padding: 1rem 0 .5rem; border-bottom: 1px solid var(--line); }
header a:first-child { font-weight: 700; font-size: 1.25rem; color: var(--ink); }
header a:last-child { margin-left: auto; font-size: .875rem; }
h1 { font-size: 1.4rem; margin: 1.25rem 0 .25rem; }
h2 { font-size: 1.1rem; margin: 1.75rem 0 .5rem; }
form { display: flex; gap: .5rem; margin: 1rem 0; }
form.line { margin: 0; align-items: baseline; font-size: .875rem; }
input[type=search], input[type=password] { flex: 1; }
input, button { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: .5rem; padding: .45rem .7rem; }
.facts, .muted { color: var(--muted); font-size: .875rem; }
.tag { display: inline-block; border: 1px solid var(--line); border-radius: 1rem; padding: 0 .6rem; margin: .1rem .2rem .1rem 0; }
ul.models { list-style: none; padding: 0; }
ul.models li { padding: .6rem .9rem; margin: 0 0 .6rem; background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: .5rem; padding: .6rem .9rem; overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem .25rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
article { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; padding: .25rem 1.25rem; }
article img { max-width: 100%; }
)";

}  // namespace

PageLanguage::PageLanguage(const net::Request& request) {
  std::string language = FieldOf(ParseForm(request.query), "lang");
  if (language.empty()) language = CookieOf(request, "jikji_lang=");
  if (language.empty()) language = request.Header("Accept-Language").substr(0, 2);
  is_korean = language == "ko";
}

net::Response PageOf(const Call& call, const PageLanguage& language, std::string_view title,
                     const std::string& body) {
  net::Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back(
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; form-action 'self'; "
      "base-uri 'none'; frame-ancestors 'none'");
  response.headers.emplace_back("X-Content-Type-Options", "nosniff");
  response.headers.emplace_back("Referrer-Policy", "same-origin");
  response.headers.emplace_back("Cache-Control", "private, no-cache");
  response.headers.emplace_back("Vary", "Accept-Language, Cookie");
  if (const std::string asked = FieldOf(ParseForm(call.request.query), "lang"); !asked.empty()) {
    response.headers.emplace_back(
        "Set-Cookie", fmt::format("jikji_lang={}; Path=/; Max-Age=31536000; SameSite=Lax",
                                  language.Say("en", "ko")));
  }
  response.body = fmt::format(
      "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n"
      "<header><a href=\"/models\">{}</a>{}<a href=\"?lang={}\">{}</a></header>\n<main>{}</main>\n"
      "</html>\n",
      language.Say("en", "ko"), EscapeHtml(title), kStyle,
      language.Say("Jikji models", "직지 모델"), SignInLine(call, language),
      language.Say("ko", "en"), language.Say("한국어", "English"), body);
  return response;
}

net::Response ErrorPage(const Call& call, const HttpError& error) {
  const PageLanguage language(call.request);
  const std::string_view title = error.status == 404
                                     ? language.Say("Not here", "여기에 없습니다")
                                     : language.Say("Not possible", "할 수 없습니다");
  std::string body = fmt::format("<h1>{}</h1>\n<p>{}</p>\n", title,
                                 EscapeHtml(language.Say(error.english, error.korean)));
  if (call.account.name.empty() && error.status < 405) {
    body += fmt::format("<p class=\"muted\">{}</p>\n",
                        language.Say("What is private is shown to those who are signed in.",
                                     "비공개 모델은 로그인해야 보입니다."));
  }
  net::Response page = PageOf(call, language, title, body);
  page.status = error.status;
  for (auto& header : ResponseOf(error).headers) page.headers.push_back(std::move(header));
  return page;
}

}  // namespace jikji::hub
