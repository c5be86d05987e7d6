// What a model's files hash to, as OpenSSF Model Signing v1.0 states it: an in-toto statement.
//
// Contract: methods `files` and `shards`, SHA-256, names sorted by their bytes and shards of a file
// by where they begin; the subject's digest is over the raw digests in that order. A model that is
// one file has the name `.`. Left out are `.git`, `.github`, `.gitignore` and `.gitattributes` at
// the top, what the statement says is ignored, and the signature itself. Links are followed where
// `links` says so, as in the cache of a client, else they are an error. Non-goals: hashes other
// than SHA-256.
#ifndef JIKJI_HUB_SIGNING_MANIFEST_H_
#define JIKJI_HUB_SIGNING_MANIFEST_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

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
  // Beside git's: what the signer left out, and whatever lies below it.
  std::vector<std::string> ignored;
  // Names of files, or of shards, to their digests.
  std::map<std::string, Digest, std::less<>> resources;
};

// `model`: a folder or a file.
Result<Manifest> ManifestOf(const std::filesystem::path& model,
                            const std::filesystem::path& signature, const Manifest& how);

std::string StatementOf(const Manifest& manifest);
// kMalformed unless every rule of the specification holds; kUnsupported: another hash or method.
Result<Manifest> ParseStatement(std::string_view json);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_SIGNING_MANIFEST_H_
