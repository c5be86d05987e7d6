// Frames: how records and heads stand in their files, so that a torn tail is known for one.
//
// A frame is the payload's length and its CRC-32, four bytes each, and the payload.
#ifndef JIKJI_GOVERN_AUDIT_FRAME_H_
#define JIKJI_GOVERN_AUDIT_FRAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace jikji::audit {

inline constexpr size_t kFrameHead = 8;

// Room for a head at the end of `out`; returns its place. Append the payload, then SealFrame.
size_t OpenFrame(std::string& out);
void SealFrame(size_t head, std::string& out);

enum class FrameState : uint8_t {
  kWhole,
  kTorn,    // the text ends within it
  kBroken,  // of an impossible length, or its checksum differs
};

struct Frame {
  FrameState state = FrameState::kTorn;
  std::string_view payload;  // of kWhole
  size_t size = 0;           // with its head; of kBroken: 0 where its end cannot be told
};

// The frame at `at`, which is before the end of the text.
Frame ReadFrame(std::string_view text, size_t at);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_FRAME_H_
