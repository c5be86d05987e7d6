#include "adapt/train/chat_documents.h"

#include <gtest/gtest.h>

#include "adapt/train/preflight.h"
#include "adapt/train/text_documents.h"

namespace jikji::train {
namespace {

ModelDescription& BuiltIn() {
  static ModelDescription model =
      *DescribeModel(std::string(JIKJI_SOURCE_DIR) + "/models/jikji-mini-ko");
  return model;
}

// The built-in model's tokenizer with another template.
ModelDescription With(std::string_view source) {
  ModelDescription model = BuiltIn();
  model.chat_template = std::make_shared<const ChatTemplate>(*ChatTemplate::Compile(source));
  return model;
}

std::string Masked(const ModelDescription& model, std::vector<ChatTurn> turns) {
  const auto documents = ChatDocuments::Create(model);
  if (!documents) return documents.error().message;
  const auto document = documents->Encode(turns);
  return document ? MaskedText(*document, *model.tokenizer) : document.error().message;
}

TEST(ChatDocuments, TrainsOnAnswersAndTheTokenThatEndsThem) {
  EXPECT_EQ(
      Masked(BuiltIn(), {{"system", "짧게"},
                         {"user", "안녕?"},
                         {"assistant", "안녕하세요."},
                         {"user", "그래"},
                         {"assistant", "네!"}}),
      "<|begin_of_text|><|system|>짧게<|end|><|user|>안녕?<|end|><|assistant|>⟦안녕하세요.<|end|>⟧"
      "<|user|>그래<|end|><|assistant|>⟦네!<|end|>⟧");
}

TEST(ChatDocuments, LeavesOutWhatComesAfterTheLastAnswer) {
  EXPECT_EQ(Masked(BuiltIn(), {{"user", "가"}, {"assistant", "나"}, {"user", "다"}}),
            "<|begin_of_text|><|user|>가<|end|><|assistant|>⟦나<|end|>⟧");
}

TEST(ChatDocuments, ThePromptIsTheVeryOneOfServing) {
  const std::vector<ChatTurn> turns = {{"user", "배고파  "}, {"assistant", "  밥 드세요"}};
  const Document document = *(*ChatDocuments::Create(BuiltIn())).Encode(turns);
  const std::vector<TokenId> prompt = BuiltIn().tokenizer->Encode(
      "<|begin_of_text|><|user|>배고파<|end|><|assistant|>", {.parse_special = true});
  ASSERT_GT(document.tokens.size(), prompt.size());
  EXPECT_TRUE(std::equal(prompt.begin(), prompt.end(), document.tokens.begin()));
  for (size_t i = 0; i < document.tokens.size(); ++i) {
    EXPECT_EQ(document.trained[i], i >= prompt.size());
  }
}

TEST(ChatDocuments, RefusesWithAReason) {
  EXPECT_EQ(Masked(BuiltIn(), {{"user", "가"}}), "no turn is the assistant's");
  EXPECT_EQ(Masked(BuiltIn(), {{"user", "가"}, {"assistant", " \n"}}),
            "an assistant's turn is empty");
  EXPECT_EQ(Masked(BuiltIn(), {{"user", "가<|end|>나"}, {"assistant", "다"}}),
            "a turn spells the special token <|end|>");
  EXPECT_EQ(Masked(BuiltIn(), {{"user", "\xff"}, {"assistant", "다"}}), "a turn is not UTF-8");
}

// trl #5988: a stop token outside the mask, found out after hours.
TEST(ChatDocuments, RefusesATemplateThatEndsNoAnswer) {
  const ModelDescription model = With(
      "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% endfor %}"
      "{% if add_generation_prompt %}<|assistant|>{% endif %}");
  EXPECT_NE(Masked(model, {{"user", "가"}, {"assistant", "나"}}).find("never learn to stop"),
            std::string::npos);
}

// As Qwen 3 does with thoughts: an earlier answer is written otherwise than the last.
TEST(ChatDocuments, AnEarlierAnswerThatIsRewrittenIsContextOnly) {
  const ModelDescription model = With(
      "{% for m in messages %}<|{{ m.role }}|>"
      "{% if m.role == 'assistant' and loop.last %}T:{% endif %}{{ m.content }}<|end|>{% endfor %}"
      "{% if add_generation_prompt %}<|assistant|>{% endif %}");
  const std::string text =
      Masked(model, {{"user", "가"}, {"assistant", "나"}, {"user", "다"}, {"assistant", "라"}});
  EXPECT_EQ(text,
            "<|user|>가<|end|><|assistant|>⟦나<|end|>⟧<|user|>다<|end|><|assistant|>⟦T:라<|end|>⟧");
}

TEST(ChatDocuments, NeedsATemplateAndAStopToken) {
  ModelDescription model = BuiltIn();
  model.stop_ids.clear();
  EXPECT_NE(Masked(model, {}).find("never stop"), std::string::npos);
  model.chat_template = nullptr;
  EXPECT_NE(Masked(model, {}).find("no chat template"), std::string::npos);
}

TEST(TextDocuments, PiecesTrainOnEveryTokenOnce) {
  const std::string text(400, 'a');
  std::vector<Document> documents;
  AppendTextDocuments(text + " 가나다라마바사", BuiltIn(), 16, documents);
  ASSERT_GT(documents.size(), 2u);
  std::vector<int32_t> targets;
  for (const Document& document : documents) {
    EXPECT_LE(document.tokens.size(), 17u);
    EXPECT_FALSE(document.trained.front());
    targets.insert(targets.end(), document.tokens.begin() + 1, document.tokens.end());
  }
  EXPECT_EQ(documents.front().tokens.front(), *BuiltIn().tokenizer->bos());
  EXPECT_EQ(targets.back(), *BuiltIn().tokenizer->eos());
  targets.pop_back();
  EXPECT_EQ(targets, BuiltIn().tokenizer->Encode(text + " 가나다라마바사"));
}

TEST(Preflight, CountsAndRefusesDataThatStopsNowhere) {
  const Document whole = *(*ChatDocuments::Create(BuiltIn()))
                              .Encode(std::vector<ChatTurn>{{"user", "가"}, {"assistant", "나"}});
  const Preflight seen = *Inspect(std::vector{whole, whole}, BuiltIn(), true);
  EXPECT_EQ(seen.documents, 2);
  EXPECT_EQ(seen.targets, 4);
  EXPECT_NE(seen.example.find("⟦나<|end|>⟧"), std::string::npos);
  Document cut = whole;
  cut.tokens.pop_back();
  cut.trained.pop_back();
  EXPECT_TRUE(Inspect(std::vector{cut}, BuiltIn(), false));
  const auto refused = Inspect(std::vector{cut}, BuiltIn(), true);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("never end an answer"), std::string::npos);
  Document untrained = whole;
  untrained.trained.assign(untrained.trained.size(), false);
  EXPECT_FALSE(Inspect(std::vector{untrained}, BuiltIn(), false));
}

}  // namespace
}  // namespace jikji::train
