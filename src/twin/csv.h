// Rows of a CSV text without quotes, by the names of its first line.
#ifndef JIKJI_TWIN_CSV_H_
#define JIKJI_TWIN_CSV_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::twin {

class CsvReader {
 public:
  // `text` must outlive the reader; `where` names it in errors.
  static Result<CsvReader> Open(std::string_view text, std::string where);

  const std::vector<std::string_view>& head() const { return head_; }
  // The column's place in a row; an error that names it where there is none.
  Result<size_t> Column(std::string_view name) const;

  // False at the end. A row with another number of fields than the head is an error.
  Result<bool> Next();
  std::string_view Field(size_t column) const { return row_[column]; }
  // An error names the line and the column.
  Result<double> Number(size_t column) const;

 private:
  std::string_view rest_;
  std::string where_;
  std::vector<std::string_view> head_, row_;
  size_t line_ = 0;
};

}  // namespace jikji::twin

#endif  // JIKJI_TWIN_CSV_H_
