#include "app/html_page.h"

#include <fmt/format.h>

#include "app/console.h"

namespace jikji {
namespace {

constexpr std::string_view kStyle = R"(
:root { --ink: #1d1b16; --paper: #faf7f0; --line: #ddd5c4; --muted: #6d6656; color-scheme: light dark; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ece7da; --paper: #191712; --line: #3b362b; --muted: #a79f8d; }
}
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: var(--ink); background: var(--paper);
  font: 16px/1.6 "Pretendard", "Apple SD Gothic Neo", "Noto Sans KR", "Malgun Gothic", system-ui, sans-serif; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .6rem; white-space: nowrap; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; }
figure { margin: 1.5rem 0; }
figcaption, .axis { color: var(--muted); font-size: .875rem; }
svg { max-width: 100%; height: auto; }
svg text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg .grid { stroke: var(--line); }
)";

}  // namespace

HtmlPage::HtmlPage(std::string_view title) {
  body_ = fmt::format(
      "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n<title>{}</title>\n"
      "<style>{}</style>\n<h1>{}</h1>\n",
      Say("en", "ko"), EscapeHtml(title), kStyle, EscapeHtml(title));
}

void HtmlPage::Heading(std::string_view text) {
  body_ += fmt::format("<h2>{}</h2>\n", EscapeHtml(text));
}

void HtmlPage::Paragraph(std::string_view text) {
  body_ += fmt::format("<p>{}</p>\n", EscapeHtml(text));
}

void HtmlPage::Table(const std::vector<std::string>& head,
                     const std::vector<std::vector<std::string>>& rows) {
  const auto row = [this](const std::vector<std::string>& cells, const char* tag) {
    body_ += "<tr>";
    for (const std::string& cell : cells) {
      body_ += fmt::format("<{0}>{1}</{0}>", tag, EscapeHtml(cell));
    }
    body_ += "</tr>\n";
  };
  body_ += "<table>\n";
  if (!head.empty()) row(head, "th");
  for (const auto& cells : rows) row(cells, "td");
  body_ += "</table>\n";
}

void HtmlPage::Figure(std::string_view svg, std::string_view caption) {
  body_ +=
      fmt::format("<figure>\n{}<figcaption>{}</figcaption>\n</figure>\n", svg, EscapeHtml(caption));
}

void HtmlPage::Script(std::string_view code) {
  body_ += fmt::format("<script>{}</script>\n", code);
}

std::string HtmlPage::Finish() { return body_ + "</html>\n"; }

}  // namespace jikji
