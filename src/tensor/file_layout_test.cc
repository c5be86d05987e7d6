// What the writers lay out, the readers read back; what is broken at random, they refuse or read
// within bounds.
#include "tensor/file_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "tensor/gguf.h"
#include "tensor/safetensors.h"
#include "tensor/testing/bytes.h"

namespace jikji {
namespace {

using ::jikji::testing::ExactBytes;
using ::jikji::testing::Fill;
using ::jikji::testing::LiesWithin;
using ::testing::HasSubstr;

struct Sample {
  GgufMetadata metadata;
  std::map<std::string, std::string> texts;
  std::vector<TensorSpec> specs;
  std::vector<std::string> data;
};

class SampleMaker {
 public:
  explicit SampleMaker(uint32_t seed) : random_(seed) {}

  uint64_t Below(uint64_t limit) { return random_() % limit; }
  std::mt19937_64& random() { return random_; }

  std::string Bytes(size_t size) {
    std::string out(size, '\0');
    for (char& c : out) c = static_cast<char>(random_());
    return out;
  }
  std::string Text() {
    static const std::string kTexts[] = {
        "", "llama", "가나다", "\"\\\n\t", "한글 ㅎㅏㄴ 🧑‍🚀", "<0x0A>"};
    return kTexts[Below(std::size(kTexts))];
  }

  GgufValue Value() {
    std::vector<bool> bools(Below(5));
    for (size_t i = 0; i < bools.size(); ++i) bools[i] = Below(2) == 1;
    std::vector<int64_t> ints(Below(5));
    for (int64_t& value : ints) value = static_cast<int64_t>(random_()) >> Below(64);
    std::vector<double> doubles(Below(5));
    for (double& value : doubles) value = std::ldexp(static_cast<double>(Below(1000)), -5);
    std::vector<std::string> texts(Below(5));
    for (std::string& text : texts) text = Text();
    switch (Below(9)) {
      case 0:
        return Below(2) == 1;
      case 1:
        return static_cast<int64_t>(random_()) >> Below(64);
      case 2:
        return random_() >> Below(64);
      case 3:
        return Below(2) == 1 ? 0.1 : 0.5;  // one needs 64 bits, the other 32
      case 4:
        return Text();
      case 5:
        return bools;
      case 6:
        return ints;
      case 7:
        return doubles;
      default:
        return texts;
    }
  }

  Sample Make(bool quantised) {
    static constexpr DType kTypes[] = {DType::kF32,  DType::kF16,  DType::kBF16, DType::kQ4_0,
                                       DType::kQ8_0, DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};
    Sample sample;
    for (size_t i = Below(10); i > 0; --i)
      sample.metadata.Insert("key." + std::to_string(i), Value());
    for (size_t i = Below(4); i > 0; --i) sample.texts["key" + std::to_string(i)] = Text();
    if (Below(3) == 0) sample.metadata.Insert("general.alignment", uint64_t{8} << Below(5));
    for (size_t i = Below(6); i > 0; --i) {
      TensorSpec spec;
      spec.name = "층." + std::to_string(i) + ".weight";
      spec.dtype = kTypes[Below(quantised ? 8 : 3)];
      for (size_t rank = Below(3); rank > 0; --rank) {
        spec.shape.push_back(static_cast<int64_t>(1 + Below(3)));
      }
      spec.shape.push_back(static_cast<int64_t>(BlockValues(spec.dtype) * (1 + Below(3))));
      sample.data.push_back(Bytes(spec.Bytes().value()));
      sample.specs.push_back(std::move(spec));
    }
    return sample;
  }

 private:
  std::mt19937_64 random_;
};

void ExpectSameTensors(const Sample& sample, std::span<const TensorView> tensors) {
  ASSERT_EQ(tensors.size(), sample.specs.size());
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorSpec* spec = nullptr;
    const std::string* data = nullptr;
    for (size_t k = 0; k < sample.specs.size(); ++k) {
      if (sample.specs[k].name == tensors[i].name) {
        spec = &sample.specs[k];
        data = &sample.data[k];
      }
    }
    ASSERT_NE(spec, nullptr) << tensors[i].name;
    EXPECT_EQ(tensors[i].dtype, spec->dtype);
    EXPECT_EQ(tensors[i].shape, spec->shape);
    EXPECT_EQ(
        std::string(reinterpret_cast<const char*>(tensors[i].data.data()), tensors[i].data.size()),
        *data);
    if (i > 0) {
      EXPECT_LT(tensors[i - 1].name, tensors[i].name);
    }
  }
}

TEST(FileLayoutTest, RandomGgufFilesComeBack) {
  SampleMaker maker(1);
  for (int round = 0; round < 500; ++round) {
    const Sample sample = maker.Make(true);
    const auto layout = LayoutGguf(sample.metadata, sample.specs);
    ASSERT_TRUE(layout) << layout.error().ToString();
    const ExactBytes file(Fill(*layout, sample.data));
    const auto parsed = ParseGguf(file.span(), "random.gguf");
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    ExpectSameTensors(sample, parsed->tensors);
    EXPECT_EQ(parsed->metadata.entries(), sample.metadata.entries());
  }
}

TEST(FileLayoutTest, RandomSafetensorsFilesComeBack) {
  SampleMaker maker(2);
  for (int round = 0; round < 500; ++round) {
    const Sample sample = maker.Make(false);
    const auto layout = LayoutSafetensors(sample.texts, sample.specs);
    ASSERT_TRUE(layout) << layout.error().ToString();
    EXPECT_EQ(layout->header.size() % 64, 0u);
    const ExactBytes file(Fill(*layout, sample.data));
    const auto parsed = ParseSafetensors(file.span(), "random.safetensors");
    ASSERT_TRUE(parsed) << parsed.error().ToString();
    ExpectSameTensors(sample, parsed->tensors);
    EXPECT_EQ(parsed->metadata, sample.texts);
  }
}

// Changes some bytes, mostly of the header, to others that break formats well.
std::string Mutate(const std::string& file, size_t header_bytes, SampleMaker& maker) {
  static constexpr unsigned char kSharp[] = {0x00, 0x01, 0x7F, 0x80, 0xFF, '0', '9', '"', '}', ','};
  std::string out = file;
  for (size_t i = 1 + maker.Below(4); i > 0; --i) {
    const size_t at = maker.Below(maker.Below(10) == 0 ? out.size() : header_bytes);
    switch (maker.Below(4)) {
      case 0:
        out[at] = static_cast<char>(out[at] ^ (1 << maker.Below(8)));
        break;
      case 1:
        out[at] = static_cast<char>(kSharp[maker.Below(std::size(kSharp))]);
        break;
      case 2:
        out[at] = static_cast<char>(maker.random()());
        break;
      default:  // eight bytes at once: a length or an offset
        for (size_t k = at; k < std::min(out.size(), at + 8); ++k) {
          out[k] = static_cast<char>(kSharp[maker.Below(5)]);
        }
    }
  }
  if (maker.Below(8) == 0) out.resize(maker.Below(out.size() + 1));
  return out;
}

template <class Parsed>
void ExpectWithinBounds(const Parsed& parsed, std::span<const std::byte> file) {
  for (const TensorView& tensor : parsed.tensors) {
    ASSERT_TRUE(LiesWithin(tensor, file)) << tensor.name;
    ASSERT_TRUE(UnpackTensor(tensor)) << tensor.name;
  }
}

TEST(FileLayoutTest, MutatedFilesAreRefusedOrReadWithinBounds) {
  SampleMaker maker(3);
  int accepted = 0;
  int refused = 0;
  for (int round = 0; round < 20000; ++round) {
    const bool gguf = round % 2 == 0;
    const Sample sample = maker.Make(gguf);
    const auto layout = gguf ? LayoutGguf(sample.metadata, sample.specs)
                             : LayoutSafetensors(sample.texts, sample.specs);
    const std::string mutated = Mutate(Fill(*layout, sample.data), layout->header.size(), maker);
    const ExactBytes file(mutated);
    const auto check = [&](const auto& parsed) {
      ++(parsed ? accepted : refused);
      if (parsed) {
        ExpectWithinBounds(*parsed, file.span());
      } else {
        EXPECT_THAT(parsed.error().where, HasSubstr("mutated:"));
      }
    };
    if (gguf) {
      check(ParseGguf(file.span(), "mutated"));
    } else {
      check(ParseSafetensors(file.span(), "mutated"));
    }
  }
  // The test would show nothing if every mutation took one way.
  EXPECT_GT(accepted, 1000);
  EXPECT_GT(refused, 1000);
}

TEST(FileLayoutTest, NumbersAreWrittenNarrowWhereNothingIsLost) {
  const auto type_of = [](GgufValue value) {
    GgufMetadata metadata;
    metadata.Insert("k", std::move(value));
    const std::string header = LayoutGguf(metadata, {}).value().header;
    return static_cast<int>(header[24 + 8 + 1]);
  };
  EXPECT_EQ(type_of(uint64_t{1} << 31), 4);
  EXPECT_EQ(type_of(uint64_t{1} << 32), 10);
  EXPECT_EQ(type_of(int64_t{-1}), 5);
  EXPECT_EQ(type_of(int64_t{1} << 31), 11);
  EXPECT_EQ(type_of(10000.0), 6);
  EXPECT_EQ(type_of(static_cast<double>(1e-5f)), 6);
  EXPECT_EQ(type_of(1e-5), 12);
  EXPECT_EQ(type_of(1e300), 12);
  EXPECT_EQ(type_of(std::numeric_limits<double>::infinity()), 6);
}

TEST(FileLayoutTest, WhatAReaderWouldRefuseIsNotLaidOut) {
  const auto gguf_error = [](TensorSpec spec) {
    const std::vector<TensorSpec> specs = {std::move(spec)};
    const auto layout = LayoutGguf({}, specs);
    return layout ? std::string() : layout.error().message;
  };
  EXPECT_EQ(gguf_error({"a", DType::kF32, {1}}), "");
  EXPECT_THAT(gguf_error({"", DType::kF32, {1}}), HasSubstr("name"));
  EXPECT_THAT(gguf_error({std::string(65, 'a'), DType::kF32, {1}}), HasSubstr("64 bytes"));
  EXPECT_THAT(gguf_error({"a", DType::kF32, {}}), HasSubstr("dimensions"));
  EXPECT_THAT(gguf_error({"a", DType::kF32, {0}}), HasSubstr("none of them 0"));
  EXPECT_THAT(gguf_error({"a", DType::kQ4_K, {128}}), HasSubstr("inside a block"));
  EXPECT_THAT(gguf_error({"a", DType::kF32, {int64_t{1} << 40, int64_t{1} << 40}}),
              HasSubstr("overflows"));
  const std::vector<TensorSpec> twice = {{"a", DType::kF32, {1}}, {"a", DType::kF32, {1}}};
  EXPECT_THAT(LayoutGguf({}, twice).error().message, HasSubstr("two tensors `a`"));
  EXPECT_THAT(LayoutSafetensors({}, twice).error().message, HasSubstr("`a`"));
  const std::vector<TensorSpec> quantised = {{"a", DType::kQ8_0, {32}}};
  EXPECT_THAT(LayoutSafetensors({}, quantised).error().message, HasSubstr("plain types"));
  const std::vector<TensorSpec> reserved = {{"__metadata__", DType::kF32, {1}}};
  EXPECT_FALSE(LayoutSafetensors({}, reserved));
  EXPECT_FALSE(LayoutSafetensors({{"k", "\xFF"}}, {}));
  GgufMetadata odd;
  odd.Insert("general.alignment", uint64_t{24});
  EXPECT_FALSE(LayoutGguf(odd, {}));
}

}  // namespace
}  // namespace jikji
