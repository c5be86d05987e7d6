// TOML at the door: a text as a table, or an error that names its line and column.
//
// toml++ holds the values; its parser is compiled here only. Non-goals: writing TOML.
#ifndef JIKJI_BASE_TOML_H_
#define JIKJI_BASE_TOML_H_

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 0
#include <toml++/toml.h>

#include <string_view>

#include "base/error.h"

namespace jikji {

// `where` names the document in errors, which say `where:line:column`.
Result<toml::table> ParseToml(std::string_view text, std::string_view where);

}  // namespace jikji

#endif  // JIKJI_BASE_TOML_H_
