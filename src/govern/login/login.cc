#include "govern/login/login.h"

#include <fmt/format.h>

#include <charconv>

#include "govern/tenancy/administration.h"
#include "store/digest.h"

namespace jikji::login {
namespace {

constexpr size_t kCookieSecret = 43;  // 256 bits

std::unexpected<Error> NotBegun() {
  return Fail(ErrorCode::kPermissionDenied,
              "this login did not begin in this browser, or took too long; begin again at /login");
}

// "TIME.SECRET" to the time.
std::optional<int64_t> TimeOf(std::string_view cookie) {
  int64_t time = 0;
  const size_t dot = cookie.find('.');
  if (dot == std::string_view::npos || cookie.size() != dot + 1 + kCookieSecret) return {};
  const auto [end, error] = std::from_chars(cookie.data(), cookie.data() + dot, time);
  if (error != std::errc() || end != cookie.data() + dot) return {};
  return time;
}

}  // namespace

Result<std::unique_ptr<Login>> Login::Create(Governor& governor, ProviderOptions options,
                                             int64_t session_seconds) {
  JIKJI_ASSIGN(Provider provider, Provider::Create(std::move(options)));
  return std::unique_ptr<Login>(new Login(governor, std::move(provider), session_seconds));
}

Flow Login::FlowOf(std::string_view cookie) const {
  const auto derive = [&](std::string_view what) {
    return HexOf(governor_.hasher().Digest(fmt::format("login {} {}", what, cookie)));
  };
  return {derive("state"), derive("nonce"), derive("verifier")};
}

Result<Login::Begun> Login::Begin() {
  JIKJI_ASSIGN(const std::string secret, RandomAlphanumeric(kCookieSecret));
  Begun begun;
  begun.cookie = fmt::format("{}.{}", governor_.clock().WallSeconds(), secret);
  JIKJI_ASSIGN(begun.url, provider_.AuthorizationUrl(FlowOf(begun.cookie)));
  return begun;
}

Result<std::string> Login::Admit(const Returned& returned) {
  JIKJI_ASSIGN(const Identity identity, provider_.Exchange(returned.code, FlowOf(returned.cookie)));
  std::string secret;
  JIKJI_RETURN_IF_ERROR(governor_.WithDatabase([&](Database& database) -> Result<> {
    Administration administration(database, governor_.hasher(), governor_.clock(),
                                  fmt::format("login:{}", identity.email));
    JIKJI_ASSIGN(secret, administration.LogIn({.issuer = identity.issuer,
                                               .subject = identity.subject,
                                               .email = identity.email,
                                               .email_verified = identity.email_verified},
                                              session_seconds_));
    return {};
  }));
  return secret;
}

Result<std::string> Login::Finish(const Returned& returned) {
  const auto began = TimeOf(returned.cookie);
  const int64_t now = governor_.clock().WallSeconds();
  // What was not begun by us is nobody's login: there is nothing to record.
  if (!began || *began > now + kClockSkewSeconds || now - *began > kFlowSeconds ||
      !SameBytes(FlowOf(returned.cookie).state, returned.state)) {
    return NotBegun();
  }
  auto secret = Admit(returned);
  if (!secret) {
    audit::Trail* trail = governor_.trail();
    if (trail != nullptr) {
      JIKJI_RETURN_IF_ERROR(
          trail->Write(audit::TenantName(0), "login.failed",
                       {{"peer", returned.peer}, {"reason", secret.error().message}}));
    }
    return secret;
  }
  // It works here from now on; on other servers as soon as a change is seen there.
  JIKJI_RETURN_IF_ERROR(governor_.Refresh());
  return secret;
}

Result<> Login::End(const ApiKey& key) {
  JIKJI_RETURN_IF_ERROR(governor_.WithDatabase([&](Database& database) {
    return Administration(database, governor_.hasher(), governor_.clock(),
                          fmt::format("key_{}", key.id))
        .LogOut(key.id);
  }));
  return governor_.Refresh();
}

}  // namespace jikji::login
