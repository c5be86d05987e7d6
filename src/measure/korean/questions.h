// Questions in Korean that a chat model is asked to see how it answers: in which script, and in
// which speech level. Non-goals: whether the answer is right.
#ifndef JIKJI_MEASURE_KOREAN_QUESTIONS_H_
#define JIKJI_MEASURE_KOREAN_QUESTIONS_H_

#include <span>

namespace jikji::measure {

// None has a Han character or a letter that is not Hangul, so that no answer has a reason to.
std::span<const char* const> KoreanQuestions();

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_KOREAN_QUESTIONS_H_
