// The key-values of a GGUF file (ggml docs/gguf.md), typed.
#ifndef JIKJI_TENSOR_GGUF_METADATA_H_
#define JIKJI_TENSOR_GGUF_METADATA_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/error.h"

namespace jikji {

// Arrays of every integer type are widened to int64 and of both float types to double; arrays of
// arrays are refused.
using GgufValue = std::variant<bool, int64_t, uint64_t, double, std::string, std::vector<bool>,
                               std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;

class GgufMetadata {
 public:
  // False where the key is there already.
  bool Insert(std::string key, GgufValue value);
  const GgufValue* Find(std::string_view key) const;
  const std::map<std::string, GgufValue, std::less<>>& entries() const { return entries_; }

  // nullopt where absent; an error naming the key where the type is another or the number does not
  // fit.
  Result<std::optional<int64_t>> Int(std::string_view key) const;
  Result<std::optional<double>> Number(std::string_view key) const;  // integers too
  Result<std::optional<bool>> Bool(std::string_view key) const;
  Result<std::optional<std::string>> String(std::string_view key) const;
  // nullptr where absent.
  Result<const std::vector<std::string>*> Strings(std::string_view key) const;
  Result<const std::vector<int64_t>*> Ints(std::string_view key) const;
  Result<const std::vector<double>*> Numbers(std::string_view key) const;
  Result<const std::vector<bool>*> Bools(std::string_view key) const;

 private:
  std::map<std::string, GgufValue, std::less<>> entries_;
};

}  // namespace jikji

#endif  // JIKJI_TENSOR_GGUF_METADATA_H_
