// Many short strings by index, and the index of a string: a vocabulary.
//
// One buffer for all bytes, one hash table of indices. Immutable once made. Empty strings take an
// index (a hole) and are never found; of equal strings the last is found.
#ifndef JIKJI_TEXT_STRING_TABLE_H_
#define JIKJI_TEXT_STRING_TABLE_H_

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace jikji {

inline uint64_t MixHash(uint64_t value) {
  value ^= value >> 32;
  value *= 0x9E3779B97F4A7C15ull;
  return value ^ value >> 29;
}

// For tables whose keys come with the model; not for keys an attacker chooses.
inline uint64_t HashBytes(std::string_view bytes) {
  uint64_t hash = bytes.size() * 0x9E3779B97F4A7C15ull;
  while (bytes.size() >= 8) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    hash = MixHash(hash ^ word) * 0xD6E8FEB86659FD93ull;
    bytes.remove_prefix(8);
  }
  uint64_t tail = 0;
  if (!bytes.empty()) std::memcpy(&tail, bytes.data(), bytes.size());
  return MixHash((hash ^ tail) * 0xD6E8FEB86659FD93ull);
}

class StringTable {
 public:
  StringTable() = default;
  explicit StringTable(std::span<const std::string_view> strings);

  int32_t size() const { return static_cast<int32_t>(offsets_.size()) - 1; }

  // Empty where `index` is out of range.
  std::string_view operator[](int32_t index) const {
    if (index < 0 || index >= size()) return {};
    const auto i = static_cast<size_t>(index);
    return std::string_view(bytes_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
  }

  // -1 where there is none.
  int32_t Find(std::string_view string) const;

 private:
  std::string bytes_;
  std::vector<uint64_t> offsets_ = {0};
  std::vector<int32_t> slots_;
};

}  // namespace jikji

#endif  // JIKJI_TEXT_STRING_TABLE_H_
