#include "store/sha256_lane.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace jikji {
namespace {

// FIPS 180-4, 5.3.3 and 4.2.2.
constexpr uint32_t kInitial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                  0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
alignas(64) constexpr uint32_t kRounds[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#if defined(__x86_64__)

// `blocks` blocks of each of N streams. The instructions keep the state as ABEF and CDGH.
template <int N>
__attribute__((target("sha,sse4.1,ssse3"))) void CompressBlocks(
    const std::array<uint32_t*, N>& states, std::array<const char*, N> data, size_t blocks) {
  const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);
  __m128i abef[N], cdgh[N];
  for (int n = 0; n < N; ++n) {
    const __m128i* state = reinterpret_cast<const __m128i*>(states[n]);
    const __m128i badc = _mm_shuffle_epi32(_mm_loadu_si128(state), 0xB1);
    const __m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128(state + 1), 0x1B);
    abef[n] = _mm_alignr_epi8(badc, hgfe, 8);
    cdgh[n] = _mm_blend_epi16(hgfe, badc, 0xF0);
  }
  for (; blocks > 0; --blocks) {
    __m128i words[N][4], abef_before[N], cdgh_before[N];
    for (int n = 0; n < N; ++n) {
      abef_before[n] = abef[n];
      cdgh_before[n] = cdgh[n];
      for (int i = 0; i < 4; ++i) {
        const __m128i* from = reinterpret_cast<const __m128i*>(data[n] + 16 * i);
        words[n][i] = _mm_shuffle_epi8(_mm_loadu_si128(from), big_endian);
      }
      data[n] += 64;
    }
#pragma GCC unroll 16
    for (int group = 0; group < 16; ++group) {  // of four rounds
      const __m128i* keys = reinterpret_cast<const __m128i*>(kRounds + 4 * group);
      const __m128i key = _mm_load_si128(keys);
#pragma GCC unroll 2
      for (int n = 0; n < N; ++n) {
        __m128i& word = words[n][group & 3];
        const __m128i added = _mm_add_epi32(word, key);
        cdgh[n] = _mm_sha256rnds2_epu32(cdgh[n], abef[n], added);
        abef[n] = _mm_sha256rnds2_epu32(abef[n], cdgh[n], _mm_shuffle_epi32(added, 0x0E));
        if (group >= 12) continue;
        const __m128i last = words[n][(group + 3) & 3];
        const __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(word, words[n][(group + 1) & 3]),
                                          _mm_alignr_epi8(last, words[n][(group + 2) & 3], 4));
        word = _mm_sha256msg2_epu32(sum, last);
      }
    }
    for (int n = 0; n < N; ++n) {
      abef[n] = _mm_add_epi32(abef[n], abef_before[n]);
      cdgh[n] = _mm_add_epi32(cdgh[n], cdgh_before[n]);
    }
  }
  for (int n = 0; n < N; ++n) {
    const __m128i feba = _mm_shuffle_epi32(abef[n], 0x1B);
    const __m128i dchg = _mm_shuffle_epi32(cdgh[n], 0xB1);
    __m128i* state = reinterpret_cast<__m128i*>(states[n]);
    _mm_storeu_si128(state, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(state + 1, _mm_alignr_epi8(dchg, feba, 8));
  }
}

#else

template <int N>
void CompressBlocks(const std::array<uint32_t*, N>&, std::array<const char*, N>, size_t) {}

#endif

}  // namespace

bool Sha256Lane::HasInstructions() {
#if defined(__x86_64__)
  // Clang 16's __builtin_cpu_supports does not know `sha`.
  static const bool has = [] {
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __builtin_cpu_supports("sse4.1") && __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) &&
           (ebx & bit_SHA) != 0;
  }();
  return has;
#else
  return false;
#endif
}

Sha256Lane::Sha256Lane(bool use_instructions) {
  if (!use_instructions) plain_.emplace();
  std::ranges::copy(kInitial, state_);
}

void Sha256Lane::FillPending(std::string_view& bytes) {
  if (pending_bytes_ == 0 || bytes.empty()) return;
  const size_t count = std::min(kBlock - pending_bytes_, bytes.size());
  std::memcpy(pending_ + pending_bytes_, bytes.data(), count);
  bytes.remove_prefix(count);
  pending_bytes_ += count;
  if (pending_bytes_ < kBlock) return;
  CompressBlocks<1>({state_}, {reinterpret_cast<const char*>(pending_)}, 1);
  pending_bytes_ = 0;
}

void Sha256Lane::TakeRest(std::string_view bytes) {
  const size_t blocks = bytes.size() / kBlock;
  if (blocks > 0) CompressBlocks<1>({state_}, {bytes.data()}, blocks);
  bytes.remove_prefix(blocks * kBlock);
  if (bytes.empty()) return;
  std::memcpy(pending_, bytes.data(), bytes.size());
  pending_bytes_ = bytes.size();
}

void Sha256Lane::Update(std::string_view bytes) {
  if (plain_) return plain_->Update(bytes);
  total_bytes_ += bytes.size();
  FillPending(bytes);
  TakeRest(bytes);
}

void Sha256Lane::UpdateBoth(Sha256Lane& first, std::string_view first_bytes, Sha256Lane& second,
                            std::string_view second_bytes) {
  if (first.plain_ || second.plain_) {
    first.Update(first_bytes);
    second.Update(second_bytes);
    return;
  }
  first.total_bytes_ += first_bytes.size();
  second.total_bytes_ += second_bytes.size();
  first.FillPending(first_bytes);
  second.FillPending(second_bytes);
  const size_t both = std::min(first_bytes.size(), second_bytes.size()) / kBlock;
  if (both > 0) {
    CompressBlocks<2>({first.state_, second.state_}, {first_bytes.data(), second_bytes.data()},
                      both);
    first_bytes.remove_prefix(both * kBlock);
    second_bytes.remove_prefix(both * kBlock);
  }
  first.TakeRest(first_bytes);
  second.TakeRest(second_bytes);
}

Digest Sha256Lane::Finish() {
  if (plain_) return plain_->Finish();
  // A bit, zeros, and the length in bits as the last 8 bytes of a block.
  const uint64_t bits = total_bytes_ * 8;
  std::string end(1, '\x80');
  end.append((2 * kBlock - 9 - pending_bytes_) % kBlock, '\0');
  for (int shift = 56; shift >= 0; shift -= 8) end += static_cast<char>(bits >> shift);
  Update(end);
  Digest digest;
  for (size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<uint8_t>(state_[i / 4] >> (24 - 8 * (i % 4)));
  }
  return digest;
}

}  // namespace jikji
