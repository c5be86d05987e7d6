// For tests: runs a body once on each instruction set that this machine has.
#ifndef JIKJI_KERNELS_EACH_ISA_H_
#define JIKJI_KERNELS_EACH_ISA_H_

#include <gtest/gtest.h>

#include <string>

#include "kernels/isa.h"

namespace jikji::kernels {

template <class Body>
void ForEachIsa(Body body) {
  const Isa before = ActiveIsa();
  for (Isa isa : AvailableIsas()) {
    SCOPED_TRACE(std::string(IsaName(isa)));
    ASSERT_TRUE(SetIsa(isa));
    body();
  }
  ASSERT_TRUE(SetIsa(before));
}

}  // namespace jikji::kernels

#endif  // JIKJI_KERNELS_EACH_ISA_H_
