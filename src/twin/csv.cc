#include "twin/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace jikji::twin {
namespace {

std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

void Split(std::string_view line, std::vector<std::string_view>& fields) {
  fields.clear();
  for (size_t at = 0;;) {
    const size_t comma = line.find(',', at);
    fields.push_back(line.substr(at, comma - at));
    if (comma == std::string_view::npos) return;
    at = comma + 1;
  }
}

}  // namespace

Result<CsvReader> CsvReader::Open(std::string_view text, std::string where) {
  CsvReader reader;
  reader.rest_ = text;
  reader.where_ = std::move(where);
  reader.line_ = 1;
  const std::string_view head = TakeLine(reader.rest_);
  if (head.empty()) return Fail(ErrorCode::kMalformed, "is empty", reader.where_);
  Split(head, reader.head_);
  return reader;
}

Result<size_t> CsvReader::Column(std::string_view name) const {
  const auto found = std::ranges::find(head_, name);
  if (found == head_.end()) {
    return Fail(ErrorCode::kMalformed, fmt::format("has no column `{}`", name), where_);
  }
  return static_cast<size_t>(found - head_.begin());
}

Result<bool> CsvReader::Next() {
  std::string_view line;
  do {
    if (rest_.empty()) return false;
    line = TakeLine(rest_);
    ++line_;
  } while (line.empty());
  Split(line, row_);
  if (row_.size() != head_.size()) {
    return Fail(ErrorCode::kMalformed,
                fmt::format("has {} fields, the first line has {}", row_.size(), head_.size()),
                fmt::format("{}:{}", where_, line_));
  }
  return true;
}

Result<double> CsvReader::Number(size_t column) const {
  const std::string_view field = row_[column];
  double value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size() || !std::isfinite(value)) {
    return Fail(ErrorCode::kMalformed, fmt::format("`{}` is not a number", field.substr(0, 40)),
                fmt::format("{}:{}: {}", where_, line_, head_[column]));
  }
  return value;
}

}  // namespace jikji::twin
