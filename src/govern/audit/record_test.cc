#include "govern/audit/record.h"

#include <gtest/gtest.h>

#include <random>

#include "base/test_rounds.h"
#include "govern/audit/head.h"

namespace jikji::audit {
namespace {

std::string RandomBytes(std::mt19937& random, size_t most) {
  std::string out(random() % (most + 1), '\0');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

Record RandomRecord(std::mt19937& random) {
  Record record;
  record.index = random();
  record.time = random();
  record.tenant_index = random();
  for (uint8_t& byte : record.previous) byte = static_cast<uint8_t>(random());
  record.tenant = RandomBytes(random, 20);
  record.event = RandomBytes(random, kMaxNameBytes);
  for (size_t i = random() % 5; i > 0; --i) {
    record.fields.push_back({RandomBytes(random, 20), RandomBytes(random, 1000), i % 2 == 0});
  }
  return record;
}

TEST(Record, ComesBackAsItWas) {
  std::mt19937 random(1);
  for (int round = 0; round < TestRounds(1000); ++round) {
    const Record record = RandomRecord(random);
    ASSERT_TRUE(CheckRecord(record).has_value());
    std::string bytes;
    EncodeRecord(record, bytes);
    const auto back = DecodeRecord(bytes);
    ASSERT_TRUE(back.has_value());
    ASSERT_EQ(*back, record);
    ASSERT_FALSE(DecodeRecord(bytes + "x").has_value());
    ASSERT_FALSE(DecodeRecord(std::string_view(bytes).substr(0, random() % bytes.size())));
  }
}

// One record, one text: whatever is read encodes to the very bytes it was read from.
TEST(Record, NoTwoTextsAreOneRecord) {
  std::mt19937 random(2);
  for (int round = 0; round < TestRounds(20000); ++round) {
    std::string bytes;
    EncodeRecord(RandomRecord(random), bytes);
    bytes[random() % bytes.size()] = static_cast<char>(random());
    const auto read = DecodeRecord(bytes);
    if (!read) continue;
    std::string again;
    EncodeRecord(*read, again);
    ASSERT_EQ(again, bytes);
  }
}

TEST(Record, LimitsAreErrors) {
  Record record;
  record.tenant = std::string(256, 't');
  EXPECT_FALSE(CheckRecord(record).has_value());
  record.tenant.clear();
  record.fields.push_back({"f", std::string(65536, 'v')});
  EXPECT_FALSE(CheckRecord(record).has_value());
  record.fields.assign(65, {});
  EXPECT_FALSE(CheckRecord(record).has_value());
}

TEST(Head, ComesBackFromBytesAndJson) {
  SignedHead head{.size = 7, .time = 123, .root = Sha256Of({"x"}), .signature = {}};
  head.signature[63] = 9;
  std::string bytes;
  EncodeHead(head, bytes);
  EXPECT_EQ(DecodeHead(bytes), head);
  EXPECT_FALSE(DecodeHead(bytes + "x").has_value());
  EXPECT_EQ(HeadFromJson(HeadToJson(head), "head"), head);
  for (const char* wrong : {"", "[]", "{}", R"({"size":-1,"time":1,"root":"","signature":""})",
                            R"({"size":1,"time":1,"root":"00","signature":"00"})"}) {
    EXPECT_FALSE(HeadFromJson(wrong, "head").has_value()) << wrong;
  }
}

}  // namespace
}  // namespace jikji::audit
