#include "tensor/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tensor/testing/bytes.h"

namespace jikji {
namespace {

using ::jikji::testing::ExactBytes;
using ::jikji::testing::SafetensorsBytes;
using ::testing::HasSubstr;
using ::testing::StartsWith;

void ExpectRefused(const std::string& bytes, const std::string& message,
                   ErrorCode code = ErrorCode::kMalformed) {
  const ExactBytes file(bytes);
  const auto parsed = ParseSafetensors(file.span(), "m.safetensors");
  ASSERT_FALSE(parsed) << "accepted, not refused: " << message;
  EXPECT_THAT(parsed.error().message, HasSubstr(message));
  EXPECT_THAT(parsed.error().where, StartsWith("m.safetensors:"));
  EXPECT_EQ(parsed.error().code, code) << parsed.error().message;
}

void ExpectRefused(std::string_view header, size_t data_bytes, const std::string& message,
                   ErrorCode code = ErrorCode::kMalformed) {
  ExpectRefused(SafetensorsBytes(header, data_bytes), message, code);
}

void ExpectParsed(std::string_view header, size_t data_bytes) {
  const ExactBytes file(SafetensorsBytes(header, data_bytes));
  const auto parsed = ParseSafetensors(file.span(), "m.safetensors");
  EXPECT_TRUE(parsed) << parsed.error().ToString();
}

TEST(SafetensorsTest, ReadsTensorsAndMetadata) {
  const ExactBytes file(
      SafetensorsBytes(R"({"__metadata__":{"format":"pt"},)"
                       R"("w":{"dtype":"BF16","shape":[2,3],"data_offsets":[8,20]},)"
                       R"("b\u0061":{"data_offsets":[0,8],"shape":[2],"dtype":"F32"},)"
                       R"("scalar":{"dtype":"F16","shape":[],"data_offsets":[20,22]},)"
                       R"("none":{"dtype":"F16","shape":[0,4],"data_offsets":[20,20]}}   )",
                       22));
  const auto parsed = ParseSafetensors(file.span(), "m.safetensors");
  ASSERT_TRUE(parsed) << parsed.error().ToString();
  EXPECT_EQ(parsed->metadata.at("format"), "pt");
  ASSERT_EQ(parsed->tensors.size(), 4u);
  EXPECT_EQ(parsed->tensors[0].name, "ba");
  EXPECT_EQ(parsed->tensors[0].dtype, DType::kF32);
  EXPECT_EQ(parsed->tensors[1].name, "none");
  EXPECT_EQ(parsed->tensors[1].values(), 0);
  EXPECT_EQ(parsed->tensors[2].name, "scalar");
  EXPECT_EQ(parsed->tensors[2].values(), 1);
  EXPECT_EQ(parsed->tensors[3].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(parsed->tensors[3].data.data(), file.span().data() + file.span().size() - 14);
}

TEST(SafetensorsTest, LengthOfTheHeader) {
  ExpectRefused("", "shorter than the 8 bytes");
  ExpectRefused(std::string(7, '\0'), "shorter than the 8 bytes");
  ExpectRefused(std::string(8, '\0'), "must begin with `{`");
  ExpectRefused(std::string("\x03\0\0\0\0\0\0\0{}", 10), "cut short");
  ExpectRefused(std::string("\x01\xE1\xF5\x05\0\0\0\0{}", 10), "at most 100000000");
  ExpectRefused(std::string(8, '\xFF') + "{}", "at most 100000000");
}

TEST(SafetensorsTest, BordersOfTheHeader) {
  ExpectParsed("{}", 0);
  ExpectParsed("{}      ", 0);
  ExpectRefused(" {}", 0, "must begin with `{`");
  ExpectRefused("[]", 0, "must begin with `{`");
  ExpectRefused("{}\n", 0, "nothing but spaces");
  ExpectRefused(std::string("{}\0", 3), 0, "nothing but spaces");
  ExpectRefused("{} {}", 0, "more than one JSON value");
  ExpectRefused("{", 0, "must end with `}`");
  ExpectRefused("{\"a}", 0, "not valid JSON");
  ExpectRefused("{\"\xFF\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4,
                "not valid JSON");
  ExpectRefused("{\"\\ud800\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}", 4,
                "not valid JSON");
}

TEST(SafetensorsTest, RepeatedKeysAreRefused) {
  const std::string a = R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},)";
  ExpectRefused(a + R"("a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4,
                "`a` comes twice");
  ExpectRefused(a + R"("\u0061":{"dtype":"F32","shape":[],"data_offsets":[4,8]}})", 8,
                "`a` comes twice");
  ExpectRefused(R"({"a":{"dtype":"F32","dtype":"F32","shape":[],"data_offsets":[0,4]}})", 4,
                "`dtype` twice");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[],"shape":[],"data_offsets":[0,4]}})", 4,
                "`shape` twice");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"data_offsets":[0,4]}})", 4,
                "`data_offsets` twice");
  ExpectRefused(R"({"__metadata__":{},"__metadata__":{}})", 0, "`__metadata__` comes twice");
  ExpectRefused(R"({"__metadata__":{"k":"1","k":"2"}})", 0, "key `k` twice");
}

TEST(SafetensorsTest, MetadataIsStringsAlone) {
  ExpectParsed(R"({"__metadata__":{"a":"b"}})", 0);
  ExpectRefused(R"({"__metadata__":"text"})", 0, "must be an object");
  ExpectRefused(R"({"__metadata__":{"a":1}})", 0, "must be a string, not a number");
  ExpectRefused(R"({"__metadata__":{"a":{}}})", 0, "must be a string, not an object");
  ExpectRefused(R"({"__metadata__":{"a":["b"]}})", 0, "must be a string, not an array");
  ExpectRefused(R"({"__metadata__":{"a":null}})", 0, "must be a string");
}

TEST(SafetensorsTest, FieldsOfATensor) {
  ExpectRefused(R"({"a":5})", 0, "must be an object, not a number");
  ExpectRefused(R"({"a":{}})", 0, "must have `dtype`");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[]}})", 0, "must have `dtype`");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4],"x":1}})", 4,
                "unknown field `x`");
  ExpectRefused(R"({"a":{"dtype":"Q4_0","shape":[],"data_offsets":[0,4]}})", 4,
                "unknown dtype `Q4_0`");
  ExpectRefused(R"({"a":{"dtype":32,"shape":[],"data_offsets":[0,4]}})", 4, "`dtype` must be");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":1,"data_offsets":[0,4]}})", 4, "`shape` must be");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}})", 4, "`shape`");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4, "`shape`");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":["1"],"data_offsets":[0,4]}})", 4, "`shape`");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[[1]],"data_offsets":[0,4]}})", 4, "`shape`");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0]}})", 4, "must be two");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4,8]}})", 4, "must be two");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[],"data_offsets":[0,4e0]}})", 4, "`data_offsets`");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[],"data_offsets":{}}})", 4, "`data_offsets`");
  ExpectRefused(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],)"
                R"("data_offsets":[0,4]}})",
                4, "more than 16 dimensions");
}

std::string OneF32(const std::string& shape, const std::string& offsets) {
  return R"({"a":{"dtype":"F32","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}}";
}

TEST(SafetensorsTest, SizesMustAgree) {
  ExpectParsed(OneF32("2", "0,8"), 8);
  ExpectRefused(OneF32("2", "0,4"), 4, "`data_offsets` give 4 bytes, dtype and shape 8");
  ExpectRefused(OneF32("2", "0,12"), 12, "`data_offsets` give 12 bytes");
  ExpectRefused(OneF32("2", "8,0"), 8, "not a range");
  ExpectRefused(OneF32("2", "0,8"), 7, "not a range of the 7 data bytes");
  ExpectRefused(OneF32("2", "0,18446744073709551615"), 8, "not a range");
}

TEST(SafetensorsTest, ProductsOfShapesDoNotWrap) {
  ExpectRefused(OneF32("4294967296,4294967296", "0,0"), 0, "fits 64 bits");
  ExpectRefused(OneF32("4611686018427387904", "0,0"), 0, "fits 64 bits");
  ExpectRefused(OneF32("9223372036854775808", "0,0"), 0, "over 2^63 - 1");
  ExpectRefused(OneF32("99999999999999999999", "0,0"), 0, "`shape` must be");
  ExpectRefused(OneF32("4611686018427387904,4,0", "0,0"), 0, "fits 64 bits");
  ExpectRefused(R"({"a":{"dtype":"F4","shape":[1],"data_offsets":[0,0]}})", 0, "fits 64 bits");
}

TEST(SafetensorsTest, TensorsTileTheFile) {
  const auto two = [](const char* first, const char* second) {
    return std::string(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[)") + first +
           R"(]},"b":{"dtype":"F32","shape":[1],"data_offsets":[)" + second + "]}}";
  };
  ExpectParsed(two("0,4", "4,8"), 8);
  ExpectParsed(two("4,8", "0,4"), 8);
  ExpectRefused(two("0,4", "0,4"), 8, "no hole and no overlap");
  ExpectRefused(two("0,4", "2,6"), 8, "no hole and no overlap");
  ExpectRefused(two("0,4", "8,12"), 12, "no hole and no overlap");
  ExpectRefused(two("4,8", "8,12"), 12, "no hole and no overlap");
  ExpectRefused(two("0,4", "4,8"), 9, "must end with the last tensor");
  ExpectRefused("{}", 1, "must end with the last tensor");
}

TEST(SafetensorsTest, OtherTypesAreNamed) {
  ExpectRefused(R"({"mask":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 1,
                "`mask` has the type BOOL", ErrorCode::kUnsupported);
  ExpectRefused(R"({"w":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]}})", 3, "F8_E4M3",
                ErrorCode::kUnsupported);
  ExpectRefused(R"({"w":{"dtype":"F4","shape":[2],"data_offsets":[0,1]}})", 1, "F4",
                ErrorCode::kUnsupported);
}

TEST(SafetensorsTest, ErrorsSayWhere) {
  const std::string header = R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},)"
                             R"("b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})";
  const ExactBytes file(SafetensorsBytes(header, 12));
  const auto parsed = ParseSafetensors(file.span(), "m.safetensors");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().where, "m.safetensors:" + std::to_string(8 + header.find("b\":")));
}

TEST(SafetensorsTest, DeepNestingIsRefused) {
  const std::string deep = "{\"a\":" + std::string(100000, '[') + std::string(100000, ']') + "}";
  ExpectRefused(deep, 0, "must be an object, not an array");
}

TEST(SafetensorsTest, TruncatedAnywhereIsRefused) {
  const std::string whole = SafetensorsBytes(OneF32("2", "0,8"), 8);
  for (size_t size = 0; size < whole.size(); ++size) {
    const ExactBytes file(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(ParseSafetensors(file.span(), "m.safetensors")) << size;
  }
}

}  // namespace
}  // namespace jikji
