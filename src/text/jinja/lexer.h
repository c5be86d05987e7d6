// Template source to tokens, with jinja2's rules for white space (trim_blocks, lstrip_blocks, and
// the signs - and + of a tag).
//
// Positions are byte offsets into `source`, whose line ends are "\n". Non-goals: line statements.
#ifndef JIKJI_TEXT_JINJA_LEXER_H_
#define JIKJI_TEXT_JINJA_LEXER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/value.h"

namespace jikji::jinja {

enum class TokenType : uint8_t {
  kData,  // text to be copied
  kVariableBegin,
  kVariableEnd,
  kBlockBegin,
  kBlockEnd,
  kName,
  kString,
  kInteger,
  kFloat,
  kOperator,
  kEnd,
};

struct Token {
  TokenType type = TokenType::kEnd;
  uint32_t position = 0;
  std::string text;  // data, a name, an operator, a string with its escapes resolved
  int64_t integer = 0;
  double number = 0;
};

// A fault of the source: thrown by the lexer and the parser, caught by Compile.
struct SyntaxError {
  std::string message;
  uint32_t position = 0;
  bool unsupported = false;
  bool exhausted = false;
};

// "\r\n" and "\r" become "\n", and one line end at the end goes.
std::string NormalizeSource(std::string_view source);

// `source` is normalized, well-formed UTF-8. Ends with a kEnd token.
std::vector<Token> Tokenize(std::string_view source);

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_LEXER_H_
