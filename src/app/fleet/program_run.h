// Runs another program to its end and keeps what it says.
#ifndef JIKJI_APP_FLEET_PROGRAM_RUN_H_
#define JIKJI_APP_FLEET_PROGRAM_RUN_H_

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji {

// words[0] is looked up in PATH; no shell reads them. `input` is its standard input. Its standard
// output, if it ends with 0; else an error that holds what it wrote to standard error.
Result<std::string> RunProgram(std::vector<std::string> words, std::string_view input = {});

}  // namespace jikji

#endif  // JIKJI_APP_FLEET_PROGRAM_RUN_H_
