// The tables of a hub. docs/design/hub.md draws them.
#ifndef JIKJI_HUB_SCHEMA_H_
#define JIKJI_HUB_SCHEMA_H_

#include "store/database.h"

namespace jikji::hub {

// Makes what is missing.
Result<> MigrateHub(Database& database);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_SCHEMA_H_
