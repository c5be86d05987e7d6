#include "net/cancellation.h"

#include <sys/eventfd.h>
#include <unistd.h>

namespace jikji::net {

Cancellation::Cancellation() : descriptor_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Cancellation::~Cancellation() {
  if (descriptor_ >= 0) close(descriptor_);
}

void Cancellation::Cancel() {
  if (descriptor_ >= 0) eventfd_write(descriptor_, 1);
}

}  // namespace jikji::net
