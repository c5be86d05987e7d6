#include "hub/http/routes.h"

namespace jikji::hub {
namespace json = boost::json;

HttpResult<net::Response> WhoAmI(Call& call) {
  if (call.account.name.empty()) return std::unexpected(NeedsToken());
  json::array owners;
  for (const std::string& owner : call.account.owners) {
    owners.push_back(json::object{{"name", owner}, {"type", "org"}, {"roleInOrg", "write"}});
  }
  const std::string_view role = call.account.role == AccountRole::kRead ? "read" : "write";
  return JsonResponse(json::object{
      {"type", "user"},
      {"name", call.account.name},
      {"fullname", call.account.name},
      {"orgs", std::move(owners)},
      {"auth",
       {{"type", "access_token"}, {"accessToken", {{"displayName", "token"}, {"role", role}}}}}});
}

HttpResult<net::Response> AuthCheck(Call& call) {
  if (call.rest == "write") {
    JIKJI_ASSIGN(std::ignore, MustWrite(call));
  } else {
    JIKJI_ASSIGN(std::ignore, MustRead(call));
  }
  return JsonResponse(json::object{});
}

// GET user-access-request/{pending|accepted}; POST user-access-request/handle or /grant.
HttpResult<net::Response> AccessRequests(Call& call) {
  JIKJI_ASSIGN(std::ignore, MustWrite(call));
  if (call.request.method == "GET") {
    JIKJI_ASSIGN(const auto requests, ListAccess(call.database, *call.repository));
    json::array out;
    for (const AccessRequest& request : requests) {
      if (request.granted != (call.rest == "accepted")) continue;
      out.push_back(json::object{{"user", {{"user", request.account}}},
                                 {"username", request.account},
                                 {"status", request.granted ? "accepted" : "pending"}});
    }
    return JsonResponse(out);
  }
  JIKJI_ASSIGN(const json::object body, JsonBody(call));
  const json::value* user = body.if_contains("user");
  const json::value* status = body.if_contains("status");
  if (user == nullptr || !user->is_string()) {
    return std::unexpected(BadRequest("`user` is missing", "`user`가 없습니다"));
  }
  const bool granted = status == nullptr || *status == json::value("accepted");
  JIKJI_RETURN_IF_ERROR(
      GrantAccess(call.database, *call.repository, std::string(user->as_string()), granted));
  call.deed = Deed{granted ? "hub_access.granted" : "hub_access.withdrawn",
                   call.repository->name,
                   {{"account", user->as_string()}}};
  return JsonResponse(json::object{});
}

HttpResult<net::Response> AskForAccess(Call& call) {
  if (call.account.name.empty()) return std::unexpected(NeedsToken());
  JIKJI_ASSIGN(const bool granted, AskAccess(call.database, call.account, *call.repository));
  call.deed = Deed{"hub_access.asked", call.repository->name, {{"granted", granted}}};
  if (call.signed_in) {  // from the button on its page
    net::Response back;
    back.status = 303;
    back.headers.emplace_back("Location", "/" + call.repository->name);
    return back;
  }
  return JsonResponse(json::object{{"status", granted ? "accepted" : "pending"}});
}

}  // namespace jikji::hub
