#include "govern/audit/frame.h"

#include <cstring>

#include "govern/audit/byte_io.h"
#include "govern/audit/record.h"
#include "store/checksum.h"

namespace jikji::audit {

size_t OpenFrame(std::string& out) {
  const size_t head = out.size();
  out.append(kFrameHead, '\0');
  return head;
}

void SealFrame(size_t head, std::string& out) {
  const std::string_view payload = std::string_view(out).substr(head + kFrameHead);
  const uint32_t words[] = {static_cast<uint32_t>(payload.size()), Crc32(payload)};
  std::memcpy(out.data() + head, words, kFrameHead);
}

Frame ReadFrame(std::string_view text, size_t at) {
  Frame frame;
  const std::string_view rest = text.substr(at);
  ByteReader reader(rest);
  const auto length = reader.Int<uint32_t>();
  const auto checksum = reader.Int<uint32_t>();
  if (!reader.ok()) return frame;
  // No payload is empty; a tail of zeros, which a crash may leave, is no frame.
  if (length == 0 || length > kMaxRecordBytes) {
    frame.state = FrameState::kBroken;
    return frame;
  }
  const std::string_view payload = reader.Bytes(length);
  if (!reader.ok()) return frame;
  frame.size = kFrameHead + length;
  frame.state = Crc32(payload) == checksum ? FrameState::kWhole : FrameState::kBroken;
  if (frame.state == FrameState::kWhole) frame.payload = payload;
  return frame;
}

}  // namespace jikji::audit
