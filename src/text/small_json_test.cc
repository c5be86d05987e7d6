// Small tokenizer.json files with every stage and model that is supported, against `tokenizers`
// (tests/goldens/tokenizer/make_small.py).
#include <gtest/gtest.h>

#include "base/json.h"
#include "text/testing.h"
#include "text/tokenizer_json.h"

namespace jikji {
namespace {

namespace bj = boost::json;

void ExpectGoldens(const std::string& file) {
  const auto goldens =
      ParseJsonFile((testing::SourceDir() / "tests/goldens/tokenizer" / file).string());
  ASSERT_TRUE(goldens) << goldens.error().ToString();
  const auto& texts = goldens->at("texts").as_array();
  const auto& entries = goldens->at("entries").as_array();
  ASSERT_GE(entries.size(), 2u);
  for (size_t e = 0; e < entries.size(); ++e) {
    const bj::value& document = entries[e].at("tokenizer");
    const auto tokenizer = ParseTokenizerJson(bj::serialize(document), file);
    ASSERT_TRUE(tokenizer) << e << ": " << tokenizer.error().ToString();
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::string text(texts[i].as_string());
      const auto expected = bj::value_to<std::vector<TokenId>>(entries[e].at("ids").as_array()[i]);
      const auto ids = (*tokenizer)->Encode(text, {.parse_special = true});
      EXPECT_EQ(ids, expected) << "entry " << e << ", text " << i << ": " << text << "\n"
                               << bj::serialize(document.at("normalizer")) << "\n"
                               << bj::serialize(document.at("pre_tokenizer"));
      const auto& decoded = entries[e].at("decoded").as_array();
      if (i >= decoded.size()) continue;
      // Of a run of bytes that is no character tokenizers replaces each, valid ones too.
      const std::string whole(decoded[i].as_string());
      if (whole.find("\xEF\xBF\xBD") != whole.npos) continue;
      EXPECT_EQ((*tokenizer)->Decode(ids), whole) << "entry " << e << ", text " << i;
    }
  }
}

TEST(SmallJsonTest, Unigram) { ExpectGoldens("small_unigram.json"); }
TEST(SmallJsonTest, Stages) { ExpectGoldens("small_stages.json"); }

// A byte-level vocabulary of three tokens and one special one, as a document to change.
bj::object Minimal() {
  return bj::parse(R"({
    "added_tokens": [{"id": 3, "content": "<end>", "special": true, "normalized": false}],
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
    "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}})")
      .as_object();
}

Error LoadError(const bj::object& document) {
  const auto tokenizer = ParseTokenizerJson(bj::serialize(document), "t.json");
  EXPECT_FALSE(tokenizer);
  return tokenizer ? Error{} : tokenizer.error();
}

TEST(SmallJsonTest, SpecialTokensAreTextUnlessAskedFor) {
  bj::object document = Minimal();
  // Even a vocabulary that would merge to one, or take a whole piece as one, must not.
  document["added_tokens"].as_array().push_back(
      bj::object{{"id", 2}, {"content", "ab"}, {"special", true}, {"normalized", false}});
  document["model"].as_object()["ignore_merges"] = true;
  const auto tokenizer = ParseTokenizerJson(bj::serialize(document), "t.json");
  ASSERT_TRUE(tokenizer) << tokenizer.error().ToString();
  EXPECT_EQ((*tokenizer)->Encode("ab"), (std::vector<TokenId>{0, 1}));
  EXPECT_EQ((*tokenizer)->Encode("ab<end>", {.parse_special = true}), (std::vector<TokenId>{2, 3}));
  EXPECT_EQ((*tokenizer)->Decode(std::vector<TokenId>{0, 3, 1}), "ab");
  EXPECT_EQ((*tokenizer)->Decode(std::vector<TokenId>{0, 3, 1}, false), "a<end>b");
}

TEST(SmallJsonTest, ConfigNamesBosAndEosInBothForms) {
  const std::string json = bj::serialize(Minimal());
  const auto strings =
      ParseTokenizerJson(json, "t.json", R"({"bos_token": "a", "eos_token": "<end>"})");
  ASSERT_TRUE(strings);
  EXPECT_EQ((*strings)->bos(), 0);
  EXPECT_EQ((*strings)->eos(), 3);
  const auto objects = ParseTokenizerJson(
      json, "t.json", R"({"bos_token": null, "eos_token": {"content": "<end>", "lstrip": false}})");
  ASSERT_TRUE(objects);
  EXPECT_EQ((*objects)->bos(), std::nullopt);
  EXPECT_EQ((*objects)->eos(), 3);
}

TEST(SmallJsonTest, MalformedFilesAreNamed) {
  bj::object document = Minimal();
  document["model"].as_object()["vocab"].as_object()["b"] = 0;
  EXPECT_EQ(LoadError(document).ToString(), "t.json: model.vocab: two tokens have the id 0");

  document = Minimal();
  document["model"].as_object()["merges"] = bj::array{"a c"};
  EXPECT_EQ(LoadError(document).where, "t.json: model.merges");

  document = Minimal();
  document["model"].as_object()["vocab"].as_object()["z"] = 2'000'000'000;
  EXPECT_EQ(LoadError(document).where, "t.json: model.vocab");

  document = Minimal();
  document["added_tokens"].as_array()[0].as_object()["id"] = 1;
  EXPECT_EQ(LoadError(document).code, ErrorCode::kMalformed);

  document = Minimal();
  document["post_processor"] = bj::parse(
      R"({"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "x", "type_id": 0}}],
          "special_tokens": {"x": {"id": "x", "ids": [99], "tokens": ["x"]}}})");
  EXPECT_EQ(LoadError(document).where, "t.json: post_processor");

  EXPECT_EQ(ParseTokenizerJson("[]", "t.json").error().code, ErrorCode::kMalformed);
  EXPECT_EQ(ParseTokenizerJson("{", "t.json").error().code, ErrorCode::kMalformed);
  EXPECT_EQ(ParseTokenizerJson("{}", "t.json").error().ToString(), "t.json: model: missing");
}

TEST(SmallJsonTest, WhatIsNotSupportedIsSaid) {
  const std::pair<const char*, const char*> cases[] = {
      {"normalizer", R"({"type": "Precompiled", "precompiled_charsmap": "AAAA"})"},
      {"pre_tokenizer", R"({"type": "BertPreTokenizer"})"},
      {"post_processor", R"({"type": "Mystery"})"},
      {"decoder", R"({"type": "WordPiece", "prefix": "##", "cleanup": true})"},
      {"model", R"({"type": "WordPiece", "vocab": {}})"},
      {"pre_tokenizer",
       R"({"type": "Split", "pattern": {"Regex": "[a&&[b]]"}, "behavior": "Isolated"})"},
  };
  for (const auto& [key, value] : cases) {
    bj::object document = Minimal();
    document[key] = bj::parse(value);
    const Error error = LoadError(document);
    EXPECT_EQ(error.code, ErrorCode::kUnsupported) << error.ToString();
    EXPECT_NE(error.where.find(key), std::string::npos) << error.ToString();
  }
}

}  // namespace
}  // namespace jikji
