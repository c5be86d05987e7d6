// What an answer is looked at for: scripts and speech levels.
#include <gtest/gtest.h>

#include <map>

#include "measure/korean/hangul.h"
#include "measure/korean/questions.h"
#include "measure/korean/scripts.h"
#include "measure/korean/speech_level.h"
#include "text/unicode_table.h"

namespace jikji::measure {
namespace {

using enum SpeechLevel;

TEST(SpeechLevelTest, EndingsTellTheLevel) {
  const std::map<std::string, std::optional<SpeechLevel>> sentences = {
      {"날씨가 좋습니다.", kHapsyo}, {"어디로 갑니까?", kHapsyo},  {"이쪽으로 오십시오.", kHapsyo},
      {"함께 갑시다!", kHapsyo},     {"날씨가 좋아요.", kHaeyo},   {"그렇죠?", kHaeyo},
      {"학생이에요 ^^", kHaeyo},     {"\"어서 오세요.\"", kHaeyo}, {"날씨가 좋다.", kPlain},
      {"그것은 아니다.", kPlain},    {"밥 먹자!", kPlain},         {"어디 가니?", kPlain},
      {"나는 몰라. ", kPlain},       {"벌써 갔어…", kPlain},       {"도움이 필요.", std::nullopt},
      {"제주도", std::nullopt},      {"1. 사용자", std::nullopt},  {"바다", std::nullopt},
      {"Hello.", std::nullopt},      {"", std::nullopt},           {"...", std::nullopt},
      {"감사합니다", kHapsyo}};
  for (const auto& [sentence, level] : sentences) {
    EXPECT_EQ(SpeechLevelOf(sentence), level) << sentence;
  }
}

TEST(SpeechLevelTest, EverySyllableBeforeNidaDecides) {
  for (char32_t code = kFirstSyllable; code <= kLastSyllable; ++code) {
    const bool final_b = Decompose(code)->final == 17;  // ㅂ
    for (const char* ending : {"니다.", "니까?", "시다."}) {
      const auto level = SpeechLevelOf(FromCodePoint(code) + ending);
      if (final_b) {
        ASSERT_EQ(level, kHapsyo);
      } else {
        ASSERT_EQ(level, kPlain) << "as in 아니다, 하니까, 마시다";
      }
    }
    ASSERT_EQ(SpeechLevelOf(FromCodePoint(code) + "죠"), kHaeyo);
  }
}

TEST(SpeechLevelTest, ATextMixesWhereItsSentencesDiffer) {
  EXPECT_EQ(SpeechLevels("안녕하세요? 저는 직지입니다.\n목록:\n- 사과\n반가워!"),
            (std::vector{kHaeyo, kHapsyo, kPlain}));
  EXPECT_FALSE(MixesLevels(SpeechLevels("좋아요. 그래요. 3.5쯤이에요.")));
  EXPECT_TRUE(MixesLevels(SpeechLevels("좋아요. 그렇습니다.")));
  EXPECT_FALSE(MixesLevels({}));
}

TEST(ScriptsTest, RangesAreOfLettersAlone) {
  for (char32_t code = 0; code < 0x110000; ++code) {
    const bool letter = (UnicodeTable::Get().Flags(code) & kLetter) != 0 || code == 0x3007;
    ASSERT_EQ(ScriptOf(code) != Script::kNone, letter) << static_cast<uint32_t>(code);
  }
  for (char32_t code = kFirstSyllable; code <= kLastSyllable; ++code) {
    ASSERT_EQ(ScriptOf(code), Script::kHangul);
  }
  for (char32_t code = 0x4E00; code <= 0x9FFF; ++code) ASSERT_EQ(ScriptOf(code), Script::kHan);
  const std::map<char32_t, Script> others = {
      {U'a', Script::kLatin},  {U'é', Script::kLatin},  {U'π', Script::kGreek},
      {U'の', Script::kOther}, {U'カ', Script::kOther}, {U'ж', Script::kOther},
      {U'ไ', Script::kOther},  {U'ع', Script::kOther},  {U'ㅋ', Script::kHangul},
      {U'々', Script::kHan},   {U'〇', Script::kHan},   {U'𠀀', Script::kHan},
      {U'1', Script::kNone},   {U'。', Script::kNone}};
  for (const auto& [code, script] : others) {
    EXPECT_EQ(ScriptOf(code), script) << FromCodePoint(code);
  }
}

TEST(ScriptsTest, AnAnswerInAnotherLanguageIsConfused) {
  for (const char* fine : {"봄이 왔습니다.", "직지(直指)는 책입니다.", "GPU 두 대를 쓰세요.",
                           "값은 π입니다.", "ㅋㅋㅋ", "1, 2, 3", ""}) {
    EXPECT_FALSE(CountScripts(fine).confused()) << fine;
  }
  for (const char* confused : {"봄이 来了.", "여행は 좋습니다.", "Spring has come.",
                               "Да, 그렇습니다.", "(괄호) 漢字", "）漢"}) {
    EXPECT_TRUE(CountScripts(confused).confused()) << confused;
  }
}

TEST(QuestionsTest, GiveNoReasonForAnotherScript) {
  EXPECT_GE(KoreanQuestions().size(), 30u);
  for (const char* question : KoreanQuestions()) {
    const ScriptUse use = CountScripts(question);
    EXPECT_EQ(use.latin + use.han + use.other, 0) << question;
    EXPECT_GT(use.hangul, 5) << question;
  }
}

}  // namespace
}  // namespace jikji::measure
