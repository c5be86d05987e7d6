// Text as it stands in HTML.
#ifndef JIKJI_BASE_HTML_H_
#define JIKJI_BASE_HTML_H_

#include <string>
#include <string_view>

namespace jikji {

// For text and for attributes in double quotes.
std::string EscapeHtml(std::string_view text);

}  // namespace jikji

#endif  // JIKJI_BASE_HTML_H_
