// The query of a request target: `a=1&b=x%20y` to names and values.
#ifndef JIKJI_API_QUERY_H_
#define JIKJI_API_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace jikji {

class Query {
 public:
  // `+` is a space; a `%` that no two hexadecimal digits follow stands for itself.
  explicit Query(std::string_view raw);

  // The first of that name.
  std::optional<std::string> Find(std::string_view name) const;
  // All of that name, or of `name[]`, as clients write lists.
  std::vector<std::string> All(std::string_view name) const;
  Result<std::optional<int64_t>> Int(std::string_view name, int64_t least, int64_t most) const;

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

}  // namespace jikji

#endif  // JIKJI_API_QUERY_H_
