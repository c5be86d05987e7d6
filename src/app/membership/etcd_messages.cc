#include "app/membership/etcd_messages.h"

#include <fmt/format.h>

#include <charconv>

#include "base/json.h"

namespace jikji {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Result<std::string> BytesField(const boost::json::object& message, std::string_view key) {
  JIKJI_ASSIGN(const auto text, OptionalString(message, key));
  return text ? DecodeBase64(*text) : std::string();
}

}  // namespace

std::string EncodeBase64(std::string_view bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t j = 0; j < 3; ++j) {
      word = word << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0u);
    }
    const size_t digits = std::min<size_t>(bytes.size() - i, 3) + 1;
    for (size_t j = 0; j < 4; ++j) {
      out += j < digits ? kAlphabet[word >> (18 - 6 * j) & 63] : '=';
    }
  }
  return out;
}

Result<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return Fail(ErrorCode::kMalformed, "base64 comes in fours");
  std::string out;
  while (!text.empty()) {
    const bool last = text.size() == 4;
    const size_t padding = last && text[3] == '=' ? (text[2] == '=' ? 2 : 1) : 0;
    uint32_t word = 0;
    for (size_t i = 0; i < 4; ++i) {
      const size_t digit = i < 4 - padding ? kAlphabet.find(text[i]) : 0;
      if (digit == std::string_view::npos) {
        return Fail(ErrorCode::kMalformed, "a character that base64 does not have");
      }
      word = word << 6 | static_cast<uint32_t>(digit);
    }
    for (size_t i = 0; i < 3 - padding; ++i) out += static_cast<char>(word >> (16 - 8 * i) & 255);
    text.remove_prefix(4);
  }
  return out;
}

Result<int64_t> TextInteger(const boost::json::object& message, std::string_view key) {
  const boost::json::value* field = message.if_contains(key);
  if (field == nullptr) return 0;
  if (field->is_int64()) return field->get_int64();
  int64_t value = 0;
  const std::string_view text =
      field->is_string() ? std::string_view(field->get_string()) : std::string_view();
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Fail(ErrorCode::kMalformed, "is not an integer", std::string(key));
  }
  return value;
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xFF) end.pop_back();
  // Nothing is after a prefix of 0xFF alone; etcd takes a zero byte as "to the end of all keys".
  if (end.empty()) return std::string(1, '\0');
  ++end.back();
  return end;
}

Result<Etcd::Listing> ParseListing(const boost::json::object& answer) {
  Etcd::Listing listing;
  JIKJI_ASSIGN(const boost::json::object* header, OptionalObject(answer, "header"));
  if (header == nullptr) return Fail(ErrorCode::kMalformed, "etcd's answer lacks its header");
  JIKJI_ASSIGN(listing.revision, TextInteger(*header, "revision"));
  JIKJI_ASSIGN(const boost::json::array* items, OptionalArray(answer, "kvs"));
  if (items == nullptr) return listing;
  for (const boost::json::value& item : *items) {
    if (!item.is_object()) return Fail(ErrorCode::kMalformed, "is no object", "kvs");
    JIKJI_ASSIGN(std::string key, BytesField(item.get_object(), "key"));
    JIKJI_ASSIGN(listing.values[std::move(key)], BytesField(item.get_object(), "value"));
  }
  return listing;
}

Result<bool> TellsChange(std::string_view line) {
  JIKJI_ASSIGN(const boost::json::value parsed, ParseJson(line));
  if (!parsed.is_object()) return Fail(ErrorCode::kMalformed, "etcd's watch is no object");
  JIKJI_ASSIGN(const boost::json::object* result, OptionalObject(parsed.get_object(), "result"));
  if (result == nullptr) return Fail(ErrorCode::kUnavailable, "etcd ended the watch");
  JIKJI_ASSIGN(const boost::json::array* events, OptionalArray(*result, "events"));
  JIKJI_ASSIGN(const auto cancelled, OptionalBool(*result, "canceled"));
  return (events != nullptr && !events->empty()) || cancelled.value_or(false);
}

}  // namespace jikji
