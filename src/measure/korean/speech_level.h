// Which speech level a Korean sentence is in, by its ending, and whether a text keeps to one.
//
// 합쇼체 (합니다, 합니까, 하십시오), 해요체 (해요, 하죠), and what is not polite, 해라체 and 해체
// (한다, 해). Contract: by rule, from the last syllables alone; what ends otherwise (a noun, a list
// entry, a heading) has no level. It counts a noun in 다 or 지 before a full stop as a verb now and
// then. Non-goals: 하오체 and 하게체, quoted speech.
#ifndef JIKJI_MEASURE_KOREAN_SPEECH_LEVEL_H_
#define JIKJI_MEASURE_KOREAN_SPEECH_LEVEL_H_

#include <optional>
#include <string_view>
#include <vector>

namespace jikji::measure {

enum class SpeechLevel { kHapsyo, kHaeyo, kPlain };

// Of one sentence, its mark included: without . ! or ? only an ending that nothing else has counts.
std::optional<SpeechLevel> SpeechLevelOf(std::string_view sentence);

// Of each sentence of a text that has one, in order. Sentences end at . ! ? … or a new line.
std::vector<SpeechLevel> SpeechLevels(std::string_view text);

// True where those are not all the same.
bool MixesLevels(const std::vector<SpeechLevel>& levels);

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_KOREAN_SPEECH_LEVEL_H_
