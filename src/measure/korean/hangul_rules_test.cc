// The rules of Korean that items are made by, over every syllable and every joint of two.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "measure/korean/hangul.h"
#include "measure/korean/particles.h"
#include "measure/korean/romanise.h"
#include "text/normalize.h"

namespace jikji::measure {
namespace {

template <class Body>
void ForEverySyllable(const Body& body) {
  for (char32_t code = kFirstSyllable; code <= kLastSyllable; ++code) {
    body(code, FromCodePoint(code));
  }
}

TEST(HangulTest, EverySyllableTakesApartAsUnicodesDecompositionDoes) {
  ForEverySyllable([](char32_t code, const std::string& syllable) {
    const auto jamo = Decompose(code);
    ASSERT_TRUE(jamo);
    ASSERT_EQ(Compose(*jamo), code);
    const auto nfd = CodePoints(Normalize(syllable, NormalForm::kNfd));
    ASSERT_EQ(nfd.size(), jamo->final == 0 ? 2u : 3u);
    ASSERT_EQ(nfd[0], 0x1100u + static_cast<char32_t>(jamo->initial));
    ASSERT_EQ(nfd[1], 0x1161u + static_cast<char32_t>(jamo->vowel));
    const char32_t last = jamo->final == 0 ? nfd[1] : 0x11A7u + static_cast<char32_t>(jamo->final);
    ASSERT_EQ(nfd.back(), last);
  });
  for (const char32_t code : {U'a', U'漢', U'ㄱ', char32_t{0xABFF}, char32_t{0xD7A4}}) {
    EXPECT_FALSE(Decompose(code));
  }
}

TEST(ParticlesTest, EverySyllableTakesTheFormOfItsFinal) {
  ForEverySyllable([](char32_t, const std::string& syllable) {
    const bool consonant = Normalize(syllable, NormalForm::kNfd).size() == 9;  // three jamo
    ASSERT_EQ(EndsInConsonant("말" + syllable), consonant) << syllable;
    for (const ParticlePair& pair : kParticlePairs) {
      ASSERT_EQ(WithParticle(syllable, pair),
                syllable + std::string(consonant ? pair.after_consonant : pair.after_vowel));
    }
  });
}

TEST(ParticlesTest, NumbersAreReadAloud) {
  // 영 일 이 삼 사 오 육 칠 팔 구, 십, 이십일, 백, 천, 만, 십만, 백만, 천만, 억, 천억, 조.
  const std::map<std::string, bool> numbers = {{"0", true},
                                               {"1", true},
                                               {"2", false},
                                               {"3", true},
                                               {"4", false},
                                               {"5", false},
                                               {"6", true},
                                               {"7", true},
                                               {"8", true},
                                               {"9", false},
                                               {"10", true},
                                               {"22", false},
                                               {"100", true},
                                               {"1000", true},
                                               {"10000", true},
                                               {"100000", true},
                                               {"1000000", true},
                                               {"10000000", true},
                                               {"100000000", true},
                                               {"200000000000", true},
                                               {"1000000000000", false},
                                               {"505", false}};
  for (const auto& [number, consonant] : numbers) {
    EXPECT_EQ(EndsInConsonant("번호 " + number), consonant) << number;
  }
  for (const char* other : {"", "a", "漢", "봄.", "10000000000000000", "00"}) {
    EXPECT_EQ(EndsInConsonant(other), std::nullopt) << other;
  }
}

TEST(RomaniseTest, TheNoticesOwnExamples) {
  const std::map<std::string, std::string> words = {
      {"구미", "gumi"},          {"영동", "yeongdong"},      {"백암", "baegam"},
      {"옥천", "okcheon"},       {"합덕", "hapdeok"},        {"호법", "hobeop"},
      {"월곶", "wolgot"},        {"벚꽃", "beotkkot"},       {"한밭", "hanbat"},
      {"구리", "guri"},          {"설악", "seorak"},         {"칠곡", "chilgok"},
      {"임실", "imsil"},         {"울릉", "ulleung"},        {"대관령", "daegwallyeong"},
      {"백마", "baengma"},       {"종로", "jongno"},         {"왕십리", "wangsimni"},
      {"별내", "byeollae"},      {"신라", "silla"},          {"해돋이", "haedoji"},
      {"같이", "gachi"},         {"좋고", "joko"},           {"놓다", "nota"},
      {"묵호", "mukho"},         {"집현전", "jiphyeonjeon"}, {"압구정", "apgujeong"},
      {"낙동강", "nakdonggang"}, {"죽변", "jukbyeon"},       {"낙성대", "nakseongdae"},
      {"합정", "hapjeong"},      {"팔당", "paldang"},        {"샛별", "saetbyeol"},
      {"울산", "ulsan"},         {"속리산", "songnisan"},    {"독립문", "dongnimmun"},
      {"오죽헌", "ojukheon"},    {"촉석루", "chokseongnu"},  {"종묘", "jongmyo"},
      {"다보탑", "dabotap"},     {"안압지", "anapji"},       {"경복궁", "gyeongbokgung"},
      {"불국사", "bulguksa"},    {"극락전", "geungnakjeon"}, {"남한산성", "namhansanseong"},
      {"광희문", "gwanghuimun"}, {"세종", "sejong"},         {"부산", "busan"}};
  for (const auto& [word, roman] : words) EXPECT_EQ(Romanise(word), roman) << word;
  EXPECT_EQ(Romanise("부산 2호선"), "busan 2hoseon");
  EXPECT_EQ(RomaniseByLetter("종로"), "jongro");
}

TEST(RomaniseTest, EverySyllableIsPlainLettersAroundItsVowel) {
  ForEverySyllable([](char32_t code, const std::string& syllable) {
    const std::string roman = Romanise(syllable);
    ASSERT_EQ(roman, RomaniseByLetter(syllable)) << "alone, nothing changes";
    ASSERT_TRUE(std::ranges::all_of(roman, [](char c) { return c >= 'a' && c <= 'z'; }));
    // The seven sounds that a syllable can end in.
    if (Decompose(code)->final == 0) return;
    const bool known = std::ranges::any_of(
        std::initializer_list<std::string_view>{"k", "n", "t", "l", "m", "p", "ng"},
        [&](std::string_view sound) { return roman.ends_with(sound); });
    ASSERT_TRUE(known) << syllable;
  });
}

// What standard pronunciation forbids where two syllables meet, for each of the 28 × 19 joints.
TEST(RomaniseTest, NoJointKeepsASoundThatCannotStandThere) {
  std::set<std::string> seen;
  for (int final = 0; final < kFinals; ++final) {
    for (int initial = 0; initial < kInitials; ++initial) {
      const std::string first = FromCodePoint(Compose({11, 0, final}));    // 아 with the final
      const std::string second = FromCodePoint(Compose({initial, 0, 0}));  // the initial with 아
      const std::string roman = Romanise(first + second);
      ASSERT_TRUE(roman.starts_with("a") && roman.ends_with("a")) << first + second;
      const std::string joint = roman.substr(1, roman.size() - 2);
      for (const char* forbidden : {"kn", "km", "tn", "tm", "pn", "pm", "ln", "nl", "lr", "rl",
                                    "kr", "tr", "pr", "mr", "nr"}) {
        EXPECT_EQ(joint.find(forbidden), std::string::npos) << first << second << " " << roman;
      }
      EXPECT_FALSE(joint.starts_with("ngr")) << first << second;
      // r stands between vowels only, and l never before one but as ll.
      EXPECT_TRUE(!joint.contains('r') || joint == "r") << first << second;
      EXPECT_TRUE(!joint.ends_with("l") || joint == "ll") << first << second;
      seen.insert(joint);
    }
  }
  EXPECT_GT(seen.size(), 100u);
}

}  // namespace
}  // namespace jikji::measure
