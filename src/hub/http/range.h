// The Range header of one part (RFC 9110, 14.2).
#ifndef JIKJI_HUB_HTTP_RANGE_H_
#define JIKJI_HUB_HTTP_RANGE_H_

#include <cstdint>
#include <string_view>

namespace jikji::hub {

struct RangeRequest {
  enum class Kind { kWhole, kPart, kUnsatisfiable };
  Kind kind = Kind::kWhole;
  uint64_t begin = 0;
  uint64_t end = 0;  // one past the last
};

// Anything but one well-formed range is answered with the whole, as the standard allows.
RangeRequest ParseRange(std::string_view header, uint64_t size);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_RANGE_H_
