// Which of 64 bytes may begin something that the guard looks for, as bits: what makes ordinary text
// cheap. SSE2 is part of x86-64, so there is nothing to choose at run time.
#ifndef JIKJI_GOVERN_GUARD_BYTE_MASKS_H_
#define JIKJI_GOVERN_GUARD_BYTE_MASKS_H_

#include <cstddef>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace jikji::guard {

inline constexpr size_t kMaskBytes = 64;

struct ByteMasks {
  uint64_t digits = 0;  // 0 to 9
  // @, a backslash (of \uXXXX), EF and F0 (the leads of full-width and mathematical forms)
  uint64_t exotic = 0;
  uint64_t general = 0;  // E2, the lead of zero-width characters and of dashes, quotes, bullets
};

inline ByteMasks ClassifyBytes(const char* bytes) {
  ByteMasks masks;
#if defined(__SSE2__)
  const auto is = [](__m128i block, int value) {
    return _mm_cmpeq_epi8(block, _mm_set1_epi8(static_cast<char>(value)));
  };
  const auto bits = [](__m128i lanes, size_t i) {
    return uint64_t{static_cast<uint32_t>(_mm_movemask_epi8(lanes))} << (16 * i);
  };
  for (size_t i = 0; i < 4; ++i) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + 16 * i));
    // Moved so that the digits are the ten least signed values.
    const __m128i moved = _mm_add_epi8(block, _mm_set1_epi8(static_cast<char>(128 - '0')));
    masks.digits |= bits(_mm_cmplt_epi8(moved, _mm_set1_epi8(-128 + 10)), i);
    // EF and F0 are neighbours: (byte + 1) with its lowest bit off is F0 for both.
    const __m128i lead = _mm_and_si128(_mm_add_epi8(block, _mm_set1_epi8(1)),
                                       _mm_set1_epi8(static_cast<char>(0xFE)));
    masks.exotic |=
        bits(_mm_or_si128(_mm_or_si128(is(block, '@'), is(block, '\\')), is(lead, 0xF0)), i);
    masks.general |= bits(is(block, 0xE2), i);
  }
#else
  for (size_t i = 0; i < kMaskBytes; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[i]);
    masks.digits |= uint64_t{byte >= '0' && byte <= '9'} << i;
    masks.exotic |= uint64_t{byte == '@' || byte == '\\' || byte == 0xEF || byte == 0xF0} << i;
    masks.general |= uint64_t{byte == 0xE2} << i;
  }
#endif
  return masks;
}

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_BYTE_MASKS_H_
