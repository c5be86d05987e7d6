// Any bytes as what squeue and sinfo print: an error that says where, or jobs and machines.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "app/fleet/slurm_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jikji;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto jobs = ParseSqueue(text)) {
    for (const SlurmJob& job : *jobs) {
      // An id goes back to Slurm as an argument.
      if (job.id.empty() || job.id.find_first_of("|\n") != std::string::npos) std::abort();
    }
  } else if (jobs.error().message.empty()) {
    std::abort();
  }
  if (const auto machines = ParseSinfo(text); !machines && machines.error().message.empty()) {
    std::abort();
  }
  return 0;
}
