// The schema of a module, as the steps that lead to it.
//
// A database remembers for each module how many steps it has taken. Migrate takes those that are
// missing, each in a transaction of its own; a step, once released, never changes. A database with
// more steps than this program knows belongs to a newer one and is refused.
#ifndef JIKJI_STORE_MIGRATIONS_H_
#define JIKJI_STORE_MIGRATIONS_H_

#include <span>
#include <string_view>

#include "store/database.h"

namespace jikji {

// Statements in SQL that both databases take, but for these words: @ID (type of a primary key that
// numbers itself), @INTEGER, @TEXT, and @STRICT after the columns of a table.
using Migration = std::string_view;

// `module` names the schema. Programs that start together take turns.
Result<> Migrate(Database& database, std::string_view module, std::span<const Migration> steps);

}  // namespace jikji

#endif  // JIKJI_STORE_MIGRATIONS_H_
