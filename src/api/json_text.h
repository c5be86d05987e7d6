// JSON written by hand, for the frames of a stream: one for each token, so that they must be cheap.
//
// Contract: what is appended is valid JSON (RFC 8259) and valid UTF-8 whatever comes in.
#ifndef JIKJI_API_JSON_TEXT_H_
#define JIKJI_API_JSON_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace jikji {

// A string in quotes; ill-formed UTF-8 becomes U+FFFD.
void AppendJsonString(std::string_view text, std::string& out);

void AppendJsonInt(int64_t value, std::string& out);

// The shortest digits that read back as the same float.
void AppendJsonFloat(float value, std::string& out);

// A log probability: -9999.0 where it is lower or not a number, as OpenAI's clients know "very
// unlikely".
void AppendJsonLogprob(float value, std::string& out);

// `[1,2,3]`: the bytes of `bytes` as numbers.
void AppendJsonBytes(std::string_view bytes, std::string& out);

}  // namespace jikji

#endif  // JIKJI_API_JSON_TEXT_H_
