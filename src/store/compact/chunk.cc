#include "store/compact/chunk.h"

#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace jikji {
namespace {

// Planes of weights repeat nothing but runs of zeros. What zstd takes for repetitions elsewhere is
// chance, and costs more than it gives: so it looks for long ones and remembers few, and its
// entropy coder does the rest.
constexpr int kLevel = 1;
constexpr int kLeastMatch = 7;     // the most that there is
constexpr int kRememberedLog = 6;  // the fewest that there are
// A plane that saves less stands as it is: reading it back costs nothing.
constexpr size_t kLeastSavedPart = 32;
constexpr size_t kLengthBytes = sizeof(uint32_t);

// Of values that lie side by side, byte k of each to plane k.
template <size_t kWidth>
void Split(const char* values, size_t count, char* planes) {
  for (size_t k = 0; k < kWidth; ++k) {
    for (size_t i = 0; i < count; ++i) planes[k * count + i] = values[i * kWidth + k];
  }
}

template <size_t kWidth>
void Join(const char* __restrict planes, size_t count, char* __restrict values) {
  for (size_t i = 0; i < count; ++i) {
    for (size_t k = 0; k < kWidth; ++k) values[i * kWidth + k] = planes[k * count + i];
  }
}

void SplitBy(uint8_t width, const char* values, size_t count, char* planes) {
  switch (width) {
    case 2:
      return Split<2>(values, count, planes);
    case 4:
      return Split<4>(values, count, planes);
    case 8:
      return Split<8>(values, count, planes);
    default:
      std::memcpy(planes, values, count);
  }
}

void JoinBy(uint8_t width, const char* planes, size_t count, char* values) {
  switch (width) {
    case 2:
      return Join<2>(planes, count, values);
    case 4:
      return Join<4>(planes, count, values);
    case 8:
      return Join<8>(planes, count, values);
    default:
      std::memcpy(values, planes, count);
  }
}

// Values of two bytes are what most weights are: joined and taken apart in one pass.
void JoinPairs(const char* __restrict planes, size_t count, const char* __restrict source,
               char* __restrict values) {
  const char* high = planes + count;
  for (size_t i = 0; i < count; ++i) {
    values[2 * i] = static_cast<char>(planes[i] ^ source[2 * i]);
    values[2 * i + 1] = static_cast<char>(high[i] ^ source[2 * i + 1]);
  }
}

void XorInto(const char* __restrict source, size_t bytes, char* __restrict out) {
  for (size_t i = 0; i < bytes; ++i) out[i] = static_cast<char>(out[i] ^ source[i]);
}

std::unexpected<Error> Damaged() {
  return Fail(ErrorCode::kIo, "a chunk of the compact file is damaged");
}

}  // namespace

struct ChunkCoder::State {
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> packer{nullptr, &ZSTD_freeCCtx};
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> unpacker{nullptr, &ZSTD_freeDCtx};
  std::string values;
  std::string planes;
  std::string stored;
};

ChunkCoder::ChunkCoder() : state_(std::make_unique<State>()) {}
ChunkCoder::ChunkCoder(ChunkCoder&&) noexcept = default;
ChunkCoder& ChunkCoder::operator=(ChunkCoder&&) noexcept = default;
ChunkCoder::~ChunkCoder() = default;

uint64_t MaxStoredBytes(uint64_t bytes, uint8_t width) { return bytes + width * kLengthBytes; }

// Lengths of the planes as stored, the planes, the bytes behind the last whole value.
std::string_view ChunkCoder::Pack(std::string_view bytes, std::string_view source, uint8_t width) {
  if (!source.empty() && bytes == source) return {};
  State& state = *state_;
  if (!state.packer) {
    state.packer.reset(ZSTD_createCCtx());
    ZSTD_CCtx_setParameter(state.packer.get(), ZSTD_c_compressionLevel, kLevel);
    ZSTD_CCtx_setParameter(state.packer.get(), ZSTD_c_minMatch, kLeastMatch);
    ZSTD_CCtx_setParameter(state.packer.get(), ZSTD_c_hashLog, kRememberedLog);
  }
  state.values = bytes;
  if (!source.empty()) XorInto(source.data(), source.size(), state.values.data());
  const size_t count = bytes.size() / width;
  state.planes.resize(count * width);
  SplitBy(width, state.values.data(), count, state.planes.data());
  state.stored.assign(width * kLengthBytes, '\0');
  for (size_t k = 0; k < width; ++k) {
    const std::string_view plane = std::string_view(state.planes).substr(k * count, count);
    const size_t begin = state.stored.size();
    state.stored.resize(begin + ZSTD_compressBound(count));
    size_t size = ZSTD_compress2(state.packer.get(), state.stored.data() + begin,
                                 state.stored.size() - begin, plane.data(), count);
    if (ZSTD_isError(size) || size + count / kLeastSavedPart >= count) {
      plane.copy(state.stored.data() + begin, count);
      size = count;
    }
    state.stored.resize(begin + size);
    const auto length = static_cast<uint32_t>(size);
    std::memcpy(state.stored.data() + k * kLengthBytes, &length, kLengthBytes);
  }
  state.stored.append(state.values, count * width);
  return state.stored;
}

Result<> ChunkCoder::Unpack(std::string_view stored, std::string_view source, uint8_t width,
                            std::span<char> out) {
  State& state = *state_;
  if (!state.unpacker) state.unpacker.reset(ZSTD_createDCtx());
  const size_t count = out.size() / width;
  const size_t tail = out.size() - count * width;
  if (stored.size() < width * kLengthBytes) return Damaged();
  const char* lengths = stored.data();
  stored.remove_prefix(width * kLengthBytes);
  state.planes.resize(count * width);
  for (size_t k = 0; k < width; ++k) {
    uint32_t length;
    std::memcpy(&length, lengths + k * kLengthBytes, kLengthBytes);
    if (length > stored.size() || length > count) return Damaged();
    char* plane = state.planes.data() + k * count;
    if (length == count) {
      std::memcpy(plane, stored.data(), count);
    } else if (ZSTD_decompressDCtx(state.unpacker.get(), plane, count, stored.data(), length) !=
               count) {
      return Damaged();
    }
    stored.remove_prefix(length);
  }
  if (stored.size() != tail) return Damaged();
  stored.copy(out.data() + count * width, tail);
  if (width == 2 && !source.empty()) {
    JoinPairs(state.planes.data(), count, source.data(), out.data());
    XorInto(source.data() + count * width, tail, out.data() + count * width);
    return {};
  }
  JoinBy(width, state.planes.data(), count, out.data());
  if (!source.empty()) XorInto(source.data(), out.size(), out.data());
  return {};
}

}  // namespace jikji
