// `jikji inspect --gpu`: the GPUs of this machine, as their driver tells them.
#ifndef JIKJI_APP_GPU_REPORT_H_
#define JIKJI_APP_GPU_REPORT_H_

#include "base/error.h"

namespace jikji {

// A GPU that does not answer is told as such among the others; no driver at all is an error.
Result<> PrintGpus(bool json);

}  // namespace jikji

#endif  // JIKJI_APP_GPU_REPORT_H_
