#include "kernels/isa.h"

#include <gtest/gtest.h>

namespace jikji::kernels {
namespace {

TEST(Isa, NamesAreReadBackAndOthersRefused) {
  for (const Isa isa : AvailableIsas()) EXPECT_EQ(ParseIsa(IsaName(isa)).value(), isa);
  const auto unknown = ParseIsa("sse9");
  ASSERT_FALSE(unknown);
  EXPECT_NE(unknown.error().message.find("portable, avx2, avx512-vnni, avx512-bf16"),
            std::string::npos);
}

TEST(Isa, WhatIsSetIsActive) {
  const Isa before = ActiveIsa();
  EXPECT_EQ(before, AvailableIsas().back());
  ASSERT_TRUE(SetIsa(Isa::kPortable));
  EXPECT_EQ(ActiveIsa(), Isa::kPortable);
  ASSERT_TRUE(SetIsa(before));
}

}  // namespace
}  // namespace jikji::kernels
