#include "measure/korean/k_checks.h"
#include "measure/korean/particles.h"

namespace jikji::measure {
namespace {

// Half end in consonants; things that can be bought, seen, liked, and go with another.
constexpr const char* kNouns[] = {
    "사과", "포도", "우유", "구두", "모자",   "의자",   "기차",   "나무", "바다",   "지도",
    "노래", "커피", "배추", "고기", "카메라", "책",     "연필",   "수박", "가방",   "옷",
    "빵",   "꽃",   "집",   "산",   "달",     "시계탑", "자전거", "라면", "비행기", "선물"};
constexpr const char* kContexts[] = {"어제", "우리 동네에서", "그 사람은", "아침마다", "친구가"};
// By the pair of particles they take: 을/를, 이/가, 은/는, 과/와.
constexpr const char* kEnds[4][4] = {
    {"샀다.", "보았다.", "그렸다.", "찾았다."},
    {"보였다.", "필요했다.", "생각났다.", "좋았다."},
    {"비쌌다.", "아주 컸다.", "새것이었다.", "보이지 않았다."},
    {"종이를 샀다.", "물을 보았다.", "편지를 받았다.", "사진을 골랐다."}};

}  // namespace

ChoiceItem ParticleItem(Random& random) {
  const std::string noun = Pick(kNouns, random);
  const size_t which = random.Below(kParticlePairs.size());
  const ParticlePair& pair = kParticlePairs[which];
  const std::string context = Pick(kContexts, random);
  const std::string end = std::string(" ") + Pick(kEnds[which], random);
  const ParticlePair swapped{pair.after_vowel, pair.after_consonant};
  return ShuffledItem(context, WithParticle(noun, pair) + end, {WithParticle(noun, swapped) + end},
                      random);
}

}  // namespace jikji::measure
