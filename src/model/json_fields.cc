#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>

#include "base/json.h"
#include "model/config_fields.h"

namespace jikji {
namespace {

class OverJson : public ConfigFields {
 public:
  OverJson(const boost::json::object& object, std::string file, std::string prefix)
      : ConfigFields(std::move(file)), object_(object), prefix_(std::move(prefix)) {}

  bool Has(std::string_view key) const override { return Present(key) != nullptr; }
  bool IsString(std::string_view key) const override {
    const auto* value = Present(key);
    return value != nullptr && value->is_string();
  }
  bool IsList(std::string_view key) const override {
    const auto* value = Present(key);
    return value != nullptr && value->is_array();
  }

  Result<std::optional<int64_t>> FindInt(std::string_view key) const override {
    if (auto value = OptionalInt(object_, key)) return *value;
    return WrongType(key, "an integer");
  }
  Result<std::optional<double>> FindNumber(std::string_view key) const override {
    auto value = OptionalNumber(object_, key);
    if (!value) return WrongType(key, "a number");
    if (*value && !std::isfinite(**value)) return WrongType(key, "a finite number");
    return *value;
  }
  Result<std::optional<bool>> FindBool(std::string_view key) const override {
    if (auto value = OptionalBool(object_, key)) return *value;
    return WrongType(key, "a boolean");
  }
  Result<std::optional<std::string>> FindString(std::string_view key) const override {
    if (auto value = OptionalString(object_, key)) return std::move(*value);
    return WrongType(key, "a string");
  }

  Result<std::optional<std::vector<int64_t>>> FindInts(std::string_view key) const override {
    return List<int64_t>(key, "integers", [](const boost::json::value& item) {
      const int64_t* number = item.if_int64();
      return number == nullptr ? std::nullopt : std::optional<int64_t>(*number);
    });
  }
  Result<std::optional<std::vector<bool>>> FindBools(std::string_view key) const override {
    return List<bool>(key, "booleans", [](const boost::json::value& item) {
      const bool* flag = item.if_bool();
      return flag == nullptr ? std::nullopt : std::optional<bool>(*flag);
    });
  }
  Result<std::optional<std::vector<std::string>>> FindStrings(std::string_view key) const override {
    return List<std::string>(key, "strings", [](const boost::json::value& item) {
      const auto* text = item.if_string();
      return text == nullptr ? std::nullopt : std::optional<std::string>(std::string(*text));
    });
  }

  Result<std::unique_ptr<ConfigFields>> FindObject(std::string_view key) const override {
    const auto* value = Present(key);
    if (value == nullptr) return nullptr;
    if (!value->is_object()) return WrongType(key, "an object");
    return std::make_unique<OverJson>(value->get_object(), file(), FullKey(key));
  }

  std::string FullKey(std::string_view key) const override {
    return prefix_.empty() ? std::string(key) : fmt::format("{}.{}", prefix_, key);
  }

 private:
  const boost::json::value* Present(std::string_view key) const {
    const auto* value = object_.if_contains(key);
    return value == nullptr || value->is_null() ? nullptr : value;
  }

  std::unexpected<Error> WrongType(std::string_view key, std::string_view wanted) const {
    return Malformed(key, fmt::format("must be {}, not {}", wanted, JsonTypeName(*Present(key))));
  }

  template <class T, class Read>
  Result<std::optional<std::vector<T>>> List(std::string_view key, std::string_view items,
                                             Read read) const {
    const auto* value = Present(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_array()) return WrongType(key, fmt::format("a list of {}", items));
    std::vector<T> list;
    list.reserve(value->get_array().size());
    for (const auto& item : value->get_array()) {
      auto one = read(item);
      if (!one) {
        return Malformed(key, fmt::format("must hold only {}, not {}", items, JsonTypeName(item)));
      }
      list.push_back(std::move(*one));
    }
    return list;
  }

  const boost::json::object& object_;
  std::string prefix_;
};

}  // namespace

std::unique_ptr<ConfigFields> JsonFields(const boost::json::object& object, std::string file,
                                         std::string prefix) {
  return std::make_unique<OverJson>(object, std::move(file), std::move(prefix));
}

}  // namespace jikji
