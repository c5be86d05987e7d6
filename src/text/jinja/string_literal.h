// The escapes of a string literal, resolved as jinja2 does it with Python's unicode-escape codec.
#ifndef JIKJI_TEXT_JINJA_STRING_LITERAL_H_
#define JIKJI_TEXT_JINJA_STRING_LITERAL_H_

#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji::jinja {

// `literal` is what stands between the quotes.
Result<std::string> UnescapeLiteral(std::string_view literal);

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_STRING_LITERAL_H_
