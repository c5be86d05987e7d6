#include "app/login_settings.h"

#include "base/file.h"

namespace jikji {
namespace {

constexpr size_t kMostSecretBytes = 4096;

}  // namespace

void LoginSettings::AddTo(Settings& settings) {
  settings.Add("oidc-issuer", &issuer,
               {"Identity provider (OpenID Connect) by which people log in, as its tokens name it",
                "사람이 로그인할 신원 제공자(OpenID Connect). 토큰에 적히는 그대로"});
  settings.Add("oidc-client-id", &client_id,
               {"This server's name at the provider", "제공자에 등록된 이 서버의 이름"});
  settings.Add("oidc-client-secret-file", &client_secret_file,
               {"File of the secret that goes with it; none: PKCE alone",
                "그 비밀값이 든 파일. 없으면 PKCE만 씀"});
  settings.Add("oidc-redirect", &redirect,
               {"Where the provider sends browsers back to: https://THIS_SERVER/login/callback",
                "제공자가 브라우저를 돌려보낼 주소: https://이_서버/login/callback"});
  settings.Add("session-minutes", &session_minutes,
               {"After which a person must log in again", "다시 로그인해야 하는 시간(분)"}, 1,
               43'200);
}

Result<std::unique_ptr<login::Login>> LoginSettings::Open(Governor* governor) const {
  if (issuer.empty()) return nullptr;
  if (governor == nullptr) {
    return Fail(ErrorCode::kInvalidArgument,
                "--oidc-issuer needs --store: users and their rights are there");
  }
  login::ProviderOptions options{.issuer = issuer,
                                 .client = client_id,
                                 .client_secret = {},
                                 .redirect = redirect,
                                 .fetch = {}};
  if (!client_secret_file.empty()) {
    JIKJI_ASSIGN(options.client_secret, ReadFile(client_secret_file, kMostSecretBytes));
    while (options.client_secret.ends_with('\n') || options.client_secret.ends_with('\r')) {
      options.client_secret.pop_back();
    }
    if (options.client_secret.empty()) {
      return Fail(ErrorCode::kInvalidArgument, "the file of the client's secret is empty",
                  client_secret_file);
    }
  }
  return login::Login::Create(*governor, std::move(options), session_minutes * 60);
}

}  // namespace jikji
