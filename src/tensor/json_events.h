// JSON read as events, for documents in which a repeated key must be an error: a DOM keeps the last
// of them without a word.
//
// A handler gets each key and value as it comes and says no by calling Reject; everything that it
// does not override is rejected. Include in .cc files only: it brings in Boost.JSON's parser.
#ifndef JIKJI_TENSOR_JSON_EVENTS_H_
#define JIKJI_TENSOR_JSON_EVENTS_H_

#include <boost/json/basic_parser_impl.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"

namespace jikji {

// Derived has: `bool Key(std::string_view)`, `bool String(std::string_view)`,
// `bool Unsigned(uint64_t)`, `bool Scalar()` (null, a boolean or any other number),
// `bool BeginObject()`, `bool EndObject()`, `bool BeginArray()`, `bool EndArray()`. Each returns
// true, or Reject(...).
template <class Derived>
class JsonEvents {
 public:
  static constexpr size_t max_object_size = static_cast<size_t>(-1);
  static constexpr size_t max_array_size = static_cast<size_t>(-1);
  static constexpr size_t max_key_size = static_cast<size_t>(-1);
  static constexpr size_t max_string_size = static_cast<size_t>(-1);
  using Code = boost::json::error_code;
  using View = boost::json::string_view;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& code) { return Check(self().BeginObject(), code); }
  bool on_object_end(size_t, Code& code) { return Check(self().EndObject(), code); }
  bool on_array_begin(Code& code) { return Check(self().BeginArray(), code); }
  bool on_array_end(size_t, Code& code) { return Check(self().EndArray(), code); }
  bool on_key_part(View part, size_t, Code&) { return Collect(part); }
  bool on_string_part(View part, size_t, Code&) { return Collect(part); }
  bool on_key(View part, size_t, Code& code) {
    // An escaped key is handed over in a buffer of the parser's own.
    const bool in_place = !part.empty() && !std::less<>()(part.data(), document_.data()) &&
                          std::less<>()(part.data(), document_.data() + document_.size());
    if (in_place)
      key_offset_ = static_cast<uint64_t>(part.data() - document_.data()) - text_.size();
    Collect(part);
    const bool good = self().Key(text_);
    text_.clear();
    return Check(good, code);
  }
  bool on_string(View part, size_t, Code& code) {
    Collect(part);
    const bool good = self().String(text_);
    text_.clear();
    return Check(good, code);
  }
  bool on_number_part(View, Code&) { return true; }
  bool on_int64(int64_t value, View, Code& code) {
    return Check(value < 0 ? self().Scalar() : self().Unsigned(static_cast<uint64_t>(value)), code);
  }
  bool on_uint64(uint64_t value, View, Code& code) { return Check(self().Unsigned(value), code); }
  bool on_double(double, View, Code& code) { return Check(self().Scalar(), code); }
  bool on_bool(bool, Code& code) { return Check(self().Scalar(), code); }
  bool on_null(Code& code) { return Check(self().Scalar(), code); }
  bool on_comment_part(View, Code&) { return true; }
  bool on_comment(View, Code&) { return true; }

  void set_document(std::string_view document) { document_ = document; }
  const std::string& rejection() const { return rejection_; }
  // The byte of the document where the last key begins, or one before it where the key has escapes.
  uint64_t key_offset() const { return key_offset_; }

 protected:
  bool Reject(std::string message) {
    rejection_ = std::move(message);
    return false;
  }

 private:
  Derived& self() { return static_cast<Derived&>(*this); }
  bool Collect(View part) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool Check(bool good, Code& code) {
    if (!good) code = boost::json::error::exception;
    return good;
  }

  std::string_view document_;
  uint64_t key_offset_ = 0;
  std::string text_;
  std::string rejection_;
};

// Reads the whole of `text`, which must be one JSON value; `parser` owns the handler. Errors name
// `name`:(`base` + the byte where reading stopped).
template <class Handler>
Result<> ReadJsonEvents(boost::json::basic_parser<Handler>& parser, std::string_view text,
                        std::string_view name, uint64_t base) {
  parser.handler().set_document(text);
  boost::json::error_code code;
  const size_t read = parser.write_some(false, text.data(), text.size(), code);
  const std::string where = std::string(name) + ":" + std::to_string(base + read);
  if (code && !parser.handler().rejection().empty()) {
    return Fail(ErrorCode::kMalformed, parser.handler().rejection(), where);
  }
  if (code) return Fail(ErrorCode::kMalformed, "not valid JSON: " + code.message(), where);
  if (read < text.size()) {
    return Fail(ErrorCode::kMalformed, "more than one JSON value", where);
  }
  return {};
}

}  // namespace jikji

#endif  // JIKJI_TENSOR_JSON_EVENTS_H_
