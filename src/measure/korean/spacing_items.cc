#include "measure/korean/k_checks.h"

namespace jikji::measure {
namespace {

constexpr const char* kContexts[] = {"누구나 알듯이", "그때는", "아무래도", "내 생각에는",
                                     "요즘은"};

// Particles are written on to their noun (Hangul orthography, article 41).
constexpr const char* kPlaces[] = {"학교", "집", "도서관", "시장", "회사", "바다", "병원", "공원"};
constexpr const char* kParticles[] = {"에서", "까지", "부터", "보다", "처럼", "만", "에서는"};
constexpr const char* kParticleEnds[] = {"좋은 곳은 없다.", "편한 데가 드물다.", "사람이 많다.",
                                         "조용하다."};

// Dependent nouns are written apart from what stands before (article 42).
constexpr const char* kFutureVerbs[] = {"할", "갈", "볼", "먹을", "읽을", "만들", "찾을", "걸을"};
constexpr const char* kPastVerbs[] = {"한", "간", "본", "먹은", "읽은", "만든", "찾은", "걸은"};
constexpr const char* kFutureNouns[] = {"수 있다.",   "수 없다.", "줄 안다.",
                                        "줄 모른다.", "뿐이다.",  "만큼 했다."};
constexpr const char* kPastNouns[] = {"것이다.",    "적이 있다.", "적이 없다.",
                                      "지 오래다.", "뿐이다.",    "만큼 된다."};

// Units are written apart from the numeral before them (article 43).
constexpr const char* kCounted[] = {"사과", "종이", "나무", "고양이", "손님", "책", "차", "옷"};
constexpr const char* kUnits[] = {"개", "장", "그루", "마리", "분", "권", "대", "벌"};
constexpr const char* kNumerals[] = {"한", "두", "세", "네", "다섯", "여섯", "일곱"};

ChoiceItem Pair(Random& random, const std::string& before, const std::string& after, bool apart) {
  const std::string context = Pick(kContexts, random);
  const std::string spaced = before + " " + after, joined = before + after;
  return ShuffledItem(context, apart ? spaced : joined, {apart ? joined : spaced}, random);
}

}  // namespace

ChoiceItem SpacingItem(Random& random) {
  switch (random.Below(4)) {
    case 0:
      return Pair(random, Pick(kPlaces, random),
                  std::string(Pick(kParticles, random)) + " " + Pick(kParticleEnds, random),
                  /*apart=*/false);
    case 1:
      return Pair(random, Pick(kFutureVerbs, random), Pick(kFutureNouns, random), /*apart=*/true);
    case 2:
      return Pair(random, Pick(kPastVerbs, random), Pick(kPastNouns, random), /*apart=*/true);
    default: {
      const size_t thing = random.Below(std::size(kCounted));
      return Pair(random, std::string(kCounted[thing]) + " " + Pick(kNumerals, random),
                  std::string(kUnits[thing]) + "만 남았다.", /*apart=*/true);
    }
  }
}

}  // namespace jikji::measure
