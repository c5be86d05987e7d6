#include "text/string_table.h"

#include <bit>

namespace jikji {

StringTable::StringTable(std::span<const std::string_view> strings) {
  size_t total = 0;
  for (const std::string_view s : strings) total += s.size();
  bytes_.reserve(total);
  offsets_.reserve(strings.size() + 1);
  slots_.assign(std::bit_ceil(strings.size() * 2 + 2), -1);
  const size_t mask = slots_.size() - 1;
  for (size_t i = 0; i < strings.size(); ++i) {
    bytes_ += strings[i];
    offsets_.push_back(bytes_.size());
    if (strings[i].empty()) continue;
    size_t slot = HashBytes(strings[i]) & mask;
    while (slots_[slot] >= 0 && (*this)[slots_[slot]] != strings[i]) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<int32_t>(i);
  }
}

int32_t StringTable::Find(std::string_view string) const {
  if (slots_.empty() || string.empty()) return -1;
  const size_t mask = slots_.size() - 1;
  size_t slot = HashBytes(string) & mask;
  while (slots_[slot] >= 0) {
    if ((*this)[slots_[slot]] == string) return slots_[slot];
    slot = (slot + 1) & mask;
  }
  return -1;
}

}  // namespace jikji
