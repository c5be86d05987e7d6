// A model's card as HTML, safe to show whoever wrote it.
//
// Contract: the output holds only tags written here. Raw HTML of the card is shown as text; a link
// leads to http, https, mailto or a file of the repository, else it is text; a picture comes from
// the repository, since one from elsewhere would tell its host who reads the page. CommonMark with
// GitHub's tables, task lists and strikethrough, by md4c.
#ifndef JIKJI_HUB_PAGES_MARKDOWN_H_
#define JIKJI_HUB_PAGES_MARKDOWN_H_

#include <string>
#include <string_view>

namespace jikji::hub {

// `files`: the URL, ending in `/`, that the repository's files lie below. A text over 256 KiB, or
// one that md4c cannot read or that is not UTF-8, is shown as it is.
std::string RenderMarkdown(std::string_view text, std::string_view files);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_PAGES_MARKDOWN_H_
