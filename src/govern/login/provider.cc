#include "govern/login/provider.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <initializer_list>

#include "base/json_strict.h"
#include "store/digest.h"

namespace jikji::login {
namespace {

using boost::json::object;
using boost::json::value;

constexpr std::chrono::milliseconds kPatience{5'000};
constexpr size_t kMostAnswerBytes = 256u << 10;
constexpr size_t kLongestCode = 4096;
constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kKeepFor = 3600 * kSecond;
constexpr int64_t kAskForKeysAfter = 10 * kSecond;

std::string PercentEncoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return out;
}

std::unexpected<Error> Unusable(const char* what, std::string why) {
  return Fail(ErrorCode::kUnavailable,
              fmt::format("the identity provider's {}: {}", what, std::move(why)));
}

}  // namespace

bool IsSafeUrl(const std::string& url) {
  if (url.starts_with("https://")) return url.size() > 8;
  for (const std::string_view here : {"http://127.0.0.1", "http://localhost", "http://[::1]"}) {
    if (!url.starts_with(here)) continue;
    const char next = url.size() > here.size() ? url[here.size()] : '/';
    if (next == ':' || next == '/') return url.find('@') == std::string::npos;
  }
  return false;
}

std::string FormOf(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  std::string out;
  for (const auto& [name, text] : fields) {
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", name, PercentEncoded(text));
  }
  return out;
}

Result<Provider> Provider::Create(ProviderOptions options) {
  if (options.client.empty() || options.redirect.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "with --oidc-issuer, say --oidc-client-id and --oidc-redirect");
  }
  for (const std::string* url : {&options.issuer, &options.redirect}) {
    if (IsSafeUrl(*url)) continue;
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` is not https, nor on this machine", *url));
  }
  if (!options.fetch) {
    options.fetch = [](const net::ClientRequest& request) {
      return net::Fetch(request, {.timeout = kPatience, .max_body_bytes = kMostAnswerBytes});
    };
  }
  return Provider(std::move(options));
}

// The body of a 200.
Result<std::string> Provider::Ask(const net::ClientRequest& request, const char* what) {
  auto response = options_.fetch(request);
  if (!response) return Unusable(what, response.error().message);
  if (response->status != 200) {
    return Unusable(what, fmt::format("status {} from {}", response->status, request.url));
  }
  return std::move(response->body);
}

// Under mutex_.
Result<Provider::Description> Provider::Describe() {
  const int64_t now = options_.clock->SteadyMicroseconds();
  if (!description_.token.empty() && now - description_.read_at < kKeepFor) return description_;
  constexpr const char* kWhat = "description";
  const bool slash = options_.issuer.ends_with('/');
  JIKJI_ASSIGN(const std::string text, Ask({.url = options_.issuer + (slash ? "" : "/") +
                                                   ".well-known/openid-configuration"},
                                           kWhat));
  JIKJI_ASSIGN(const value parsed, ParseStrictJson(text, kWhat, {16, kMostAnswerBytes}));
  if (!parsed.is_object()) return Unusable(kWhat, "it is no object");
  const object& fields = parsed.get_object();
  JIKJI_ASSIGN(const auto issuer, OptionalString(fields, "issuer"));
  if (issuer != options_.issuer) {
    return Unusable(kWhat, fmt::format("it is of the issuer `{}`, not `{}`", issuer.value_or(""),
                                       options_.issuer));
  }
  Description read;
  const std::pair<const char*, std::string&> addresses[] = {
      {"authorization_endpoint", read.authorization},
      {"token_endpoint", read.token},
      {"jwks_uri", read.keys}};
  for (const auto& [name, address] : addresses) {
    JIKJI_ASSIGN(const auto given, OptionalString(fields, name));
    address = given.value_or("");
    if (!IsSafeUrl(address)) return Unusable(kWhat, fmt::format("`{}` is not https", name));
  }
  read.read_at = now;
  description_ = read;
  keys_.clear();
  keys_read_at_ = 0;
  return read;
}

Result<std::string> Provider::AuthorizationUrl(const Flow& flow) {
  const std::lock_guard lock(mutex_);
  JIKJI_ASSIGN(const Description description, Describe());
  const Digest challenge = Sha256Of(flow.verifier);
  const bool queried = description.authorization.find('?') != std::string::npos;
  return description.authorization + (queried ? "&" : "?") +
         FormOf({{"response_type", "code"},
                 {"client_id", options_.client},
                 {"redirect_uri", options_.redirect},
                 {"scope", "openid email"},
                 {"state", flow.state},
                 {"nonce", flow.nonce},
                 {"code_challenge",
                  Base64UrlOf({reinterpret_cast<const char*>(challenge.data()), challenge.size()})},
                 {"code_challenge_method", "S256"}});
}

// Outside mutex_: each code is its own exchange.
Result<std::string> Provider::AskForToken(const Description& description, std::string_view code,
                                          const Flow& flow) {
  net::ClientRequest request{.method = "POST", .url = description.token};
  request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                     {"Accept", "application/json"}};
  request.body = FormOf({{"grant_type", "authorization_code"},
                         {"code", code},
                         {"redirect_uri", options_.redirect},
                         {"code_verifier", flow.verifier}});
  if (options_.client_secret.empty()) {
    request.body += "&" + FormOf({{"client_id", options_.client}});
  } else {
    request.headers.emplace_back("Authorization",
                                 "Basic " + Base64Of(PercentEncoded(options_.client) + ":" +
                                                     PercentEncoded(options_.client_secret)));
  }
  constexpr const char* kWhat = "answer to the code";
  const auto fetched = options_.fetch(request);
  if (!fetched) return Unusable(kWhat, fetched.error().message);
  const net::Response& response = *fetched;
  if (response.status / 100 == 4) {
    return Fail(ErrorCode::kPermissionDenied, "the identity provider refuses this login");
  }
  if (response.status != 200) return Unusable(kWhat, fmt::format("status {}", response.status));
  JIKJI_ASSIGN(const value parsed, ParseStrictJson(response.body, kWhat, {16, kMostAnswerBytes}));
  if (!parsed.is_object()) return Unusable(kWhat, "it is no object");
  JIKJI_ASSIGN(auto token, OptionalString(parsed.get_object(), "id_token"));
  if (!token) return Unusable(kWhat, "it has no ID token");
  return *std::move(token);
}

// Under mutex_.
Result<std::vector<JsonWebKey>> Provider::Keys(const Description& description,
                                               std::string_view token) {
  const int64_t now = options_.clock->SteadyMicroseconds();
  const int64_t age = keys_read_at_ == 0 ? kKeepFor : now - keys_read_at_;
  if (age >= kKeepFor || (age >= kAskForKeysAfter && AsksForUnknownKey(token, keys_))) {
    JIKJI_ASSIGN(const std::string text, Ask({.url = description.keys}, "keys"));
    JIKJI_ASSIGN(keys_, ParseJwks(text));
    keys_read_at_ = now;
  }
  return keys_;
}

Result<Identity> Provider::Exchange(std::string_view code, const Flow& flow) {
  if (code.empty() || code.size() > kLongestCode) {
    return Fail(ErrorCode::kInvalidArgument, "the login came back without a code", "code");
  }
  Description description;
  {
    const std::lock_guard lock(mutex_);
    JIKJI_ASSIGN(description, Describe());
  }
  JIKJI_ASSIGN(const std::string token, AskForToken(description, code, flow));
  std::vector<JsonWebKey> keys;
  {
    const std::lock_guard lock(mutex_);
    JIKJI_ASSIGN(keys, Keys(description, token));
  }
  return CheckIdToken(token, keys,
                      {.issuer = options_.issuer,
                       .client = options_.client,
                       .nonce = flow.nonce,
                       .now = options_.clock->WallSeconds()});
}

}  // namespace jikji::login
