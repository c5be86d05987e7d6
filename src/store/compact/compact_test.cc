// Blobs that are stored as differences: whatever the values, the edits and the place that is read,
// the bytes are those of the blob, or an error.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <memory>

#include "base/random.h"
#include "base/test_rounds.h"
#include "store/checksum.h"
#include "store/compact/compact_blob.h"
#include "store/compact/compact_writer.h"

namespace jikji {
namespace {

class Text final : public ByteSource {
 public:
  explicit Text(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  Result<> Read(uint64_t offset, std::span<char> into) const override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset) {
      return Fail(ErrorCode::kIo, "a read past the end");
    }
    bytes_.copy(into.data(), into.size(), offset);
    return {};
  }

 private:
  std::string bytes_;
};

std::shared_ptr<const ByteSource> SourceOf(std::string bytes) {
  return std::make_shared<const Text>(std::move(bytes));
}

std::string Bytes(Random& random, size_t count) {
  std::string out(count, '\0');
  for (char& byte : out) byte = static_cast<char>(random.Next());
  return out;
}

struct Written {
  std::string file;
  CompactSizes sizes;
};

// By way of a file, as the writer wants one.
Written Write(const CompactRecipe& recipe, const std::string& blob, const CompactSources& sources,
              ThreadPool& pool) {
  std::FILE* file = std::tmpfile();
  auto sizes = WriteCompact(recipe, *SourceOf(blob), sources, pool, fileno(file));
  EXPECT_TRUE(sizes.has_value()) << (sizes ? "" : sizes.error().ToString());
  Written out;
  out.sizes = sizes.value_or(CompactSizes{});
  out.file.resize(out.sizes.stored);
  EXPECT_EQ(std::fread(out.file.data(), 1, out.file.size(), file), out.file.size());
  EXPECT_EQ(std::fgetc(file), EOF);
  std::fclose(file);
  return out;
}

class Compact : public testing::Test {
 protected:
  Result<std::shared_ptr<const CompactBlob>> Open(const std::string& file,
                                                  const Digest& digest) const {
    return CompactBlob::Open(
        SourceOf(file), digest,
        [this](const Digest& source) -> Result<std::shared_ptr<const ByteSource>> {
          const auto found = sources_.find(source);
          if (found == sources_.end()) return Fail(ErrorCode::kNotFound, "no such source");
          return SourceOf(found->second);
        });
  }

  // A blob of parts: some of their own, some a source's, some that differ from a source here and
  // there or everywhere a little.
  void MakeRandom(Random& random) {
    sources_.clear();
    recipe_ = {};
    blob_.clear();
    CompactSources opened;
    for (uint64_t i = 0, count = 1 + random.Below(3); i < count; ++i) {
      std::string source = Bytes(random, 1 + random.Below(3 * kCompactChunk));
      recipe_.sources.push_back(Sha256Of(source));
      opened.push_back(SourceOf(source));
      sources_[recipe_.sources.back()] = std::move(source);
    }
    for (uint64_t i = 0, count = 1 + random.Below(6); i < count; ++i) {
      CompactPart part;
      part.width = static_cast<uint8_t>(1u << random.Below(4));
      std::string bytes;
      if (random.Below(4) == 0) {
        bytes = Bytes(random, 1 + random.Below(kCompactChunk + 100));
      } else {
        part.source = static_cast<uint32_t>(random.Below(recipe_.sources.size()));
        const std::string& source = sources_[recipe_.sources[part.source]];
        part.source_offset = random.Below(source.size());
        bytes =
            source.substr(part.source_offset, 1 + random.Below(source.size() - part.source_offset));
        const uint64_t edit = random.Below(3);
        if (edit == 1) bytes[random.Below(bytes.size())] ^= 1;
        if (edit == 2) {
          for (size_t at = 0; at < bytes.size(); at += part.width) {
            bytes[at] = static_cast<char>(bytes[at] ^ random.Below(8));
          }
        }
      }
      part.length = bytes.size();
      blob_ += bytes;
      recipe_.parts.push_back(part);
    }
    recipe_.size = blob_.size();
    recipe_.digest = Sha256Of(blob_);
    written_ = Write(recipe_, blob_, opened, pool_);
  }

  ThreadPool pool_{2};
  std::map<Digest, std::string> sources_;
  CompactRecipe recipe_;
  std::string blob_;
  Written written_;
};

TEST_F(Compact, ReadsAsTheBlobWholeAndAnywhere) {
  Random random(20261130);
  for (int round = 0; round < TestRounds(60); ++round) {
    MakeRandom(random);
    const auto blob = Open(written_.file, recipe_.digest);
    ASSERT_TRUE(blob.has_value()) << blob.error().ToString();
    ASSERT_EQ((*blob)->size(), blob_.size());
    std::string whole(blob_.size(), '\0');
    ASSERT_TRUE((*blob)->Read(0, whole));
    ASSERT_TRUE(whole == blob_);
    for (int i = 0; i < 40; ++i) {
      const uint64_t begin = random.Below(blob_.size() + 1);
      std::string part(random.Below(blob_.size() - begin + 1), '\0');
      if (i % 2 == 0) part.resize(std::min<size_t>(part.size(), 100));
      ASSERT_TRUE((*blob)->Read(begin, part));
      ASSERT_TRUE(part == blob_.substr(begin, part.size())) << round << ": " << begin;
    }
    char byte;
    EXPECT_FALSE((*blob)->Read(blob_.size(), {&byte, 1}));
  }
}

TEST_F(Compact, ADamagedByteIsAnErrorOrIsNotRead) {
  Random random(7);
  int errors = 0;
  for (int round = 0; round < TestRounds(300); ++round) {
    if (round % 10 == 0) MakeRandom(random);
    std::string file = written_.file;
    file[random.Below(file.size())] ^= static_cast<char>(1 + random.Below(255));
    if (random.Below(8) == 0) file.resize(random.Below(file.size()));
    std::string whole(blob_.size(), '\0');
    const auto blob = Open(file, recipe_.digest);
    const auto read = blob ? (*blob)->Read(0, whole) : Result<>(std::unexpected(blob.error()));
    if (read) {
      ASSERT_TRUE(whole == blob_) << round;  // a place of the index that nothing depends on
    } else {
      EXPECT_EQ(read.error().code, ErrorCode::kIo);
      ++errors;
    }
  }
  EXPECT_GT(errors, TestRounds(300) * 9 / 10);
}

TEST_F(Compact, ADamagedSourceIsAnError) {
  Random random(8);
  MakeRandom(random);
  while (recipe_.parts.front().source == kNoSource) MakeRandom(random);
  const CompactPart& part = recipe_.parts.front();
  sources_[recipe_.sources[part.source]][part.source_offset] ^= 4;
  char first;
  EXPECT_EQ((*Open(written_.file, recipe_.digest))->Read(0, {&first, 1}).error().code,
            ErrorCode::kIo);
  sources_[recipe_.sources[part.source]].resize(part.source_offset);
  EXPECT_EQ(Open(written_.file, recipe_.digest).error().code, ErrorCode::kIo);
}

TEST_F(Compact, AFileOfAnotherBlobIsRefused) {
  Random random(9);
  MakeRandom(random);
  EXPECT_EQ(Open(written_.file, Sha256Of("another")).error().code, ErrorCode::kIo);
}

// BF16 values that training moved by a little: signs and exponents stay.
TEST_F(Compact, ALittleTrainingTakesLittleRoom) {
  Random random(10);
  std::string base;
  std::string tuned;
  for (int i = 0; i < 300'000; ++i) {
    const auto value = static_cast<uint16_t>(0x3c00 + random.Below(0x100));
    const auto moved = static_cast<uint16_t>(value ^ random.Below(4));
    base.append(reinterpret_cast<const char*>(&value), 2);
    tuned.append(reinterpret_cast<const char*>(&moved), 2);
  }
  CompactRecipe recipe{Sha256Of(tuned), tuned.size(), {Sha256Of(base)}, {{tuned.size(), 0, 0, 2}}};
  const Written by_delta = Write(recipe, tuned, {SourceOf(base)}, pool_);
  EXPECT_LT(by_delta.sizes.stored, tuned.size() / 5);  // two bits of sixteen
  EXPECT_EQ(by_delta.sizes.shared, 0u);
  const auto guess = EstimateCompact(recipe, *SourceOf(tuned), {SourceOf(base)}, pool_);
  EXPECT_NEAR(static_cast<double>(*guess), static_cast<double>(by_delta.sizes.stored),
              static_cast<double>(tuned.size()) / 50);
  const auto measured = WriteCompact(recipe, *SourceOf(tuned), {SourceOf(base)}, pool_, -1);
  EXPECT_EQ(measured->stored, by_delta.sizes.stored);
  // The same tensor takes an index and no more.
  recipe.digest = Sha256Of(base);
  const Written same = Write(recipe, base, {SourceOf(base)}, pool_);
  EXPECT_LT(same.sizes.stored, 300u);
  EXPECT_EQ(same.sizes.shared, base.size());
}

TEST(CompactRecipeText, IsReadBack) {
  const CompactRecipe recipe{
      Sha256Of("blob"), 30, {Sha256Of("a"), Sha256Of("b")}, {{10, kNoSource, 0, 1}, {20, 1, 5, 4}}};
  const std::string head = CompactHead(recipe);
  EXPECT_EQ(head.size(), CompactHeadBytes(recipe));
  EXPECT_EQ(*CompactHeadBytes(std::string_view(head).substr(0, kCompactFrontBytes)), head.size());
  EXPECT_EQ(*ParseCompactHead(head), recipe);
  const auto refused = [&](auto change) {
    CompactRecipe other = recipe;
    change(other);
    return !ParseCompactHead(CompactHead(other));
  };
  EXPECT_TRUE(refused([](CompactRecipe& r) { r.size = 29; }));
  EXPECT_TRUE(refused([](CompactRecipe& r) { r.size = 31; }));
  EXPECT_TRUE(refused([](CompactRecipe& r) { r.parts[0].length = 0; }));
  EXPECT_TRUE(refused([](CompactRecipe& r) { r.parts[1].source = 2; }));
  EXPECT_TRUE(refused([](CompactRecipe& r) { r.parts[1].width = 3; }));
  EXPECT_TRUE(refused([](CompactRecipe& r) { r.parts[1].source_offset = UINT64_MAX - 3; }));
}

}  // namespace
}  // namespace jikji
