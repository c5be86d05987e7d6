#include "app/text_table.h"

#include <algorithm>

namespace jikji {

size_t TextColumns(std::string_view text) {
  size_t columns = 0;
  for (const unsigned char byte : text) {
    if (byte < 0x80) ++columns;
    // The lead byte of a letter: Latin with accents takes one column, what is above takes two. En
    // dashes and their like, which begin with E2, take one.
    if (byte >= 0xC0) columns += byte >= 0xE3 ? 2 : 1;
  }
  return columns;
}

std::string LabelledLine(std::string_view label, std::string_view value) {
  constexpr size_t kValueColumn = 18;
  const size_t columns = TextColumns(label);
  std::string line(label);
  line.append(columns < kValueColumn ? kValueColumn - columns : 1, ' ');
  return line.append(value).append("\n");
}

std::string AlignedRows(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], TextColumns(row[i]));
    }
  }
  std::string out;
  for (const auto& row : rows) {
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string pad(widths[i] - TextColumns(row[i]), ' ');
      out += i == 0 ? row[i] + pad : "  " + pad + row[i];
    }
    out += "\n";
  }
  return out;
}

}  // namespace jikji
