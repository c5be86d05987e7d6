#include "api/request_id.h"

#include <algorithm>
#include <cstdint>
#include <random>

namespace jikji {
namespace {

constexpr size_t kMaxLength = 128;

}  // namespace

std::string RandomId() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  id.reserve(32);
  for (int word = 0; word < 2; ++word) {
    uint64_t bits = generator();
    for (int digit = 0; digit < 16; ++digit, bits >>= 4) id += kHex[bits & 15];
  }
  return id;
}

bool IsUsableRequestId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxLength &&
         std::ranges::all_of(id, [](char c) { return c > ' ' && c <= '~'; });
}

std::string ResolveRequestId(std::string_view header) {
  return IsUsableRequestId(header) ? std::string(header) : RandomId();
}

}  // namespace jikji
