#include "hub/http/signed_url.h"

#include <fmt/format.h>

#include <charconv>

#include "hub/http/call.h"

namespace jikji::hub {
namespace {

// Every field at its place, none of which can hold a line break.
std::string Signature(const std::string& secret, const SignedUrl& url) {
  return HexOf(HmacSha256Of(
      secret, fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}\n{}", url.action, HexOf(url.digest), url.size,
                          url.owner, url.upload, url.offset, url.length, url.expires)));
}

template <class Number>
Number NumberIn(const FormFields& fields, std::string_view name) {
  const std::string text = FieldOf(fields, name);
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::string FormatSignedUrl(const std::string& base_url, const std::string& secret,
                            const SignedUrl& url) {
  return fmt::format(
      "{}{}{}?action={}&size={}&owner={}&upload={}&offset={}&length={}&expires={}&signature={}",
      base_url, kObjectPath, HexOf(url.digest), url.action, url.size, UrlEscape(url.owner),
      url.upload, url.offset, url.length, url.expires, Signature(secret, url));
}

Result<SignedUrl> ReadSignedUrl(std::string_view path, std::string_view query,
                                const std::string& secret, int64_t now) {
  const FormFields fields = ParseForm(query);
  SignedUrl url;
  if (!path.starts_with(kObjectPath)) return Fail(ErrorCode::kPermissionDenied, "not a signed URL");
  JIKJI_ASSIGN(url.digest, ParseDigest(path.substr(kObjectPath.size())));
  url.action = FieldOf(fields, "action");
  url.size = NumberIn<uint64_t>(fields, "size");
  url.owner = FieldOf(fields, "owner");
  url.upload = FieldOf(fields, "upload");
  url.offset = NumberIn<uint64_t>(fields, "offset");
  url.length = NumberIn<uint64_t>(fields, "length");
  url.expires = NumberIn<int64_t>(fields, "expires");
  if (!SameBytes(FieldOf(fields, "signature"), Signature(secret, url))) {
    return Fail(ErrorCode::kPermissionDenied, "the URL's signature is wrong");
  }
  if (url.expires < now) return Fail(ErrorCode::kPermissionDenied, "the URL has expired");
  return url;
}

}  // namespace jikji::hub
