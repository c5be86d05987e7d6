#include "kernels/isa.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace jikji::kernels {
namespace {

TEST(Isa, ThePortableOneIsAlwaysThereAndFirst) {
  const auto isas = AvailableIsas();
  ASSERT_FALSE(isas.empty());
  EXPECT_EQ(isas.front(), Isa::kPortable);
  std::set<std::string_view> names;
  for (Isa isa : isas) names.insert(IsaName(isa));
  EXPECT_EQ(names.size(), isas.size());
}

TEST(Isa, SetTakesWhatIsAvailableOnly) {
  const Isa before = ActiveIsa();
  const auto isas = AvailableIsas();
  for (Isa isa : {Isa::kPortable, Isa::kAvx2, Isa::kAvx512}) {
    const bool available = std::find(isas.begin(), isas.end(), isa) != isas.end();
    EXPECT_EQ(SetIsa(isa).has_value(), available);
    if (!available) continue;
    EXPECT_EQ(ActiveIsa(), isa);
  }
  ASSERT_TRUE(SetIsa(before));
}

}  // namespace
}  // namespace jikji::kernels
