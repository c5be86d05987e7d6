// Rows of cells as lines of a terminal: the first column to the left, the others, which hold
// numbers, to the right; Hangul is two columns wide.
#ifndef JIKJI_APP_TEXT_TABLE_H_
#define JIKJI_APP_TEXT_TABLE_H_

#include <string>
#include <string_view>
#include <vector>

namespace jikji {

// Columns of a terminal that a text takes.
size_t TextColumns(std::string_view text);

// "label   value": a line of a list whose values begin in one column.
std::string LabelledLine(std::string_view label, std::string_view value);

std::string AlignedRows(const std::vector<std::vector<std::string>>& rows);

}  // namespace jikji

#endif  // JIKJI_APP_TEXT_TABLE_H_
