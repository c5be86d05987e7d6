// JSON in which no object names a field twice: for what is signed, where two readers must not see
// two things.
#ifndef JIKJI_BASE_JSON_STRICT_H_
#define JIKJI_BASE_JSON_STRICT_H_

#include "base/json.h"

namespace jikji {

// As ParseJson; kMalformed where a field is named twice, however its name is written.
Result<boost::json::value> ParseStrictJson(std::string_view text, std::string_view where,
                                           const JsonLimits& limits);

}  // namespace jikji

#endif  // JIKJI_BASE_JSON_STRICT_H_
