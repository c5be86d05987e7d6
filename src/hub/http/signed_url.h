// URLs that carry their own right: who has one may do what it says with one blob, until it ends.
//
// Clients send no token with the bytes of a large file, so the URL is signed (HMAC-SHA-256 under
// the hub's secret) and short-lived.
#ifndef JIKJI_HUB_HTTP_SIGNED_URL_H_
#define JIKJI_HUB_HTTP_SIGNED_URL_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "store/digest.h"

namespace jikji::hub {

struct SignedUrl {
  std::string action;  // "get", "put", "part" or "complete"
  Digest digest{};
  uint64_t size = 0;    // of the whole blob
  std::string owner;    // whose it becomes
  std::string upload;   // of parts: which upload they are of
  uint64_t offset = 0;  // of a part: where it begins
  uint64_t length = 0;  // of a part
  int64_t expires = 0;  // seconds since 1970
};

inline constexpr std::string_view kObjectPath = "/hub/objects/";
inline constexpr int64_t kSignedSeconds = 12 * 3600;  // 50 GB over a slow line

// Absolute: clients drop the query of a relative one.
std::string FormatSignedUrl(const std::string& base_url, const std::string& secret,
                            const SignedUrl& url);
// kPermissionDenied where it was changed or has ended.
Result<SignedUrl> ReadSignedUrl(std::string_view path, std::string_view query,
                                const std::string& secret, int64_t now);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_SIGNED_URL_H_
