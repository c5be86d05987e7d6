#include "app/hub_mount.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "api/access.h"
#include "app/hub_root.h"
#include "govern/governor.h"
#include "govern/tenancy/acts.h"
#include "hub/names.h"

namespace jikji {
namespace {

// An organisation's models are OWNER/NAME with this owner: its number, since its name need be no
// path and two may fold to one.
std::string OwnerName(int64_t organisation) { return fmt::format("org-{}", organisation); }

hub::Account AccountOf(const ApiKey& key) {
  const std::string actor = fmt::format("key_{}", key.id);
  if (HasRight(key.role, Right::kOperate)) {
    return {"operator", hub::AccountRole::kAdmin, {}, actor};
  }
  return {
      OwnerName(key.organisation),
      HasRight(key.role, Right::kManageKeys) ? hub::AccountRole::kWrite : hub::AccountRole::kRead,
      {},
      actor};
}

// Whose act it is: the organisation's that owns the repository, else the site's.
int64_t OrganisationOf(std::string_view repository) {
  const std::string_view owner = hub::OwnerOf(repository);
  int64_t number = 0;
  if (!owner.starts_with("org-")) return 0;
  const auto [end, error] = std::from_chars(owner.data() + 4, owner.data() + owner.size(), number);
  return error == std::errc() && end == owner.data() + owner.size() && number > 0 ? number : 0;
}

// Beside the acts of administration, whence every server carries it into its audit log.
hub::Record IntoStore(Governor& governor) {
  return [&governor](const hub::Act& act) {
    return governor.WithDatabase([&](Database& database) {
      return WriteAct(database, governor.clock().WallSeconds(), act.actor,
                      {act.event, OrganisationOf(act.repository), act.repository, act.detail});
    });
  };
}

hub::Identify ByGovernor(const Governor& governor) {
  return [&governor](const net::Request& request, std::string_view token) -> Result<hub::Account> {
    if (token.empty()) return hub::Account{};
    auto caller = governor.Authenticate(token, request.peer, Right::kSeeServer);
    if (!caller) return std::unexpected(static_cast<Error>(caller.error()));
    return AccountOf((*caller)->key());
  };
}

hub::Identify ByKeys(const std::vector<std::string>& keys) {
  return [guard = KeyGuard(keys)](const net::Request&,
                                  std::string_view token) -> Result<hub::Account> {
    if (token.empty()) return hub::Account{};
    if (guard.Admits("Bearer " + std::string(token))) {
      return hub::Account{"local", hub::AccountRole::kAdmin, {}};
    }
    return Fail(ErrorCode::kUnauthenticated, "the token is none of this server's API keys");
  };
}

}  // namespace

bool IsHubPath(std::string_view path) {
  if (path == "/models" || path == "/sign-in" || path == "/sign-out") return true;
  const size_t slash = path.find('/', 1);
  if (slash == std::string_view::npos) return false;
  const std::string_view first = path.substr(1, slash - 1);
  return !first.empty() && first != "v1" && first != "login";
}

Result<std::unique_ptr<HubMount>> HubMount::Open(const std::filesystem::path& root,
                                                 Governor* governor,
                                                 const std::vector<std::string>& api_keys) {
  std::unique_ptr<HubMount> mount(new HubMount);
  JIKJI_ASSIGN(mount->hub_, hub::Hub::Open(root));
  hub::SiteOptions options;
  if (governor != nullptr) {
    options.identify = ByGovernor(*governor);
    options.record = IntoStore(*governor);
  } else if (!api_keys.empty()) {
    options.identify = ByKeys(api_keys);
  }
  mount->own_accounts_ = options.identify == nullptr;
  mount->site_ = hub::Site::Create(*mount->hub_, std::move(options));
  return mount;
}

Result<> HubMount::WarnIfOpen() const {
  if (own_accounts_) return WarnIfHubIsOpen(*hub_);
  return {};
}

net::Handler HubMount::Beside(net::Handler api) const {
  return [api = std::move(api), hub = site_->handler()](net::Request request,
                                                        std::shared_ptr<net::Responder> responder) {
    const net::Handler& chosen = IsHubPath(request.path) ? hub : api;
    chosen(std::move(request), std::move(responder));
  };
}

void HubMount::Configure(net::ServerOptions& options) const {
  net::ServerOptions wanted;
  site_->Configure(wanted);
  options.body_sink = wanted.body_sink;
  options.wants_body = [api = options.wants_body](const net::Request& head) {
    return IsHubPath(head.path) || api(head);
  };
  options.max_total_body_bytes =
      std::max(options.max_total_body_bytes, wanted.max_total_body_bytes);
  options.body_limit = [api = options.max_body_bytes, hub = wanted.max_body_bytes](
                           const net::Request& head) { return IsHubPath(head.path) ? hub : api; };
}

}  // namespace jikji
