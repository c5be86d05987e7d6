#include "hub/small_file.h"

#include "base/file.h"

namespace jikji::hub {
namespace {

constexpr uint64_t kMaxCardBytes = 4u << 20;

}  // namespace

std::optional<std::string> TextIn(const Hub& hub, const Listing& listing, std::string_view path,
                                  uint64_t max_bytes) {
  const auto file = listing.find(path);
  if (file == listing.end() || file->second.size > max_bytes) return std::nullopt;
  const auto blob = hub.blobs().OpenBlob(file->second.digest);
  if (!blob) return std::nullopt;
  std::string text(blob->size(), '\0');
  if (!blob->Read(0, text)) return std::nullopt;
  return text;
}

Card CardIn(const Hub& hub, const Listing& listing) {
  const auto text = TextIn(hub, listing, "README.md", kMaxCardBytes);
  return text ? ParseCard(*text).value_or(Card{}) : Card{};
}

}  // namespace jikji::hub
