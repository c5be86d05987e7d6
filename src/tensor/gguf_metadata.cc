#include "tensor/gguf_metadata.h"

#include <limits>
#include <utility>

#include "tensor/quoted.h"

namespace jikji {
namespace {

const char* TypeName(const GgufValue& value) {
  struct Namer {
    const char* operator()(bool) const { return "a boolean"; }
    const char* operator()(int64_t) const { return "an integer"; }
    const char* operator()(uint64_t) const { return "an integer"; }
    const char* operator()(double) const { return "a number"; }
    const char* operator()(const std::string&) const { return "a string"; }
    const char* operator()(const std::vector<bool>&) const { return "an array of booleans"; }
    const char* operator()(const std::vector<int64_t>&) const { return "an array of integers"; }
    const char* operator()(const std::vector<double>&) const { return "an array of numbers"; }
    const char* operator()(const std::vector<std::string>&) const { return "an array of strings"; }
  };
  return std::visit(Namer{}, value);
}

std::unexpected<Error> WrongType(std::string_view key, const char* wanted, const GgufValue& value) {
  return Fail(ErrorCode::kMalformed,
              "the GGUF key " + Quoted(key) + " must be " + wanted + ", not " + TypeName(value),
              std::string(key));
}

template <class T>
Result<const T*> Array(const GgufMetadata& metadata, std::string_view key, const char* wanted) {
  const GgufValue* value = metadata.Find(key);
  if (value == nullptr) return nullptr;
  if (const T* array = std::get_if<T>(value)) return array;
  return WrongType(key, wanted, *value);
}

}  // namespace

bool GgufMetadata::Insert(std::string key, GgufValue value) {
  return entries_.try_emplace(std::move(key), std::move(value)).second;
}

const GgufValue* GgufMetadata::Find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

Result<std::optional<int64_t>> GgufMetadata::Int(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const int64_t* number = std::get_if<int64_t>(value)) return *number;
  if (const uint64_t* number = std::get_if<uint64_t>(value)) {
    if (*number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return static_cast<int64_t>(*number);
    }
    return Fail(ErrorCode::kMalformed,
                "the GGUF key " + Quoted(key) + " is " + std::to_string(*number) +
                    "; at most 2^63 - 1 makes sense",
                std::string(key));
  }
  return WrongType(key, "an integer", *value);
}

Result<std::optional<double>> GgufMetadata::Number(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const double* number = std::get_if<double>(value)) return *number;
  if (const int64_t* number = std::get_if<int64_t>(value)) return static_cast<double>(*number);
  if (const uint64_t* number = std::get_if<uint64_t>(value)) return static_cast<double>(*number);
  return WrongType(key, "a number", *value);
}

Result<std::optional<bool>> GgufMetadata::Bool(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const bool* truth = std::get_if<bool>(value)) return *truth;
  return WrongType(key, "a boolean", *value);
}

Result<std::optional<std::string>> GgufMetadata::String(std::string_view key) const {
  const GgufValue* value = Find(key);
  if (value == nullptr) return std::nullopt;
  if (const std::string* text = std::get_if<std::string>(value)) return *text;
  return WrongType(key, "a string", *value);
}

Result<const std::vector<std::string>*> GgufMetadata::Strings(std::string_view key) const {
  return Array<std::vector<std::string>>(*this, key, "an array of strings");
}

Result<const std::vector<int64_t>*> GgufMetadata::Ints(std::string_view key) const {
  return Array<std::vector<int64_t>>(*this, key, "an array of integers");
}

Result<const std::vector<double>*> GgufMetadata::Numbers(std::string_view key) const {
  return Array<std::vector<double>>(*this, key, "an array of numbers");
}

Result<const std::vector<bool>*> GgufMetadata::Bools(std::string_view key) const {
  return Array<std::vector<bool>>(*this, key, "an array of booleans");
}

}  // namespace jikji
