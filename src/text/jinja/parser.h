// Tokens to a tree, by jinja2's grammar.
//
// What jinja2 refuses is refused; what jinja2 knows and this interpreter does not (inheritance,
// includes, some filters) is an error here and not at the first render.
#ifndef JIKJI_TEXT_JINJA_PARSER_H_
#define JIKJI_TEXT_JINJA_PARSER_H_

#include <string_view>

#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"

namespace jikji::jinja {

// Throws SyntaxError. `max_depth` bounds the nesting of statements and of expressions.
Template ParseTemplate(std::string_view source, size_t max_depth);

}  // namespace jikji::jinja

#endif  // JIKJI_TEXT_JINJA_PARSER_H_
