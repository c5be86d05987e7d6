#include "store/compact/recipe.h"

#include <algorithm>
#include <cstring>

#include "store/checksum.h"

namespace jikji {
namespace {

constexpr std::string_view kMagic = "JKCOMP1\n";
constexpr size_t kPartBytes = 24;
constexpr size_t kCheckBytes = 8;

template <class Word>
void Append(Word word, std::string& out) {
  out.append(reinterpret_cast<const char*>(&word), sizeof(word));
}

template <class Word>
Word At(std::string_view text, size_t offset) {
  Word word;
  std::memcpy(&word, text.data() + offset, sizeof(word));
  return word;
}

std::unexpected<Error> Damaged(const char* what) {
  return Fail(ErrorCode::kIo, std::string("the compact file is damaged: ") + what);
}

uint64_t HeadBytes(uint64_t sources, uint64_t parts) {
  return kCompactFrontBytes + sources * sizeof(Digest) + parts * kPartBytes + kCheckBytes;
}

}  // namespace

uint64_t CompactRecipe::chunks() const {
  uint64_t count = 0;
  for (const CompactPart& part : parts) count += (part.length - 1) / kCompactChunk + 1;
  return count;
}

Result<uint64_t> CompactHeadBytes(std::string_view front) {
  if (front.size() < kCompactFrontBytes || !front.starts_with(kMagic)) {
    return Damaged("it does not begin like one");
  }
  const auto sources = At<uint32_t>(front, 48);
  const auto parts = At<uint32_t>(front, 52);
  if (sources > kMaxCompactSources || parts > kMaxCompactParts) {
    return Damaged("it names too many parts or sources");
  }
  return HeadBytes(sources, parts);
}

uint64_t CompactHeadBytes(const CompactRecipe& recipe) {
  return HeadBytes(recipe.sources.size(), recipe.parts.size());
}

std::string CompactHead(const CompactRecipe& recipe) {
  std::string out(kMagic);
  out.append(reinterpret_cast<const char*>(recipe.digest.data()), sizeof(Digest));
  Append(recipe.size, out);
  Append(static_cast<uint32_t>(recipe.sources.size()), out);
  Append(static_cast<uint32_t>(recipe.parts.size()), out);
  for (const Digest& source : recipe.sources) {
    out.append(reinterpret_cast<const char*>(source.data()), sizeof(Digest));
  }
  for (const CompactPart& part : recipe.parts) {
    Append(part.length, out);
    Append(part.source_offset, out);
    Append(part.source, out);
    Append(uint32_t{part.width}, out);
  }
  Append(Xxh64(out), out);
  return out;
}

Result<CompactRecipe> ParseCompactRecipe(std::string_view head) {
  JIKJI_ASSIGN(const uint64_t bytes, CompactHeadBytes(head));
  if (head.size() != bytes) return Damaged("its head is cut");
  CompactRecipe out;
  std::memcpy(out.digest.data(), head.data() + kMagic.size(), sizeof(Digest));
  out.size = At<uint64_t>(head, 40);
  out.sources.resize(At<uint32_t>(head, 48));
  out.parts.resize(At<uint32_t>(head, 52));
  size_t at = kCompactFrontBytes;
  for (Digest& source : out.sources) {
    std::memcpy(source.data(), head.data() + at, sizeof(Digest));
    at += sizeof(Digest);
  }
  uint64_t left = out.size;
  for (CompactPart& part : out.parts) {
    part.length = At<uint64_t>(head, at);
    part.source_offset = At<uint64_t>(head, at + 8);
    part.source = At<uint32_t>(head, at + 16);
    const auto width = At<uint32_t>(head, at + 20);
    at += kPartBytes;
    if (part.length == 0 || part.length > left) return Damaged("its parts are not its length");
    left -= part.length;
    if (width != 1 && width != 2 && width != 4 && width != 8) return Damaged("a width is none");
    part.width = static_cast<uint8_t>(width);
    if (part.source == kNoSource
            ? part.source_offset != 0
            : part.source >= out.sources.size() || part.source_offset > UINT64_MAX - part.length) {
      return Damaged("a part's source is none");
    }
  }
  if (left != 0) return Damaged("its parts are not its length");
  return out;
}

Result<CompactRecipe> ParseCompactHead(std::string_view head) {
  if (head.size() < kCheckBytes || At<uint64_t>(head, head.size() - kCheckBytes) !=
                                       Xxh64(head.substr(0, head.size() - kCheckBytes))) {
    return Damaged("its head is not what was written");
  }
  return ParseCompactRecipe(head);
}

void AppendEntry(const CompactChunk& chunk, std::string& index) {
  Append(chunk.offset, index);
  Append(chunk.stored, index);
  Append(chunk.check, index);
}

CompactChunk ParseEntry(std::string_view entry) {
  return {At<uint64_t>(entry, 0), At<uint32_t>(entry, 8), At<uint64_t>(entry, 12)};
}

}  // namespace jikji
