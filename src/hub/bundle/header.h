// The front of a bundle: one revision of a repository, and where its bytes lie in the file.
//
// A bundle is `JIKJI-BUNDLE-1\n`, the header's length (8 bytes, little-endian), the header (JSON),
// the signature's length and the signature (a Sigstore bundle as signing/ makes it, over the files
// as OpenSSF Model Signing lists them, with OWNER/NAME@COMMIT as their subject), then the blobs,
// each once, in the order of their digests.
#ifndef JIKJI_HUB_BUNDLE_HEADER_H_
#define JIKJI_HUB_BUNDLE_HEADER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "hub/commits.h"
#include "hub/signing/manifest.h"

namespace jikji::hub {

inline constexpr std::string_view kBundleMagic = "JIKJI-BUNDLE-1\n";
inline constexpr uint64_t kMaxBundleHeader = 64u << 20;
inline constexpr uint64_t kMaxBundleSignature = 64u << 20;
// Ancestors that are told of; older ones are left out.
inline constexpr size_t kMaxBundleHistory = 10'000;

struct BundleFile {
  Digest digest{};
  uint64_t size = 0;
  bool large = false;
};

struct BundleHeader {
  std::string repository;  // OWNER/NAME, of a model
  Commit commit;
  std::vector<Commit> history;  // its ancestors, newest first: ids that prove each other
  std::map<std::string, BundleFile, std::less<>> files;
};

std::string HeaderText(const BundleHeader& header);
// kMalformed: a name, path, size or id that a hub could not hold.
Result<BundleHeader> ParseBundleHeader(std::string_view json);

// The sizes of the blobs; kMalformed where files of one digest differ in size, or all of them
// together are more than a file can be.
Result<std::map<Digest, uint64_t>> BlobsOf(const BundleHeader& header);

// What is signed.
Manifest ManifestOf(const BundleHeader& header);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_BUNDLE_HEADER_H_
