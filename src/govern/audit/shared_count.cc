#include "govern/audit/shared_count.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace jikji::audit {

SharedCount::~SharedCount() {
  if (count_ != nullptr) munmap(count_, sizeof *count_);
}

Result<> SharedCount::Open(const std::filesystem::path& file) {
  const auto failed = [&] { return Fail(ErrorCode::kIo, std::strerror(errno), file.string()); };
  const int descriptor = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return failed();
  // Blocks of the disk now: a store into a hole of a full disk would be a signal.
  const int error = posix_fallocate(descriptor, 0, sizeof *count_);
  void* const place =
      error != 0 ? MAP_FAILED
                 : mmap(nullptr, sizeof *count_, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
  if (error != 0) errno = error;
  const auto result = place == MAP_FAILED ? Result<>(failed()) : Result<>();
  close(descriptor);
  if (result) count_ = static_cast<uint64_t*>(place);
  return result;
}

}  // namespace jikji::audit
