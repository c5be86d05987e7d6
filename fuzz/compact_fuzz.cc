// Any bytes as a compact file of a blob: its head, and its chunks beside a source. An error or the
// bytes that a recipe says, never more; a recipe that was accepted is written and read to the same.
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "store/checksum.h"
#include "store/compact/compact_blob.h"

namespace {

class Text final : public jikji::ByteSource {
 public:
  explicit Text(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  jikji::Result<> Read(uint64_t offset, std::span<char> into) const override {
    if (offset > bytes_.size() || into.size() > bytes_.size() - offset) std::abort();
    bytes_.copy(into.data(), into.size(), offset);
    return {};
  }

 private:
  std::string bytes_;
};

constexpr size_t kSourceBytes = 100'000;
constexpr uint64_t kMostRead = 1u << 20;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string text(reinterpret_cast<const char*>(data), size);
  jikji::ChunkCoder coder;
  const std::string source(1000, 's');
  std::string out(1000, '\0');
  for (const uint8_t width : {1, 2, 4, 8}) (void)coder.Unpack(text, source, width, out);

  const auto head_bytes = jikji::CompactHeadBytes(text);
  if (!head_bytes || *head_bytes > text.size()) return 0;
  const auto recipe = jikji::ParseCompactRecipe(std::string_view(text).substr(0, *head_bytes));
  if (!recipe) return 0;
  const std::string head = jikji::CompactHead(*recipe);
  if (head.size() != *head_bytes || *jikji::ParseCompactHead(head) != *recipe) std::abort();
  // With the checksum that it should have, the file is opened.
  text.replace(0, head.size(), head);
  const auto blob = jikji::CompactBlob::Open(
      std::make_shared<const Text>(text), recipe->digest,
      [](const jikji::Digest&) -> jikji::Result<std::shared_ptr<const jikji::ByteSource>> {
        return std::make_shared<const Text>(std::string(kSourceBytes, 's'));
      });
  if (!blob) return 0;
  if ((*blob)->size() != recipe->size) std::abort();
  std::string whole(std::min(recipe->size, kMostRead), '\0');
  (void)(*blob)->Read(0, whole);
  (void)(*blob)->Read(recipe->size - whole.size(), whole);
  return 0;
}
