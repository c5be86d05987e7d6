#include <fmt/format.h>

#include <cmath>

#include "model/config_fields.h"

namespace jikji {
namespace {

class OverGguf : public ConfigFields {
 public:
  OverGguf(const GgufMetadata& metadata, std::string file, std::string architecture)
      : ConfigFields(std::move(file)),
        metadata_(metadata),
        architecture_(std::move(architecture)) {}

  bool Has(std::string_view key) const override { return Value(key) != nullptr; }
  bool IsString(std::string_view key) const override {
    const GgufValue* value = Value(key);
    return value != nullptr && std::holds_alternative<std::string>(*value);
  }
  bool IsList(std::string_view key) const override {
    const GgufValue* value = Value(key);
    return value != nullptr && (std::holds_alternative<std::vector<bool>>(*value) ||
                                std::holds_alternative<std::vector<int64_t>>(*value) ||
                                std::holds_alternative<std::vector<double>>(*value) ||
                                std::holds_alternative<std::vector<std::string>>(*value));
  }

  Result<std::optional<int64_t>> FindInt(std::string_view key) const override {
    return Here(metadata_.Int(FullKey(key)));
  }
  Result<std::optional<double>> FindNumber(std::string_view key) const override {
    JIKJI_ASSIGN(const auto value, Here(metadata_.Number(FullKey(key))));
    if (value && !std::isfinite(*value)) return Malformed(key, "must be a finite number");
    return value;
  }
  Result<std::optional<bool>> FindBool(std::string_view key) const override {
    return Here(metadata_.Bool(FullKey(key)));
  }
  Result<std::optional<std::string>> FindString(std::string_view key) const override {
    return Here(metadata_.String(FullKey(key)));
  }
  Result<std::optional<std::vector<int64_t>>> FindInts(std::string_view key) const override {
    return Copy(metadata_.Ints(FullKey(key)));
  }
  Result<std::optional<std::vector<bool>>> FindBools(std::string_view key) const override {
    return Copy(metadata_.Bools(FullKey(key)));
  }
  Result<std::optional<std::vector<std::string>>> FindStrings(std::string_view key) const override {
    return Copy(metadata_.Strings(FullKey(key)));
  }
  Result<std::unique_ptr<ConfigFields>> FindObject(std::string_view) const override {
    return nullptr;  // GGUF keys are flat
  }

  std::string FullKey(std::string_view key) const override {
    return fmt::format("{}.{}", architecture_, key);
  }

 private:
  const GgufValue* Value(std::string_view key) const { return metadata_.Find(FullKey(key)); }

  // The metadata does not know its file; its errors name the key.
  template <class T>
  Result<T> Here(Result<T> result) const {
    if (!result) result.error().where = file();
    return result;
  }
  template <class T>
  Result<std::optional<T>> Copy(Result<const T*> result) const {
    JIKJI_ASSIGN(const T* list, Here(std::move(result)));
    if (list == nullptr) return std::nullopt;
    return *list;
  }

  const GgufMetadata& metadata_;
  std::string architecture_;
};

}  // namespace

std::unique_ptr<ConfigFields> GgufFields(const GgufMetadata& metadata, std::string file,
                                         std::string architecture) {
  return std::make_unique<OverGguf>(metadata, std::move(file), std::move(architecture));
}

}  // namespace jikji
