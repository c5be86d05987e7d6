// Any bytes as the saved state of a simulation: an error, or what they say and no more memory than
// they are worth.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "twin/state_stream.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jikji;
  const int file = memfd_create("state", MFD_CLOEXEC);
  if (write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  if (const auto reader =
          twin::StateReader::Open(fmt::format("/proc/self/fd/{}", file), "rate = 1\n")) {
    uint64_t number = 0;
    std::vector<uint64_t> list;
    HugeArray<uint32_t> table(50'000);
    (*reader)->Plain(number);
    (*reader)->List(list);
    (*reader)->Table(table);
    if (const auto end = (*reader)->Finish(); !end && end.error().where.empty()) std::abort();
  }
  close(file);
  return 0;
}
