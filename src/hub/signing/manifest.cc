#include "hub/signing/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "base/file.h"
#include "base/json.h"
#include "hub/names.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kStatementType = "https://in-toto.io/Statement/v1";
constexpr std::string_view kPredicateType = "https://model_signing/signature/v1.0";
constexpr std::array<std::string_view, 4> kIgnored = {".git", ".gitattributes", ".github",
                                                      ".gitignore"};
constexpr size_t kReadBytes = 1u << 20;

bool IsIgnored(const fs::path& relative) {
  const std::string top = *relative.begin();
  return std::ranges::find(kIgnored, top) != kIgnored.end();
}

Result<Digest> DigestOf(const OpenFile& file, uint64_t begin, uint64_t end) {
  std::string buffer(kReadBytes, '\0');
  Sha256Stream hash;
  for (uint64_t at = begin; at < end;) {
    const size_t count = std::min<uint64_t>(buffer.size(), end - at);
    JIKJI_RETURN_IF_ERROR(file.Read(at, std::span(buffer).first(count)));
    hash.Update(std::string_view(buffer).substr(0, count));
    at += count;
  }
  return hash.Finish();
}

Result<> AddFile(const fs::path& path, const std::string& name, Manifest& manifest) {
  JIKJI_ASSIGN(const OpenFile file, OpenFile::Open(path));
  if (!manifest.shards) {
    JIKJI_ASSIGN(manifest.resources[name], DigestOf(file, 0, file.size()));
    return {};
  }
  for (uint64_t begin = 0; begin < file.size(); begin += manifest.shard_bytes) {
    const uint64_t end = std::min(begin + manifest.shard_bytes, file.size());
    JIKJI_ASSIGN(manifest.resources[fmt::format("{}:{}:{}", name, begin, end)],
                 DigestOf(file, begin, end));
  }
  return {};
}

Digest RootOf(const Manifest& manifest) {
  Sha256Stream hash;
  for (const auto& [name, digest] : manifest.resources) {
    hash.Update({reinterpret_cast<const char*>(digest.data()), digest.size()});
  }
  return hash.Finish();
}

std::unexpected<Error> Broken(std::string message) {
  return Fail(ErrorCode::kMalformed, "the signed statement: " + std::move(message));
}

// The file of a resource; of a shard, without its range.
Result<> CheckName(std::string_view name, bool shards) {
  std::string_view path = name;
  if (shards) {
    for (int part = 0; part < 2; ++part) {
      const size_t colon = path.rfind(':');
      if (colon == std::string_view::npos || colon + 1 == path.size()) {
        return Broken("a shard is named `path:start:end`");
      }
      for (const char c : path.substr(colon + 1)) {
        if (c < '0' || c > '9') return Broken("a shard is named `path:start:end`");
      }
      path = path.substr(0, colon);
    }
  }
  if (auto good = CheckFilePath(path); !good) return Broken(good.error().ToString());
  return {};
}

}  // namespace

Result<Manifest> ManifestOf(const fs::path& folder, const fs::path& signature,
                            const Manifest& how) {
  Manifest manifest = how;
  manifest.resources.clear();
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const fs::path relative = it->path().lexically_relative(folder);
    std::error_code gone;
    if (IsIgnored(relative) || fs::equivalent(it->path(), signature, gone)) {
      if (it->is_directory(gone)) it.disable_recursion_pending();
      continue;
    }
    if (it->is_symlink(gone) && !manifest.links) {
      return Fail(ErrorCode::kInvalidArgument, "a link where links are not allowed",
                  it->path().string());
    }
    if (!it->is_regular_file(gone)) continue;
    JIKJI_RETURN_IF_ERROR(CheckFilePath(relative.generic_string()));
    JIKJI_RETURN_IF_ERROR(AddFile(it->path(), relative.generic_string(), manifest));
  }
  if (error) return Fail(ErrorCode::kIo, error.message(), folder.string());
  return manifest;
}

std::string StatementOf(const Manifest& manifest) {
  json::array resources;
  for (const auto& [name, digest] : manifest.resources) {
    resources.push_back(
        json::object{{"name", name}, {"algorithm", "sha256"}, {"digest", HexOf(digest)}});
  }
  json::array ignored;
  for (const std::string_view path : kIgnored) ignored.emplace_back(path);
  json::object serialization{{"method", manifest.shards ? "shards" : "files"},
                             {"hash_type", "sha256"},
                             {"allow_symlinks", manifest.links},
                             {"ignore_paths", std::move(ignored)}};
  if (manifest.shards) serialization["shard_size"] = manifest.shard_bytes;
  return json::serialize(json::object{
      {"_type", kStatementType},
      {"subject", {{{"name", manifest.name}, {"digest", {{"sha256", HexOf(RootOf(manifest))}}}}}},
      {"predicateType", kPredicateType},
      {"predicate",
       {{"serialization", std::move(serialization)}, {"resources", std::move(resources)}}}});
}

Result<Manifest> ParseStatement(std::string_view text) {
  JIKJI_ASSIGN(const json::value parsed, ParseJson(text, "statement"));
  boost::system::error_code absent;
  const auto string_at = [&](std::string_view pointer) -> std::string {
    const json::value* value = parsed.find_pointer(pointer, absent);
    return value != nullptr && value->is_string() ? std::string(value->as_string()) : "";
  };
  if (string_at("/_type") != kStatementType) return Broken("it is no in-toto statement v1");
  if (string_at("/predicateType") != kPredicateType) {
    return Broken("it is no model signature v1.0");
  }
  const json::value* subjects = parsed.find_pointer("/subject", absent);
  if (subjects == nullptr || !subjects->is_array() || subjects->as_array().size() != 1) {
    return Broken("it must have one subject");
  }
  Manifest manifest;
  manifest.name = string_at("/subject/0/name");
  const std::string method = string_at("/predicate/serialization/method");
  if (string_at("/predicate/serialization/hash_type") != "sha256" ||
      (method != "files" && method != "shards")) {
    return Fail(ErrorCode::kUnsupported,
                "the signature is over another hash than SHA-256, or neither files nor shards");
  }
  manifest.shards = method == "shards";
  if (const json::value* links =
          parsed.find_pointer("/predicate/serialization/allow_symlinks", absent)) {
    manifest.links = *links == json::value(true);
  }
  if (manifest.shards) {
    const json::value* size = parsed.find_pointer("/predicate/serialization/shard_size", absent);
    if (size == nullptr || !size->is_number() || size->to_number<int64_t>(absent) <= 0) {
      return Broken("shards need a `shard_size`");
    }
    manifest.shard_bytes = size->to_number<uint64_t>(absent);
  }
  const json::value* resources = parsed.find_pointer("/predicate/resources", absent);
  if (resources == nullptr || !resources->is_array()) return Broken("it has no resources");
  std::string last;
  for (const json::value& resource : resources->as_array()) {
    if (!resource.is_object()) return Broken("a resource is an object");
    JIKJI_ASSIGN(const auto name, OptionalString(resource.as_object(), "name"));
    JIKJI_ASSIGN(const auto algorithm, OptionalString(resource.as_object(), "algorithm"));
    JIKJI_ASSIGN(const auto digest, OptionalString(resource.as_object(), "digest"));
    if (!name || algorithm != "sha256" || !digest) {
      return Broken("a resource has a name, the algorithm sha256 and a digest");
    }
    JIKJI_RETURN_IF_ERROR(CheckName(*name, manifest.shards));
    if (*name <= last) return Broken("resources must be sorted by name, each once");
    last = *name;
    JIKJI_ASSIGN(manifest.resources[*name], ParseDigest(*digest));
  }
  if (string_at("/subject/0/digest/sha256") != HexOf(RootOf(manifest))) {
    return Broken("the digest of the subject is not that of the resources");
  }
  return manifest;
}

}  // namespace jikji::hub
