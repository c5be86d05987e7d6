// What a model's files hash to, as OpenSSF Model Signing v1.0 states it: an in-toto statement.
//
// Contract: method `files`, SHA-256, names sorted by their bytes; the subject's digest is over the
// raw digests in that order. Left out are `.git`, `.github`, `.gitignore` and `.gitattributes` at
// the top and the signature itself. Links are followed where `links` says so, as in the cache of a
// client, else they are an error. Non-goals: hashes other than SHA-256.
#ifndef JIKJI_HUB_SIGNING_MANIFEST_H_
#define JIKJI_HUB_SIGNING_MANIFEST_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/digest.h"

namespace jikji::hub {

// Shards are `path:start:end`, the default of the specification.
inline constexpr uint64_t kShardBytes = 1'000'000'000;

struct Manifest {
  std::string name;
  bool shards = false;  // else whole files
  uint64_t shard_bytes = kShardBytes;
  bool links = false;
  // Names of files, or of shards, to their digests.
  std::map<std::string, Digest, std::less<>> resources;
};

Result<Manifest> ManifestOf(const std::filesystem::path& folder,
                            const std::filesystem::path& signature, const Manifest& how);

std::string StatementOf(const Manifest& manifest);
// kMalformed unless every rule of the specification holds; kUnsupported: another hash or method.
Result<Manifest> ParseStatement(std::string_view json);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_SIGNING_MANIFEST_H_
