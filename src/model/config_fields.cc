#include "model/config_fields.h"

#include <fmt/format.h>

namespace jikji {
namespace {

template <class T>
Result<T> Within(const ConfigFields& fields, std::string_view key, T value, T min, T max) {
  // Written so that NaN fails.
  if (value >= min && value <= max) return value;
  return fields.Malformed(key, fmt::format("is {}; it must be from {} to {}", value, min, max));
}

}  // namespace

Result<int64_t> ConfigFields::Int(std::string_view key, int64_t min, int64_t max) const {
  JIKJI_ASSIGN(const auto value, FindInt(key));
  if (!value) return Malformed(key, "is missing");
  return Within(*this, key, *value, min, max);
}

Result<int64_t> ConfigFields::IntOr(std::string_view key, int64_t absent, int64_t min,
                                    int64_t max) const {
  JIKJI_ASSIGN(const auto value, FindInt(key));
  if (!value) return absent;
  return Within(*this, key, *value, min, max);
}

Result<double> ConfigFields::Number(std::string_view key, double min, double max) const {
  JIKJI_ASSIGN(const auto value, FindNumber(key));
  if (!value) return Malformed(key, "is missing");
  return Within(*this, key, *value, min, max);
}

Result<double> ConfigFields::NumberOr(std::string_view key, double absent, double min,
                                      double max) const {
  JIKJI_ASSIGN(const auto value, FindNumber(key));
  if (!value) return absent;
  return Within(*this, key, *value, min, max);
}

Result<bool> ConfigFields::BoolOr(std::string_view key, bool absent) const {
  JIKJI_ASSIGN(const auto value, FindBool(key));
  return value.value_or(absent);
}

std::unexpected<Error> ConfigFields::Malformed(std::string_view key, std::string_view what) const {
  return Fail(ErrorCode::kMalformed, fmt::format("`{}` {}", FullKey(key), what), file_);
}

std::unexpected<Error> ConfigFields::Unsupported(std::string_view key,
                                                 std::string_view what) const {
  return Fail(ErrorCode::kUnsupported, fmt::format("`{}` {}", FullKey(key), what), file_);
}

}  // namespace jikji
