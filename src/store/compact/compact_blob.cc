#include "store/compact/compact_blob.h"

#include <algorithm>
#include <array>
#include <utility>

#include "store/checksum.h"

namespace jikji {
namespace {

std::unexpected<Error> Damaged(const char* what, const Digest& digest) {
  return Fail(ErrorCode::kIo,
              std::string("the compact file of a blob is damaged: ") + what +
                  "; `jikji hub fsck` tells how to mend it",
              HexOf(digest));
}

}  // namespace

Result<CompactRecipe> ReadCompactHead(const ByteSource& file) {
  std::array<char, kCompactFrontBytes> front;
  if (file.size() < front.size()) {
    return Fail(ErrorCode::kIo, "the compact file is damaged: it is cut");
  }
  JIKJI_RETURN_IF_ERROR(file.Read(0, front));
  JIKJI_ASSIGN(const uint64_t bytes, CompactHeadBytes({front.data(), front.size()}));
  if (bytes > file.size()) return Fail(ErrorCode::kIo, "the compact file is damaged: it is cut");
  std::string head(bytes, '\0');
  JIKJI_RETURN_IF_ERROR(file.Read(0, head));
  return ParseCompactHead(head);
}

Result<std::shared_ptr<const CompactBlob>> CompactBlob::Open(std::shared_ptr<const ByteSource> file,
                                                             const Digest& digest,
                                                             const OpenSource& open) {
  auto recipe = ReadCompactHead(*file);
  if (!recipe) return Fail(recipe.error().code, recipe.error().message, HexOf(digest));
  if (recipe->digest != digest) return Damaged("it is another's", digest);
  std::shared_ptr<CompactBlob> blob(new CompactBlob(std::move(file), *std::move(recipe)));
  blob->index_ = CompactHeadBytes(blob->recipe_);
  const uint64_t chunks = blob->recipe_.chunks();
  if (chunks > (blob->file_->size() - blob->index_) / kCompactEntryBytes) {
    return Damaged("it is cut", digest);
  }
  for (const Digest& source : blob->recipe_.sources) {
    JIKJI_ASSIGN(auto opened, open(source));
    blob->sources_.push_back(std::move(opened));
  }
  Place place;
  for (const CompactPart& part : blob->recipe_.parts) {
    if (part.source != kNoSource &&
        part.source_offset + part.length > blob->sources_[part.source]->size()) {
      return Damaged("a source is shorter than it says", digest);
    }
    blob->places_.push_back(place);
    place.offset += part.length;
    place.chunk += (part.length - 1) / kCompactChunk + 1;
  }
  return blob;
}

CompactBlob::Piece CompactBlob::PieceAt(uint64_t offset) const {
  const auto after = std::ranges::upper_bound(places_, offset, {}, &Place::offset);
  Piece out;
  out.part = static_cast<size_t>(after - places_.begin()) - 1;
  const Place& place = places_[out.part];
  const uint64_t within = (offset - place.offset) / kCompactChunk;
  out.number = place.chunk + within;
  out.offset = place.offset + within * kCompactChunk;
  out.length =
      std::min(kCompactChunk, recipe_.parts[out.part].length - (out.offset - place.offset));
  return out;
}

Result<> CompactBlob::Decode(const Piece& piece, std::span<char> out) const {
  const CompactPart& part = recipe_.parts[piece.part];
  std::array<char, kCompactEntryBytes> entry;
  JIKJI_RETURN_IF_ERROR(file_->Read(index_ + piece.number * kCompactEntryBytes, entry));
  const CompactChunk chunk = ParseEntry({entry.data(), entry.size()});
  const bool same = chunk.stored == 0;
  if (chunk.stored > MaxStoredBytes(out.size(), part.width) || chunk.offset > file_->size() ||
      chunk.stored > file_->size() - chunk.offset || (same && part.source == kNoSource)) {
    return Damaged("a chunk is not where its index says", recipe_.digest);
  }
  const uint64_t from = part.source_offset + (piece.offset - places_[piece.part].offset);
  if (same) {
    JIKJI_RETURN_IF_ERROR(sources_[part.source]->Read(from, out));
  } else {
    source_.resize(part.source == kNoSource ? 0 : out.size());
    if (!source_.empty()) JIKJI_RETURN_IF_ERROR(sources_[part.source]->Read(from, source_));
    stored_.resize(chunk.stored);
    JIKJI_RETURN_IF_ERROR(file_->Read(chunk.offset, stored_));
    if (!coder_.Unpack(stored_, source_, part.width, out)) {
      return Damaged("a chunk cannot be decoded", recipe_.digest);
    }
  }
  if (Xxh64({out.data(), out.size()}, piece.number) != chunk.check) {
    return Damaged("a chunk, or the base it is made from, is not what was written", recipe_.digest);
  }
  return {};
}

Result<> CompactBlob::Read(uint64_t offset, std::span<char> into) const {
  if (offset > size() || into.size() > size() - offset) {
    return Fail(ErrorCode::kInvalidArgument, "a read past the end of a blob",
                HexOf(recipe_.digest));
  }
  const std::lock_guard lock(mutex_);
  while (!into.empty()) {
    if (offset < decoded_.offset || offset - decoded_.offset >= decoded_.length) {
      const Piece piece = PieceAt(offset);
      if (offset == piece.offset && into.size() >= piece.length) {  // straight to where it goes
        JIKJI_RETURN_IF_ERROR(Decode(piece, into.first(piece.length)));
        offset += piece.length;
        into = into.subspan(piece.length);
        continue;
      }
      decoded_.length = 0;
      bytes_.resize(piece.length);
      JIKJI_RETURN_IF_ERROR(Decode(piece, bytes_));
      decoded_ = piece;
    }
    const uint64_t within = offset - decoded_.offset;
    const size_t count = std::min<uint64_t>(into.size(), decoded_.length - within);
    std::copy_n(bytes_.data() + within, count, into.data());
    offset += count;
    into = into.subspan(count);
  }
  return {};
}

}  // namespace jikji
