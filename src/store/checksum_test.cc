#include "store/checksum.h"

#include <gtest/gtest.h>

namespace jikji {
namespace {

TEST(Checksum, IsXxh64) {
  // What `xxhsum -H1` prints.
  EXPECT_EQ(Xxh64(""), 0xEF46DB3751D8E999u);
  EXPECT_EQ(Xxh64("a"), 0xD24EC4F1A98C6E5Bu);
  EXPECT_EQ(Xxh64("abc"), 0x44BC2CF5AD770999u);
  EXPECT_EQ(Xxh64("Call me Ishmael. Some years ago--never mind how long precisely-"),
            0x02A2E85470D6FD96u);
  EXPECT_NE(Xxh64("abc", 1), Xxh64("abc"));
}

TEST(Checksum, IsCrc32) { EXPECT_EQ(Crc32("123456789"), 0xCBF43926u); }

}  // namespace
}  // namespace jikji
