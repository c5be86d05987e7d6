#include "model/gguf_vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <sstream>

#include "base/file.h"
#include "tensor/gguf.h"

namespace jikji {
namespace {

const std::filesystem::path kData =
    std::filesystem::path(JIKJI_SOURCE_DIR) / "../shared/data/tokenizers/llama.cpp";

Result<std::shared_ptr<const Tokenizer>> Load(const std::filesystem::path& path) {
  JIKJI_ASSIGN(const auto file, MappedFile::Open(path));
  JIKJI_ASSIGN(const auto gguf, ParseGguf(file.bytes(), path.string()));
  JIKJI_ASSIGN(auto vocabulary, ReadGgufVocabulary(gguf.metadata));
  return LoadGgufTokenizer(std::move(vocabulary));
}

std::vector<std::string> SplitAt(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  size_t from = 0;
  for (size_t at = text.find(separator); at != text.npos; at = text.find(separator, from)) {
    parts.push_back(text.substr(from, at - from));
    from = at + separator.size();
  }
  parts.push_back(text.substr(from));
  return parts;
}

class GgufVocabularyTest : public testing::TestWithParam<const char*> {};

// llama.cpp's own vectors: what its tokenizer and Hugging Face's agree on.
TEST_P(GgufVocabularyTest, EqualsItsVectors) {
  const std::filesystem::path path = kData / (std::string("ggml-vocab-") + GetParam() + ".gguf");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no ../shared/data/tokenizers";
  const auto tokenizer = Load(path);
  ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
  const auto inputs = SplitAt(*ReadFile(path.string() + ".inp"), "\n__ggml_vocab_test__\n");
  const auto outputs = SplitAt(*ReadFile(path.string() + ".out"), "\n");
  ASSERT_EQ(inputs.size(), outputs.size());
  ASSERT_GT(inputs.size(), 40u);
  for (size_t i = 0; i < inputs.size(); ++i) {
    std::istringstream line(outputs[i]);
    const std::vector<TokenId> expected(std::istream_iterator<TokenId>(line), {});
    EXPECT_EQ((*tokenizer)->Encode(inputs[i]), expected) << "input " << i << ": " << inputs[i];
    EXPECT_EQ((*tokenizer)->Decode(expected), inputs[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Vocabularies, GgufVocabularyTest,
                         testing::Values("deepseek-llm", "falcon", "gpt-2", "llama-spm", "phi-3"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(GgufVocabularyTest, WordPieceIsRefusedByName) {
  const std::filesystem::path path = kData / "ggml-vocab-bert-bge.gguf";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no ../shared/data/tokenizers";
  const auto tokenizer = Load(path);
  ASSERT_FALSE(tokenizer);
  EXPECT_EQ(tokenizer.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(tokenizer.error().message.find("bert"), std::string::npos);
}

TEST(GgufVocabularyTest, AFileWithoutAVocabulary) {
  const auto vocabulary = ReadGgufVocabulary(GgufMetadata());
  ASSERT_FALSE(vocabulary);
  EXPECT_EQ(vocabulary.error().code, ErrorCode::kNotFound);
}

TEST(GgufVocabularyTest, AKeyOfTheWrongTypeIsNamed) {
  GgufMetadata metadata;
  metadata.Insert("tokenizer.ggml.model", std::string("gpt2"));
  metadata.Insert("tokenizer.ggml.tokens", std::string("not an array"));
  const auto vocabulary = ReadGgufVocabulary(metadata);
  ASSERT_FALSE(vocabulary);
  EXPECT_NE(vocabulary.error().ToString().find("tokenizer.ggml.tokens"), std::string::npos);
}

}  // namespace
}  // namespace jikji
