// `jikji simulate --validate`: how far the twin's models are from what was measured.
#ifndef JIKJI_APP_SIMULATE_VALIDATE_H_
#define JIKJI_APP_SIMULATE_VALIDATE_H_

#include <string>

#include "base/error.h"

namespace jikji {

// `points`: the file of serving points; `power`: a folder of *_perf.csv.zst. Prints, as JSON or
// not.
Result<> ValidateTwin(const std::string& points, const std::string& power, bool json);

}  // namespace jikji

#endif  // JIKJI_APP_SIMULATE_VALIDATE_H_
