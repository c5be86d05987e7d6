#include "govern/audit/tenant_keys.h"

#include <openssl/rand.h>
#include <unistd.h>

#include "base/file.h"
#include "govern/audit/hash.h"
#include "govern/audit/secret_file.h"

namespace jikji::audit {
namespace {

constexpr size_t kKeyBytes = 32;

}  // namespace

// A tenant's name may hold anything; a file's name may not.
std::filesystem::path TenantKeys::PathOf(std::string_view tenant, std::string_view suffix) const {
  return folder_ / (HexOf(BytesOf(Sha256Of({tenant}))).substr(0, 32) + std::string(suffix));
}

Result<> TenantKeys::OpenCount() {
  if (destroyed_.is_open()) return {};
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  if (failed) return Fail(ErrorCode::kIo, failed.message(), folder_.string());
  return destroyed_.Open(folder_ / "destroyed");
}

Result<std::string> TenantKeys::KeyOf(std::string_view tenant) {
  JIKJI_RETURN_IF_ERROR(OpenCount());
  // Read before the mark is looked for: who destroys writes the mark first.
  const uint64_t destroyed = destroyed_.Load();
  const auto known = keys_.find(tenant);
  if (known != keys_.end() && known->second.looked == destroyed) return known->second.key;
  const std::string mark =
      known == keys_.end() ? PathOf(tenant, ".destroyed").string() : known->second.mark;
  if (access(mark.c_str(), F_OK) == 0) {
    if (known != keys_.end()) keys_.erase(known);
    return Fail(ErrorCode::kPermissionDenied,
                "the audit key of tenant `" + std::string(tenant) +
                    "` was destroyed: no content can be recorded for it");
  }
  if (known != keys_.end()) {
    known->second.looked = destroyed;
    return known->second.key;
  }
  const auto path = PathOf(tenant, ".key");
  std::string key(kKeyBytes, '\0');
  if (std::filesystem::exists(path)) {
    JIKJI_ASSIGN(key, ReadFile(path, kKeyBytes));
    if (key.size() != kKeyBytes) {
      return Fail(ErrorCode::kMalformed, "an audit key has 32 bytes", path.string());
    }
  } else {
    if (RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), kKeyBytes) != 1) {
      return Fail(ErrorCode::kInternal, "OpenSSL gave no random bytes for an audit key");
    }
    JIKJI_RETURN_IF_ERROR(WriteSecretFile(path, key));
  }
  keys_.emplace(tenant, Known{key, mark, destroyed});
  return key;
}

Result<std::string> TenantKeys::Seal(std::string_view tenant, std::string_view field,
                                     std::string_view content) {
  std::string key;
  {
    const std::lock_guard lock(mutex_);
    JIKJI_ASSIGN(key, KeyOf(tenant));
  }
  // The field's name is part: equal contents of two fields are not seen to be equal.
  return std::string(BytesOf(HmacSha256Of(key, {field, {"\0", 1}, content})));
}

Result<> TenantKeys::Destroy(std::string_view tenant) {
  const std::lock_guard lock(mutex_);
  // The mark first: a crash in between must not let a new key take the old one's name.
  const auto path = PathOf(tenant, ".key");
  if (!std::filesystem::exists(path)) {
    return Fail(ErrorCode::kNotFound, "no content of tenant `" + std::string(tenant) +
                                          "` was sealed in this log, so it has no key to destroy");
  }
  JIKJI_RETURN_IF_ERROR(OpenCount());
  JIKJI_RETURN_IF_ERROR(WriteFileAtomic(PathOf(tenant, ".destroyed"), ""));
  destroyed_.Add();
  keys_.erase(std::string(tenant));
  return DestroySecretFile(path);
}

}  // namespace jikji::audit
