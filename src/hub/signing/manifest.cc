#include "hub/signing/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <compare>
#include <optional>
#include <utility>

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

bool IsIgnored(const fs::path& relative, const Manifest& how) {
  const std::string top = *relative.begin();
  if (std::ranges::find(kIgnored, top) != kIgnored.end()) return true;
  const std::string path = relative.generic_string();
  return std::ranges::any_of(how.ignored, [&](const std::string& left_out) {
    return path == left_out || path.starts_with(left_out + "/");
  });
}

// `path:start:end`. What the reference writes: numbers without leading zeros.
struct ShardName {
  std::string_view path;
  uint64_t start = 0;
  uint64_t end = 0;

  auto operator<=>(const ShardName&) const = default;
};

std::optional<uint64_t> NumberIn(std::string_view digits) {
  uint64_t number = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || stop != end || (digits.size() > 1 && digits.front() == '0')) {
    return {};
  }
  return number;
}

std::optional<ShardName> ParseShardName(std::string_view name) {
  const size_t last = name.rfind(':');
  if (last == std::string_view::npos || last == 0) return {};
  const size_t before = name.rfind(':', last - 1);
  if (before == std::string_view::npos) return {};
  const auto start = NumberIn(name.substr(before + 1, last - before - 1));
  const auto end = NumberIn(name.substr(last + 1));
  if (!start || !end) return {};
  return ShardName{name.substr(0, before), *start, *end};
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

using Resource = std::pair<std::string_view, const Digest*>;

std::vector<Resource> InOrder(const Manifest& manifest) {
  std::vector<Resource> out;
  for (const auto& [name, digest] : manifest.resources) out.emplace_back(name, &digest);
  if (manifest.shards) {
    std::ranges::sort(out, {}, [](const Resource& one) {
      return ParseShardName(one.first).value_or(ShardName{one.first});
    });
  }
  return out;
}

std::string_view RawBytes(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

// Of a resource. The reference names a shard's after its size.
std::string AlgorithmOf(const Manifest& manifest) {
  return manifest.shards ? fmt::format("sha256-sharded-{}", manifest.shard_bytes) : "sha256";
}

std::unexpected<Error> Broken(std::string message) {
  return Fail(ErrorCode::kMalformed, "the signed statement: " + std::move(message));
}

Result<> CheckName(std::string_view name, bool shards) {
  std::string_view path = name;
  if (shards) {
    const auto shard = ParseShardName(name);
    if (!shard) return Broken("a shard is named `path:start:end`");
    path = shard->path;
  }
  if (path == ".") return {};
  if (auto good = CheckFilePath(path); !good) return Broken(good.error().ToString());
  return {};
}

// True where `name` may stand behind `before`: shards by where they begin, or by their bytes.
struct Ordering {
  bool by_bytes = true;
  bool by_place = true;

  void Add(std::string_view before, std::string_view name, bool shards) {
    by_bytes = by_bytes && before < name;
    by_place = by_place && shards && ParseShardName(before) < ParseShardName(name);
  }
  bool holds() const { return by_bytes || by_place; }
};

}  // namespace

Result<Manifest> ManifestOf(const fs::path& model, const fs::path& signature, const Manifest& how) {
  Manifest manifest = how;
  manifest.resources.clear();
  std::error_code error;
  if (fs::is_regular_file(model, error)) {
    JIKJI_RETURN_IF_ERROR(AddFile(model, ".", manifest));
    return manifest;
  }
  for (fs::recursive_directory_iterator it(model, error), end; !error && it != end;
       it.increment(error)) {
    const fs::path relative = it->path().lexically_relative(model);
    std::error_code gone;
    if (IsIgnored(relative, how) || fs::equivalent(it->path(), signature, gone)) {
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
  if (error) return Fail(ErrorCode::kIo, error.message(), model.string());
  return manifest;
}

std::string StatementOf(const Manifest& manifest) {
  json::array resources;
  Sha256Stream root;
  for (const auto& [name, digest] : InOrder(manifest)) {
    root.Update(RawBytes(*digest));
    resources.push_back(json::object{
        {"name", name}, {"algorithm", AlgorithmOf(manifest)}, {"digest", HexOf(*digest)}});
  }
  json::array ignored;
  for (const std::string_view path : kIgnored) ignored.emplace_back(path);
  for (const std::string& path : manifest.ignored) ignored.emplace_back(path);
  json::object serialization{{"method", manifest.shards ? "shards" : "files"},
                             {"hash_type", "sha256"},
                             {"allow_symlinks", manifest.links},
                             {"ignore_paths", std::move(ignored)}};
  if (manifest.shards) serialization["shard_size"] = manifest.shard_bytes;
  return json::serialize(json::object{
      {"_type", kStatementType},
      {"subject", {{{"name", manifest.name}, {"digest", {{"sha256", HexOf(root.Finish())}}}}}},
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
  const json::value* ignored = parsed.find_pointer("/predicate/serialization/ignore_paths", absent);
  for (const json::value& path :
       ignored != nullptr && ignored->is_array() ? ignored->as_array() : json::array()) {
    // One that leads outside names nothing of the model.
    if (!path.is_string() || !CheckFilePath(std::string_view(path.as_string()))) continue;
    manifest.ignored.emplace_back(path.as_string());
  }
  const json::value* resources = parsed.find_pointer("/predicate/resources", absent);
  if (resources == nullptr || !resources->is_array()) return Broken("it has no resources");
  std::string last;
  Ordering ordering;
  Sha256Stream root;
  for (const json::value& resource : resources->as_array()) {
    if (!resource.is_object()) return Broken("a resource is an object");
    JIKJI_ASSIGN(const auto name, OptionalString(resource.as_object(), "name"));
    JIKJI_ASSIGN(const auto algorithm, OptionalString(resource.as_object(), "algorithm"));
    JIKJI_ASSIGN(const auto digest, OptionalString(resource.as_object(), "digest"));
    if (!name || !digest || (algorithm != "sha256" && algorithm != AlgorithmOf(manifest))) {
      return Broken("a resource has a name, the algorithm sha256 and a digest");
    }
    JIKJI_RETURN_IF_ERROR(CheckName(*name, manifest.shards));
    if (!last.empty()) ordering.Add(last, *name, manifest.shards);
    if (!ordering.holds()) return Broken("resources must be sorted by name, each once");
    last = *name;
    JIKJI_ASSIGN(const Digest value, ParseDigest(*digest));
    root.Update(RawBytes(value));
    manifest.resources[*name] = value;
  }
  if (string_at("/subject/0/digest/sha256") != HexOf(root.Finish())) {
    return Broken("the digest of the subject is not that of the resources");
  }
  return manifest;
}

}  // namespace jikji::hub
