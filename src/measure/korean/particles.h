// Particles that change with the sound before them: 을/를, 이/가, 은/는, 과/와.
#ifndef JIKJI_MEASURE_KOREAN_PARTICLES_H_
#define JIKJI_MEASURE_KOREAN_PARTICLES_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace jikji::measure {

struct ParticlePair {
  std::string_view after_consonant, after_vowel;
};

inline constexpr std::array<ParticlePair, 4> kParticlePairs = {
    ParticlePair{"을", "를"}, ParticlePair{"이", "가"}, ParticlePair{"은", "는"},
    ParticlePair{"과", "와"}};

// Whether a word ends in a consonant as it is spoken: a Hangul syllable by its final, a number as
// it is read in Sino-Korean (3 삼, 10 십, 100 백). nullopt for what ends otherwise.
std::optional<bool> EndsInConsonant(std::string_view word);

// The word with the form of the particle that agrees with it; the word ends as above.
std::string WithParticle(std::string_view word, const ParticlePair& pair);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_KOREAN_PARTICLES_H_
