// The tables of governance. docs/design/governance.md draws them.
#ifndef JIKJI_GOVERN_SCHEMA_H_
#define JIKJI_GOVERN_SCHEMA_H_

#include "store/database.h"

namespace jikji {

// Makes what is missing.
Result<> MigrateGovernance(Database& database);

}  // namespace jikji

#endif  // JIKJI_GOVERN_SCHEMA_H_
