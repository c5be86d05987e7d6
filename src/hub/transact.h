// Transactions of a hub, in turn.
//
// SQLite lets writers wait by asking again and again, so under load one may find it locked each
// time. Those of this program wait in a queue instead, and ask once.
#ifndef JIKJI_HUB_TRANSACT_H_
#define JIKJI_HUB_TRANSACT_H_

#include <functional>

#include "base/error.h"
#include "store/database.h"

namespace jikji::hub {

// As InTransaction. Not within another.
Result<> Transact(Database& database, const std::function<Result<>()>& body);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_TRANSACT_H_
