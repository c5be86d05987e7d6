#include "base/huge_array.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace jikji {
namespace {

TEST(HugeArray, IsZerosUntilItIsWritten) {
  HugeArray<uint64_t> array(3'000'000);
  ASSERT_EQ(array.size(), 3'000'000u);
  EXPECT_EQ(std::ranges::count(array, 0u), 3'000'000);
  for (size_t i = 0; i < array.size(); i += 4097) array[i] = i + 1;
  HugeArray<uint64_t> moved = std::move(array);
  for (size_t i = 0; i < moved.size(); ++i) {
    ASSERT_EQ(moved[i], i % 4097 == 0 ? i + 1 : 0);
  }
}

TEST(HugeArray, MayBeEmptyAndFarLargerThanWhatIsTouched) {
  EXPECT_EQ(HugeArray<int>(0).begin(), HugeArray<int>(0).end());
  HugeArray<std::byte> large(size_t{1} << 34);
  large[size_t{1} << 33] = std::byte{1};
  EXPECT_EQ(large[(size_t{1} << 33) + 1], std::byte{0});
}

}  // namespace
}  // namespace jikji
