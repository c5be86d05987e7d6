// TOML at the door: a text as a table, or an error that names its line and column.
//
// toml++ holds the values; its parser is compiled here only. Version 3.3 asserts, or tells the
// compiler to assume, what only the input decides (that a value follows a comma), above branches
// that report the same as errors. So its assertions are taken out. Non-goals: writing TOML.
#ifndef JIKJI_BASE_TOML_H_
#define JIKJI_BASE_TOML_H_

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 0
#include <toml++/impl/preprocessor.h>
#undef TOML_ASSERT
#undef TOML_ASSERT_ASSUME
#define TOML_ASSERT(expression) static_assert(true)
#define TOML_ASSERT_ASSUME(expression) static_assert(true)
#include <toml++/toml.h>

#include <string_view>

#include "base/error.h"

namespace jikji {

// `where` names the document in errors, which say `where:line:column`.
Result<toml::table> ParseToml(std::string_view text, std::string_view where);

}  // namespace jikji

#endif  // JIKJI_BASE_TOML_H_
