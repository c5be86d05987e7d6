// A model's card as HTML: no crash, and no tag or attribute but those that the renderer writes.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hub/pages/markdown.h"

namespace {

constexpr std::string_view kFiles = "/a/b/resolve/main/";
constexpr auto kPlain = std::to_array<std::string_view>(
    {"p",          "h2",     "h3", "h4",    "h5",    "h6",   "em",  "del",
     "ul",         "strong", "li", "br",    "table", "code", "pre", "a",
     "blockquote", "ol",     "hr", "thead", "tbody", "tr",   "th",  "td"});

void Require(bool holds) {
  if (!holds) std::abort();
}

// Takes `prefix` off; false where it is not there.
bool Take(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// What stands between < and >.
bool IsOurs(std::string_view tag) {
  if (tag == "input type=\"checkbox\" disabled" ||
      tag == "input type=\"checkbox\" disabled checked") {
    return true;
  }
  if (Take(tag, "ol start=\"")) {
    return tag.ends_with('"') && tag.find_first_not_of("0123456789") == tag.size() - 1;
  }
  if (Take(tag, "a rel=\"noreferrer nofollow\" href=\"")) {
    const bool leads = tag.starts_with("http://") || tag.starts_with("https://") ||
                       tag.starts_with("mailto:") || tag.starts_with(kFiles);
    return leads && tag.find('"') == tag.size() - 1;
  }
  if (Take(tag, "img src=\"")) {
    if (!Take(tag, kFiles)) return false;
    tag.remove_prefix(std::min(tag.find('"'), tag.size()));
    return Take(tag, "\" alt=\"") && tag.find('"') == tag.size() - 1;
  }
  Take(tag, "/");
  for (const std::string_view name : kPlain) {
    if (tag == name) return true;
  }
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string html =
      jikji::hub::RenderMarkdown({reinterpret_cast<const char*>(data), size}, kFiles);
  std::string_view rest = html;
  while (!rest.empty()) {
    const size_t open = rest.find('<');
    Require(rest.substr(0, open).find('>') == std::string_view::npos);
    if (open == std::string_view::npos) break;
    const size_t close = rest.find('>', open);
    Require(close != std::string_view::npos);
    Require(IsOurs(rest.substr(open + 1, close - open - 1)));
    rest.remove_prefix(close + 1);
  }
  return 0;
}
