// Any bytes as an answer or a number in Korean: nothing that looks at them fails, and a number that
// is read comes back from either of its written forms.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "measure/korean/numbers.h"
#include "measure/korean/particles.h"
#include "measure/korean/romanise.h"
#include "measure/korean/scripts.h"
#include "measure/korean/speech_level.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace jikji::measure;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto number = ParseKoreanNumber(text)) {
    if (*number > kMostKoreanNumber) std::abort();
    if (ParseKoreanNumber(NumberInWords(*number)) != number) std::abort();
    if (ParseKoreanNumber(NumberWithUnits(*number)) != number) std::abort();
  }
  for (const ParticlePair& pair : kParticlePairs) {
    if (!WithParticle(text, pair).starts_with(text)) std::abort();
  }
  Romanise(text);
  SpeechLevels(text);
  const ScriptUse use = CountScripts(text);
  if (use.hangul + use.latin + use.han + use.other > static_cast<int64_t>(size)) std::abort();
  return 0;
}
