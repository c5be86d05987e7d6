// The PostgreSQL side of Database. Internal to store/.
#ifndef JIKJI_STORE_POSTGRES_H_
#define JIKJI_STORE_POSTGRES_H_

#include <memory>
#include <string>

#include "store/database.h"

namespace jikji {

// A connection that breaks is made anew by the next statement outside a transaction.
Result<std::unique_ptr<Database>> OpenPostgres(const std::string& url);

}  // namespace jikji

#endif  // JIKJI_STORE_POSTGRES_H_
