// The SQLite side of Database. Internal to store/.
#ifndef JIKJI_STORE_SQLITE_H_
#define JIKJI_STORE_SQLITE_H_

#include <memory>
#include <string>

#include "store/database.h"

namespace jikji {

Result<std::unique_ptr<Database>> OpenSqlite(const std::string& path);

}  // namespace jikji

#endif  // JIKJI_STORE_SQLITE_H_
