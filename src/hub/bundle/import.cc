#include "base/file.h"
#include "hub/blobs.h"
#include "hub/bundle/bundle.h"
#include "hub/gate.h"
#include "hub/names.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

using Bytes = std::span<const std::byte>;

std::string_view TextOf(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::unexpected<Error> Broken(std::string message, const fs::path& file) {
  return Fail(ErrorCode::kMalformed, std::move(message), file.string());
}

// A length and so many bytes, taken off the front.
Result<Bytes> TakePart(Bytes& rest, uint64_t most, const fs::path& file) {
  if (rest.size() < 8) return Broken("the bundle ends too early", file);
  uint64_t length = 0;
  for (size_t i = 0; i < 8; ++i) length |= std::to_integer<uint64_t>(rest[i]) << (8 * i);
  rest = rest.subspan(8);
  if (length > most || length > rest.size()) return Broken("a length is too large", file);
  const Bytes out = rest.first(length);
  rest = rest.subspan(length);
  return out;
}

// A bundle that is what was signed, in memory as it lies in the file.
struct Opened {
  BundleHeader header;
  std::map<Digest, Bytes> blobs;
};

Result<Opened> Verify(Bytes rest, const fs::path& file, const TrustAnchor& trust) {
  if (!TextOf(rest).starts_with(kBundleMagic)) return Broken("is no bundle of a hub", file);
  rest = rest.subspan(kBundleMagic.size());
  JIKJI_ASSIGN(const Bytes header, TakePart(rest, kMaxBundleHeader, file));
  JIKJI_ASSIGN(const Bytes signature, TakePart(rest, kMaxBundleSignature, file));
  JIKJI_ASSIGN(const std::string statement, VerifySignature(TextOf(signature), trust));
  JIKJI_ASSIGN(const Manifest signed_files, ParseStatement(statement));
  Opened out;
  JIKJI_ASSIGN(out.header, ParseBundleHeader(TextOf(header)));
  const Manifest told = ManifestOf(out.header);
  if (signed_files.shards || signed_files.name != told.name ||
      signed_files.resources != told.resources) {
    return Broken("the files are not those that were signed", file);
  }
  JIKJI_ASSIGN(const auto sizes, BlobsOf(out.header));
  for (const auto& [digest, size] : sizes) {
    if (size > rest.size()) return Broken("the bundle ends too early", file);
    const Bytes blob = rest.first(size);
    if (Sha256Of(TextOf(blob)) != digest) {
      return Broken("bytes are not those that were signed: copy the bundle again", file);
    }
    DropMappedPages(blob);
    out.blobs.emplace(digest, blob);
    rest = rest.subspan(size);
  }
  if (!rest.empty()) return Broken("there are bytes behind the end", file);
  return out;
}

// The door that every commit passes.
Result<> CheckDoor(const Opened& bundle) {
  for (const auto& [path, file] : bundle.header.files) {
    const Bytes bytes = bundle.blobs.at(file.digest);
    auto refused = CheckBeforeUpload(path, file.size, TextOf(bytes).substr(0, 512));
    if (!refused) refused = CheckContent(path, bytes);
    if (refused) return Fail(ErrorCode::kMalformed, refused->english, path);
  }
  return {};
}

}  // namespace

Result<BundleHeader> ImportBundle(Hub& hub, Database& database, const fs::path& path,
                                  const TrustAnchor& trust, const std::string& branch) {
  JIKJI_RETURN_IF_ERROR(CheckRefName(branch));
  JIKJI_ASSIGN(const MappedFile mapped, MappedFile::Open(path));
  JIKJI_ASSIGN(Opened bundle, Verify(mapped.bytes(), path, trust));
  JIKJI_RETURN_IF_ERROR(CheckDoor(bundle));
  const BundleHeader& header = bundle.header;
  Listing listing;
  for (const auto& [name, file] : header.files) {
    listing.emplace(name, file.large ? LargeFile(file.digest, file.size)
                                     : SmallFile(TextOf(bundle.blobs.at(file.digest))));
  }
  const std::string owner(OwnerOf(header.repository));
  for (const auto& [digest, bytes] : bundle.blobs) {
    JIKJI_ASSIGN(const bool has, HasBlob(database, digest, bytes.size(), owner));
    if (has) continue;
    JIKJI_ASSIGN(BlobWriter writer, hub.blobs().Begin());
    JIKJI_RETURN_IF_ERROR(writer.Write(TextOf(bytes)));
    JIKJI_ASSIGN(const Digest written, writer.Seal());
    if (written != digest) return Broken("the bundle changed while it was read", path);
    JIKJI_RETURN_IF_ERROR(PublishBlob(database, writer, digest, owner));
    DropMappedPages(bytes);
  }
  JIKJI_ASSIGN(const Created created, CreateRepository(database, "model", header.repository,
                                                       /*is_private=*/true, header.commit.author));
  JIKJI_RETURN_IF_ERROR(
      AdoptCommit(database, created.repository, branch, header.commit, header.history, listing));
  return std::move(bundle.header);
}

}  // namespace jikji::hub
