// One key for each tenant, in files of their own. Content fields of the audit log are HMACs under
// it: whoever has the key can show that a text is the one that was recorded; once it is destroyed
// nobody can, nor guess (a plain hash of a resident number falls to a search of minutes). So
// destroying a key erases the tenant's content, while the log still verifies.
#ifndef JIKJI_GOVERN_AUDIT_TENANT_KEYS_H_
#define JIKJI_GOVERN_AUDIT_TENANT_KEYS_H_

#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "govern/audit/shared_count.h"

namespace jikji::audit {

// Thread-safe.
class TenantKeys {
 public:
  // Keys are files in `folder`, which is made where it is missing.
  explicit TenantKeys(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // HMAC-SHA-256 of the field under the tenant's key, which is made at its first use.
  // kPermissionDenied once it was destroyed: a key is not made anew under an old name.
  Result<std::string> Seal(std::string_view tenant, std::string_view field,
                           std::string_view content);

  // kNotFound: there is none, or it is destroyed already.
  Result<> Destroy(std::string_view tenant);

 private:
  struct Known {
    std::string key;
    std::string mark;     // path of the file that says that the key was destroyed
    uint64_t looked = 0;  // destroyed_ before the mark was last looked for
  };
  Result<> OpenCount();
  Result<std::string> KeyOf(std::string_view tenant);
  std::filesystem::path PathOf(std::string_view tenant, std::string_view suffix) const;

  std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, Known, std::less<>> keys_;
  SharedCount destroyed_;  // keys of the folder, by any process: marks are looked for when it moves
};

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_TENANT_KEYS_H_
