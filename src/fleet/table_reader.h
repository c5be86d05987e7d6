// Reads TOML tables field by field: a wrong type, a number out of range, a missing or an unknown
// key is an error that names the field and its line.
//
// toml++ holds the values. Non-goals: writing TOML.
#ifndef JIKJI_FLEET_TABLE_READER_H_
#define JIKJI_FLEET_TABLE_READER_H_

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::fleet {

struct Range {
  double least = 0;
  double most = 1e18;
};

// One table of a document; the document lives as long as any of its tables. The first error is kept
// and what is read after it has no meaning: read everything, then ask Done.
class TableReader {
 public:
  // The whole document. `where` names it in errors.
  static Result<TableReader> Parse(std::string_view text, std::string where);

  double Number(std::string_view key, Range range);
  double Number(std::string_view key, Range range, double absent);
  int64_t Integer(std::string_view key, Range range);
  int64_t Integer(std::string_view key, Range range, int64_t absent);
  std::string Text(std::string_view key);
  std::string Text(std::string_view key, std::string absent);
  bool Flag(std::string_view key, bool absent);
  // Of exactly `count` numbers, or of any where `count` is 0.
  std::vector<double> Numbers(std::string_view key, size_t count, Range range);
  std::vector<std::string> Texts(std::string_view key);
  // [[first, second], ...]
  std::vector<std::pair<double, double>> Pairs(std::string_view key, Range first, Range second);
  TableReader Table(std::string_view key);
  // [[key]], at least one.
  std::vector<TableReader> Tables(std::string_view key);

  // An error of the caller's own about a key.
  void Reject(std::string_view key, std::string message);

  // The first error of this table or of one read from it; else an error where a key was not read.
  Result<> Done();

 private:
  struct Document;
  TableReader(std::shared_ptr<Document> document, const void* table, std::string path);

  const void* Find(std::string_view key, const char* kind, bool optional);
  std::string Place(std::string_view key) const;

  std::shared_ptr<Document> document_;
  const void* table_;  // a toml::table; null after an error
  std::string path_;
  std::set<std::string, std::less<>> read_;
};

}  // namespace jikji::fleet

#endif  // JIKJI_FLEET_TABLE_READER_H_
