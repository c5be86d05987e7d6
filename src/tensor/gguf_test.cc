#include "tensor/gguf.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tensor/testing/bytes.h"

namespace jikji {
namespace {

using ::jikji::testing::ExactBytes;
using ::jikji::testing::GgufBytes;
using ::testing::HasSubstr;

constexpr uint32_t kU32 = 4, kF32Value = 6, kBool = 7, kText = 8, kArray = 9, kU64 = 10;
constexpr uint32_t kF32 = 0, kQ4_0 = 2;  // tensor types

// Parsing fails at the byte `offset` with a message that has `message` in it.
void ExpectRefused(const std::string& bytes, uint64_t offset, const std::string& message,
                   ErrorCode code = ErrorCode::kMalformed) {
  const ExactBytes file(bytes);
  const auto parsed = ParseGguf(file.span(), "m.gguf");
  ASSERT_FALSE(parsed) << "accepted, not refused: " << message;
  EXPECT_THAT(parsed.error().message, HasSubstr(message));
  EXPECT_EQ(parsed.error().where, "m.gguf:" + std::to_string(offset)) << parsed.error().message;
  EXPECT_EQ(parsed.error().code, code) << parsed.error().message;
}

GgufFile ExpectParsed(const ExactBytes& file) {
  auto parsed = ParseGguf(file.span(), "m.gguf");
  EXPECT_TRUE(parsed) << parsed.error().ToString();
  return parsed ? *std::move(parsed) : GgufFile{};
}

TEST(GgufTest, ReadsValuesAndTensors) {
  GgufBytes bytes(2, 5);
  bytes.Key("general.architecture", kText).Text("llama");
  bytes.Key("llama.block_count", kU32).Put<uint32_t>(5);
  bytes.Key("eps", kF32Value).Put(0.5f);
  bytes.Key("yes", kBool).Put<uint8_t>(1);
  bytes.Ints("numbers", {-1, 2});
  bytes.Tensor("b", {3, 2}, kF32, 0).Tensor("a", {32}, kQ4_0, 32).Data(32 + 18);
  const ExactBytes file(bytes.bytes());
  const GgufFile parsed = ExpectParsed(file);
  EXPECT_EQ(parsed.version, 3u);
  EXPECT_EQ(parsed.metadata.Int("llama.block_count").value(), 5);
  EXPECT_EQ(parsed.metadata.Number("llama.block_count").value(), 5.0);
  EXPECT_EQ(parsed.metadata.Number("eps").value(), 0.5);
  EXPECT_EQ(parsed.metadata.Bool("yes").value(), true);
  EXPECT_EQ(*parsed.metadata.Ints("numbers").value(), (std::vector<int64_t>{-1, 2}));
  EXPECT_EQ(parsed.metadata.Strings("absent").value(), nullptr);
  EXPECT_EQ(parsed.metadata.Int("absent").value(), std::nullopt);
  ASSERT_EQ(parsed.tensors.size(), 2u);
  EXPECT_EQ(parsed.tensors[0].name, "a");
  EXPECT_EQ(parsed.tensors[0].dtype, DType::kQ4_0);
  EXPECT_EQ(parsed.tensors[0].data.size(), 18u);
  EXPECT_EQ(parsed.tensors[1].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(parsed.tensors[1].rows(), 2);
  EXPECT_EQ(parsed.tensors[1].cols(), 3);
}

TEST(GgufTest, WrongTypesOfValuesNameTheKey) {
  GgufBytes bytes(0, 2);
  bytes.Key("text", kText).Text("no number").Key("big", kU64).Put<uint64_t>(1ull << 63);
  const ExactBytes file(bytes.bytes());
  const GgufFile parsed = ExpectParsed(file);
  EXPECT_THAT(parsed.metadata.Int("text").error().message,
              HasSubstr("`text` must be an integer, not a string"));
  EXPECT_THAT(parsed.metadata.Strings("text").error().message, HasSubstr("array of strings"));
  EXPECT_THAT(parsed.metadata.Int("big").error().message, HasSubstr("at most 2^63 - 1"));
  EXPECT_EQ(parsed.metadata.Number("big").value(), 0x1p63);
}

TEST(GgufTest, MagicAndVersion) {
  ExpectRefused("", 0, "cut short");
  ExpectRefused("GGU", 3, "cut short");
  ExpectRefused("GGMLxxxxxxxxxxxxxxxxxxxxxxx", 0, "must begin with `GGUF`");
  std::string bytes = GgufBytes(0, 0).bytes();
  const auto with_version = [&](char byte, size_t at) {
    std::string out = bytes;
    out[4] = 0;
    out[at] = byte;
    return out;
  };
  ExpectRefused(with_version(0, 4), 4, "version 0");
  ExpectRefused(with_version(1, 4), 4, "version 1", ErrorCode::kUnsupported);
  ExpectRefused(with_version(4, 4), 4, "version 4");
  ExpectRefused(with_version(3, 7), 4, "big-endian", ErrorCode::kUnsupported);
  for (const char version : {2, 3}) {
    const ExactBytes file(with_version(version, 4));
    EXPECT_EQ(ExpectParsed(file).version, static_cast<uint32_t>(version));
  }
}

TEST(GgufTest, CountsAreHeldToTheFile) {
  ExpectRefused(GgufBytes(1, 0).bytes(), 8, "1 tensors in a file of 24 bytes");
  ExpectRefused(GgufBytes(~0ull, 0).bytes(), 8, "tensors");
  ExpectRefused(GgufBytes(0, 1).bytes(), 16, "1 key-values");
  ExpectRefused(GgufBytes(0, ~0ull).bytes(), 16, "key-values");
  ExpectRefused(GgufBytes((1 << 20) + 1, 0).Data(64 << 20).bytes(), 8, "tensors");
  ExpectRefused(GgufBytes(0, (1 << 16) + 1).Data(1 << 20).bytes(), 16, "key-values");
}

TEST(GgufTest, KeysAreUniquePrintableAndShort) {
  ExpectRefused(GgufBytes(0, 2).Key("a", kBool).Put('\1').Key("a", kBool).Put('\1').bytes(), 38,
                "`a` comes twice");
  ExpectRefused(GgufBytes(0, 1).Key("", kU32).Put<uint32_t>(1).bytes(), 24, "printable ASCII");
  ExpectRefused(GgufBytes(0, 1).Key("a\n", kU32).Put<uint32_t>(1).bytes(), 24, "printable ASCII");
  ExpectRefused(GgufBytes(0, 1).Key(std::string(65536, 'k'), kU32).Put(1).bytes(), 24,
                "at most 65535");
}

TEST(GgufTest, ValuesAreWellFormed) {
  ExpectRefused(GgufBytes(0, 1).Key("a", 13).Put<uint64_t>(1).bytes(), 33, "unknown type 13");
  ExpectRefused(GgufBytes(0, 1).Key("a", kBool).Put<uint8_t>(2).bytes(), 37, "neither 0 nor 1");
  ExpectRefused(GgufBytes(0, 1).Key("a", kText).Text("\xFF").bytes(), 37, "not UTF-8");
  ExpectRefused(GgufBytes(0, 1).Array("a", kArray, 1).Put<uint64_t>(0).bytes(), 37,
                "array of arrays", ErrorCode::kUnsupported);
  ExpectRefused(GgufBytes(0, 1).Array("a", kU64, 1).Put(~0ull).bytes(), 49, "over 2^63 - 1");
  ExpectRefused(GgufBytes(0, 1).Array("a", kBool, 2).Put<uint16_t>(0x0201).bytes(), 50,
                "neither 0 nor 1");
}

TEST(GgufTest, ArraysAreHeldToTheFileAndToACap) {
  ExpectRefused(GgufBytes(0, 1).Array("a", kU32, 3).Put<uint64_t>(0).bytes(), 37,
                "more than the 8 bytes that remain");
  ExpectRefused(GgufBytes(0, 1).Array("a", kText, 1ull << 61).Put<uint64_t>(0).bytes(), 37,
                "at most 8388608");
  ExpectRefused(GgufBytes(0, 1).Array("a", kBool, (8 << 20) + 1).Data(9 << 20).bytes(), 37,
                "at most 8388608");
  ExpectRefused(GgufBytes(0, 1).Key("a", kText).Put<uint64_t>(100).bytes(), 45, "cut short");
  ExpectRefused(GgufBytes(0, 1).Key("a", kText).Put(~0ull).bytes(), 37, "at most 67108864");
}

TEST(GgufTest, MemoryOfDecodedValuesIsBounded) {
  // Each array of 8 Mi empty strings takes 64 MiB of the file and 256 MiB of memory.
  GgufBytes bytes(0, 3);
  const std::string empty(64 << 20, '\0');
  for (const char* key : {"a", "b", "c"}) {
    bytes.Array(key, kText, 8 << 20);
    for (const char c : empty) bytes.Put(c);
  }
  const auto parsed = ParseGguf(std::as_bytes(std::span(bytes.bytes())), "m.gguf");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kResourceExhausted);
}

TEST(GgufTest, AlignmentIsABoundedPowerOfTwo) {
  for (const uint32_t alignment : {0u, 1u, 4u, 24u, 1u << 21, 1u << 31, ~0u}) {
    ExpectRefused(GgufBytes(0, 1).Key("general.alignment", kU32).Put(alignment).bytes(), 24,
                  "power of two");
  }
  ExpectRefused(GgufBytes(0, 1).Key("general.alignment", kU64).Put(1ull << 40).bytes(), 24,
                "power of two");
  ExpectRefused(GgufBytes(0, 1).Key("general.alignment", kText).Text("32").bytes(), 24,
                "power of two");
  GgufBytes good(2, 1);
  good.Key("general.alignment", kU32).Put<uint32_t>(64);
  good.Tensor("a", {1}, kF32, 0).Tensor("b", {1}, kF32, 64).Data(68, 64);
  EXPECT_EQ(ExpectParsed(ExactBytes(good.bytes())).alignment, 64u);
}

TEST(GgufTest, NamesOfTensors) {
  const auto named = [](std::string_view name) {
    return GgufBytes(1, 0).Tensor(name, {1}, kF32, 0).Data(32).bytes();
  };
  ExpectRefused(named(""), 24, "empty");
  ExpectRefused(named("a\x1b[2J"), 24, "control characters");
  ExpectRefused(named("\xC0\x80"), 24, "not UTF-8");
  ExpectRefused(named(std::string(65, 'n')), 24, "at most 64");
  ExpectParsed(ExactBytes(named(std::string(64, 'n'))));
  ExpectRefused(
      GgufBytes(2, 0).Tensor("a", {1}, kF32, 0).Tensor("a", {1}, kF32, 32).Data(64).bytes(), 57,
      "`a` comes twice");
}

TEST(GgufTest, ShapesOfTensors) {
  const auto shaped = [](const std::vector<uint64_t>& dimensions, uint32_t type) {
    return GgufBytes(1, 0).Tensor("a", dimensions, type, 0).Data(64).bytes();
  };
  ExpectRefused(shaped({}, kF32), 33, "0 dimensions");
  ExpectRefused(shaped({1, 1, 1, 1, 1}, kF32), 33, "5 dimensions");
  ExpectRefused(shaped({0}, kF32), 37, "dimension of 0");
  ExpectRefused(shaped({4, ~0ull}, kF32), 45, "1 to 2^63 - 1");
  ExpectRefused(shaped({16}, kQ4_0), 45, "not a multiple of the 32");
  ExpectRefused(shaped({1}, 4), 45, "unknown type 4");
  ExpectRefused(shaped({1}, 43), 45, "unknown type 43");
  ExpectRefused(shaped({1}, 3), 45, "`a` has the type Q4_1", ErrorCode::kUnsupported);
  ExpectRefused(shaped({1}, 16), 45, "IQ2_XXS", ErrorCode::kUnsupported);
  ExpectRefused(shaped({1}, 28), 45, "F64", ErrorCode::kUnsupported);
  ExpectRefused(shaped({1}, 26), 45, "I32", ErrorCode::kUnsupported);
}

TEST(GgufTest, PlacesOfTensors) {
  const auto two = [](uint64_t first, uint64_t second) {
    return GgufBytes(2, 0)
        .Tensor("a", {8}, kF32, first)
        .Tensor("b", {8}, kF32, second)
        .Data(64)
        .bytes();
  };
  ExpectParsed(ExactBytes(two(0, 32)));
  ExpectParsed(ExactBytes(two(32, 0)));
  ExpectRefused(two(0, 16), 82, "not a multiple of the alignment 32");
  ExpectRefused(two(0, 0), 57, "inside the one before it");
  ExpectRefused(two(0, 64), 57, "after a hole");
  ExpectRefused(two(32, 64), 24, "after a hole");
  ExpectRefused(GgufBytes(1, 0).Tensor("a", {9}, kF32, 0).Data(32).bytes(), 24, "ends after");
  // Padding after the last tensor may be missing, its data may not.
  ExpectParsed(ExactBytes(GgufBytes(1, 0).Tensor("a", {1}, kF32, 0).Data(4).bytes()));
  ExpectRefused(GgufBytes(1, 0).Tensor("a", {1}, kF32, 0).Data(3).bytes(), 24, "ends after");
  ExpectRefused(GgufBytes(1, 0).Tensor("a", {1}, kF32, 0).bytes(), 24, "ends after");
}

TEST(GgufTest, VocabularyArraysAreOfOneLength) {
  const std::vector<std::string> tokens = {"a", "b", "c"};
  GgufBytes types(0, 2);
  types.Texts("tokenizer.ggml.tokens", tokens);
  const size_t place = types.size();
  types.Ints("tokenizer.ggml.token_type", {1, 1});
  ExpectRefused(types.bytes(), place, "2 values for a vocabulary of 3");

  GgufBytes scores(0, 2);
  scores.Texts("tokenizer.ggml.tokens", tokens);
  scores.Array("tokenizer.ggml.scores", kF32Value, 4).Put(0.f).Put(0.f).Put(0.f).Put(0.f);
  ExpectRefused(scores.bytes(), place, "4 values for a vocabulary of 3");

  ExpectRefused(GgufBytes(0, 1).Ints("tokenizer.ggml.token_type", {1}).bytes(), 24,
                "1 values for a vocabulary of 0");
  ExpectRefused(GgufBytes(0, 1).Ints("tokenizer.ggml.tokens", {1}).bytes(), 24,
                "must be an array of strings");
}

TEST(GgufTest, TruncatedAnywhereIsRefused) {
  GgufBytes bytes(2, 3);
  bytes.Key("llama.block_count", kU32).Put<uint32_t>(5);
  bytes.Texts("tokenizer.ggml.tokens", {"a", "<0x0A>"});
  bytes.Ints("tokenizer.ggml.token_type", {1, 6});
  bytes.Tensor("a", {8}, kF32, 0).Tensor("b", {8}, kF32, 32).Data(64);
  const std::string whole = bytes.bytes();
  for (size_t size = 0; size < whole.size(); ++size) {
    const ExactBytes file(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(ParseGguf(file.span(), "m.gguf")) << size;
  }
  ExpectParsed(ExactBytes(whole));
}

// The attacks that other readers fell to, one by one.

// llama.cpp: the length of a token's text was cast to a signed 32-bit integer.
TEST(GgufAttackTest, Cve202549847TokenTextOfFourGigabytes) {
  GgufBytes bytes(0, 1);
  bytes.Array("tokenizer.ggml.tokens", kText, 1).Put<uint64_t>(0x80000001ull).Data(64);
  ExpectRefused(bytes.bytes(), 69, "at most 67108864");
}

// llama.cpp: the sum of all tensors' sizes wrapped round to a small buffer.
TEST(GgufAttackTest, Cve202553630SumOfTensorSizesWraps) {
  GgufBytes bytes(3, 0);
  bytes.Tensor("a", {(1ull << 61) - 8}, kF32, 0);
  bytes.Tensor("b", {(1ull << 61) - 8}, kF32, (1ull << 63) - 32);
  bytes.Tensor("c", {1024}, kF32, 0).Data(4096);
  const ExactBytes file(bytes.bytes());
  EXPECT_FALSE(ParseGguf(file.span(), "m.gguf"));
}

// llama.cpp: the check against the former passed where the last addend alone wrapped.
TEST(GgufAttackTest, Cve202627940LastTensorWrapsTheSum) {
  GgufBytes bytes(2, 0);
  bytes.Tensor("a", {8}, kF32, 0).Tensor("b", {(1ull << 62) - 1}, kF32, 32).Data(64);
  ExpectRefused(bytes.bytes(), 57, "more than 2^63 - 1 bytes");
}

// llama.cpp: ne · nb wrapped in ggml_nbytes though the number of values did not.
TEST(GgufAttackTest, Cve202633298BytesOfATensorWrap) {
  const auto shaped = [](const std::vector<uint64_t>& dimensions) {
    return GgufBytes(1, 0).Tensor("a", dimensions, kF32, 0).Data(64).bytes();
  };
  ExpectRefused(shaped({1ull << 62}), 24, "more than 2^63 - 1 bytes");
  ExpectRefused(shaped({1ull << 31, 1ull << 31}), 24, "more than 2^63 - 1 bytes");
  ExpectRefused(shaped({1ull << 32, 1ull << 32}), 45, "more than 2^63 - 1 values");
  ExpectRefused(shaped({1ull << 32, 1ull << 32, 1ull << 32, 1ull << 32}), 45, "values");
  ExpectRefused(shaped({(1ull << 63) - 1, 2}), 45, "values");
}

// llama.cpp: padding a size near 2^64 to the alignment made it 0.
TEST(GgufAttackTest, GhsaVgg9PaddingWraps) {
  GgufBytes bytes(2, 0);
  bytes.Tensor("a", {(1ull << 61) - 1}, kF32, 0).Tensor("b", {8}, kF32, 0).Data(64);
  const ExactBytes file(bytes.bytes());
  const auto parsed = ParseGguf(file.span(), "m.gguf");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().code, ErrorCode::kMalformed);

  ExpectRefused(GgufBytes(1, 0).Tensor("a", {8}, kF32, ~0ull - 31).Data(64).bytes(), 24,
                "after a hole");
}

// llama.cpp PR 24997: an alignment without an upper bound.
TEST(GgufAttackTest, HugeAlignment) {
  GgufBytes bytes(1, 1);
  bytes.Key("general.alignment", kU32).Put<uint32_t>(1u << 31);
  bytes.Tensor("a", {8}, kF32, 0).Data(32);
  ExpectRefused(bytes.bytes(), 24, "power of two from 8 to 1048576");
}

// llama.cpp PR 25969: the byte of the token `<0x-1>` indexed a table before its start.
TEST(GgufAttackTest, MalformedByteTokens) {
  for (const char* token :
       {"<0x-1>", "<0x1>", "<0x100>", "<0xG0>", "<0x0G>", "<0X00>", "0x00", "", "<0x00> "}) {
    GgufBytes bytes(0, 2);
    bytes.Texts("tokenizer.ggml.tokens", {"a", token});
    bytes.Ints("tokenizer.ggml.token_type", {1, 6});
    ExpectRefused(bytes.bytes(), 24, "the byte token 1");
  }
  GgufBytes good(0, 2);
  good.Texts("tokenizer.ggml.tokens", {"<0x-1>", "<0xfF>"});
  good.Ints("tokenizer.ggml.token_type", {1, 6});
  ExpectParsed(ExactBytes(good.bytes()));
}

// llama.cpp PR 25821: arrays of fixed length for layers.
TEST(GgufAttackTest, MoreThan512Blocks) {
  const auto blocks = [](uint32_t count) {
    return GgufBytes(0, 1).Key("llama.block_count", kU32).Put(count).bytes();
  };
  ExpectRefused(blocks(513), 24, "at most 512");
  ExpectRefused(blocks(~0u), 24, "at most 512");
  ExpectRefused(GgufBytes(0, 1).Key("x.block_count", kU64).Put(~0ull).bytes(), 24, "2^63 - 1");
  ExpectRefused(GgufBytes(0, 1).Key("x.block_count", 5).Put(-1).bytes(), 24, "at most 512");
  ExpectRefused(GgufBytes(0, 1).Key("x.block_count", kText).Text("5").bytes(), 24, "integer");
  ExpectParsed(ExactBytes(blocks(512)));
}

// Ollama CVE-2026-7482: a tensor said to be longer than the file had memory after it read.
TEST(GgufAttackTest, Cve20267482TensorLongerThanTheFile) {
  ExpectRefused(GgufBytes(1, 0).Tensor("a", {1 << 20}, kF32, 0).Data(64).bytes(), 24,
                "ends after the file's 64 data bytes");
}

}  // namespace
}  // namespace jikji
