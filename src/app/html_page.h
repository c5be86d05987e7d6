// One HTML page that stands alone: headings, text, tables and drawings, with its style inside.
//
// All text is escaped. Non-goals: links to anything outside.
#ifndef JIKJI_APP_HTML_PAGE_H_
#define JIKJI_APP_HTML_PAGE_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/html.h"

namespace jikji {

class HtmlPage {
 public:
  explicit HtmlPage(std::string_view title);

  void Heading(std::string_view text);
  void Paragraph(std::string_view text);
  // The first column is to the left, the others, which hold numbers, to the right.
  void Table(const std::vector<std::string>& head,
             const std::vector<std::vector<std::string>>& rows);
  // An SVG drawing (svg_plot.h), put in as it is.
  void Figure(std::string_view svg, std::string_view caption);

  // Code of our own, put in as it is.
  void Script(std::string_view code);

  std::string Finish();

 private:
  std::string body_;
};

}  // namespace jikji

#endif  // JIKJI_APP_HTML_PAGE_H_
