// What the log is chained with.
#ifndef JIKJI_GOVERN_AUDIT_HASH_H_
#define JIKJI_GOVERN_AUDIT_HASH_H_

#include "store/digest.h"

namespace jikji::audit {

using Hash = Digest;

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_HASH_H_
