// /v1/organization/projects: projects, their keys, service accounts and spend limits, in OpenAI's
// shapes.
//
// A caller sees the projects of its organisation, an operator those of all; any other id is as if
// it were not there.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <charconv>
#include <map>

#include "api/fields.h"
#include "api/handlers.h"
#include "base/json.h"
#include "govern/tenancy/administration.h"

namespace jikji {
namespace {

using boost::json::array;
using boost::json::object;
using boost::json::value;

constexpr size_t kLargestBody = 64u << 10;

ApiError NothingThere() {
  ApiError error = ErrorOfStatus(404, "there is nothing of this id in your organisation");
  error.code = "not_found";
  return error;
}

// "proj_12" to 12.
std::optional<int64_t> ParseId(std::string_view text, std::string_view start) {
  if (!text.starts_with(start)) return std::nullopt;
  text.remove_prefix(start.size());
  int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || id <= 0) return std::nullopt;
  return id;
}

value OrNull(const std::optional<int64_t>& number) {
  return number ? value(*number) : value(nullptr);
}

object Shown(const Project& project) {
  return {{"id", fmt::format("proj_{}", project.id)},
          {"object", "organization.project"},
          {"name", project.name},
          {"status", project.archived_at ? "archived" : "active"},
          {"archived_at", OrNull(project.archived_at)}};
}

object Shown(const ApiKey& key) {
  return {{"id", fmt::format("key_{}", key.id)},
          {"object", "organization.project.api_key"},
          {"name", key.name},
          {"redacted_value", key.prefix + "..."},
          {"created_at", key.created_at},
          {"expires_at", OrNull(key.expires_at)},
          {"revoked_at", OrNull(key.revoked_at)},
          {"role", RoleName(key.role)}};
}

object Shown(const Budget& budget, std::string_view currency) {
  return {{"id", WindowName(budget.window)},
          {"object", "organization.project.spend_limit"},
          {"window", WindowName(budget.window)},
          {"amount", {{"value", FormatMoney(budget.amount)}, {"currency", currency}}},
          {"hard", budget.hard}};
}

object List(array data) {
  const value first = data.empty() ? value(nullptr) : data.front().at("id");
  const value last = data.empty() ? value(nullptr) : data.back().at("id");
  return {{"object", "list"},
          {"data", std::move(data)},
          {"first_id", first},
          {"last_id", last},
          {"has_more", false}};
}

// What one call works with: the caller, and the tree as it stands in the store now.
struct Work {
  const Call& call;
  const Directory& directory;
  Administration& administration;

  bool Sees(int64_t organisation) const {
    const ApiKey& key = call.caller->key();
    return key.role == Role::kOperator || key.organisation == organisation;
  }
  ApiResult<const Project*> FindProject(std::string_view id) const {
    const auto number = ParseId(id, "proj_");
    const auto found = number ? directory.projects.find(*number) : directory.projects.end();
    if (found == directory.projects.end() || !Sees(found->second.organisation)) {
      return std::unexpected(NothingThere());
    }
    return &found->second;
  }
  ApiResult<std::string> NameField() const {
    JIKJI_ASSIGN(const value body, ParseJson(call.request.body, {}, {8, kLargestBody}));
    if (!body.is_object()) return BadField("name", "the body must be an object");
    JIKJI_ASSIGN(const auto name, OptionalString(body.get_object(), "name"));
    if (!name) return BadField("name", "is missing");
    return *name;
  }
};

ApiResult<object> ListProjects(const Work& work) {
  array data;
  for (const auto& [id, project] : work.directory.projects) {
    if (work.Sees(project.organisation)) data.push_back(Shown(project));
  }
  return List(std::move(data));
}

ApiResult<object> MakeProject(const Work& work) {
  JIKJI_ASSIGN(const std::string name, work.NameField());
  const int64_t organisation = work.call.caller->key().organisation;
  if (organisation == 0) {
    return BadField("name", "an operator makes projects by `jikji tenant add-project`");
  }
  JIKJI_ASSIGN(const int64_t id, work.administration.AddProject(organisation, name, {}));
  return Shown(Project{id, organisation, name, {}, {}, {}});
}

ApiResult<object> ArchiveProject(const Work& work, const Project& project) {
  JIKJI_RETURN_IF_ERROR(work.administration.Archive(ScopeKind::kProject, project.id));
  Project archived = project;
  archived.archived_at = SystemClock().WallSeconds();
  return Shown(archived);
}

ApiResult<object> ListKeys(const Work& work, const Project& project) {
  std::map<int64_t, const ApiKey*> keys;
  for (const auto& [prefix, key] : work.directory.keys) {
    if (key.project == project.id) keys[key.id] = &key;
  }
  array data;
  for (const auto& [id, key] : keys) data.push_back(Shown(*key));
  return List(std::move(data));
}

ApiResult<object> RevokeKey(const Work& work, const Project& project, std::string_view id) {
  const auto number = ParseId(id, "key_");
  for (const auto& [prefix, key] : work.directory.keys) {
    if (!number || key.id != *number || key.project != project.id || key.revoked_at) continue;
    JIKJI_RETURN_IF_ERROR(work.administration.RevokeKey(key.id));
    return object{
        {"object", "organization.project.api_key.deleted"}, {"id", id}, {"deleted", true}};
  }
  return std::unexpected(NothingThere());
}

// OpenAI's way to make a key by program: an account of its own, the secret shown this once.
ApiResult<object> MakeServiceAccount(const Work& work, const Project& project) {
  JIKJI_ASSIGN(const std::string name, work.NameField());
  NewKey wanted;
  wanted.project = project.id;
  wanted.name = name;
  JIKJI_ASSIGN(wanted.service_account, work.administration.AddServiceAccount(project.id, name));
  JIKJI_ASSIGN(const MadeKey made, work.administration.AddKey(wanted));
  const int64_t now = SystemClock().WallSeconds();
  return object{{"id", fmt::format("svc_acct_{}", wanted.service_account)},
                {"object", "organization.project.service_account"},
                {"name", name},
                {"role", "member"},
                {"created_at", now},
                {"api_key",
                 {{"id", fmt::format("key_{}", made.id)},
                  {"object", "organization.project.service_account.api_key"},
                  {"name", name},
                  {"value", made.secret},
                  {"created_at", now}}}};
}

ApiResult<object> ListSpendLimits(const Work& work, const Project& project) {
  const std::string& currency = work.directory.organisations.at(project.organisation).currency;
  array data;
  for (const Budget& budget : work.directory.budgets) {
    if (budget.scope == Scope{ScopeKind::kProject, project.id}) {
      data.push_back(Shown(budget, currency));
    }
  }
  return List(std::move(data));
}

// Whom a limit holds must not be able to lift it: it is the operator's, who set it.
ApiResult<> CheckMaySetLimits(const Work& work) {
  if (work.call.caller->key().role == Role::kOperator) return {};
  ApiError error = ErrorOfStatus(403, "spend limits are set and lifted by the site's operator");
  error.code = "insufficient_permissions";
  return std::unexpected(std::move(error));
}

ApiResult<object> SetSpendLimit(const Work& work, const Project& project) {
  JIKJI_RETURN_IF_ERROR(CheckMaySetLimits(work));
  JIKJI_ASSIGN(const value body, ParseJson(work.call.request.body, {}, {8, kLargestBody}));
  if (!body.is_object()) return BadField("amount", "the body must be an object");
  JIKJI_ASSIGN(const auto amount, OptionalString(body.get_object(), "amount"));
  if (!amount) return BadField("amount", "is missing: money as decimal digits in a string");
  JIKJI_ASSIGN(const auto named, OptionalString(body.get_object(), "window"));
  JIKJI_ASSIGN(const auto hard, OptionalBool(body.get_object(), "hard"));
  Budget budget;
  budget.scope = {ScopeKind::kProject, project.id};
  JIKJI_ASSIGN(budget.window, ParseWindow(named.value_or("month")));
  JIKJI_ASSIGN(budget.amount, ParseMoney(*amount));
  budget.hard = hard.value_or(true);
  JIKJI_RETURN_IF_ERROR(
      work.administration.SetBudget(budget.scope, budget.window, budget.amount, budget.hard));
  return Shown(budget, work.directory.organisations.at(project.organisation).currency);
}

ApiResult<object> RemoveSpendLimit(const Work& work, const Project& project, std::string_view id) {
  JIKJI_RETURN_IF_ERROR(CheckMaySetLimits(work));
  JIKJI_ASSIGN(const Window window, ParseWindow(id));
  JIKJI_RETURN_IF_ERROR(
      work.administration.RemoveBudget({ScopeKind::kProject, project.id}, window));
  return object{
      {"object", "organization.project.spend_limit.deleted"}, {"id", id}, {"deleted", true}};
}

// `rest` is what follows /v1/organization/projects.
ApiResult<object> Handle(const Work& work, std::string_view rest) {
  const std::string& method = work.call.request.method;
  if (rest.empty()) return method == "POST" ? MakeProject(work) : ListProjects(work);
  const size_t slash = std::min(rest.find('/'), rest.size());
  JIKJI_ASSIGN(const Project* project, work.FindProject(rest.substr(0, slash)));
  const std::string_view below = rest.substr(slash);
  constexpr std::string_view kOneKey = "/api_keys/", kOneLimit = "/spend_limits/";
  if (method == "POST") {
    if (below == "/archive") return ArchiveProject(work, *project);
    if (below == "/service_accounts") return MakeServiceAccount(work, *project);
    if (below == "/spend_limits") return SetSpendLimit(work, *project);
  } else if (method == "DELETE") {
    if (below.starts_with(kOneKey)) {
      return RevokeKey(work, *project, below.substr(kOneKey.size()));
    }
    if (below.starts_with(kOneLimit)) {
      return RemoveSpendLimit(work, *project, below.substr(kOneLimit.size()));
    }
  } else {
    if (below.empty()) return Shown(*project);
    if (below == "/api_keys") return ListKeys(work, *project);
    if (below == "/spend_limits") return ListSpendLimits(work, *project);
  }
  return std::unexpected(NothingThere());
}

}  // namespace

void OrganizationProjects(Call& call) {
  Governor* governor = call.context->options.governor;
  if (governor == nullptr) return call.reply.SendError(NothingThere());
  ApiResult<object> answer;
  const auto done = governor->WithDatabase([&](Database& database) -> Result<> {
    JIKJI_ASSIGN(const auto directory, Directory::Load(database));
    Administration administration(database, governor->hasher(), governor->clock(),
                                  fmt::format("key_{}", call.caller->key().id));
    answer = Handle(Work{call, *directory, administration}, call.rest);
    return {};
  });
  if (!done) return call.reply.SendError(ApiError(done.error()));
  if (!answer) return call.reply.SendError(answer.error());
  call.reply.SendJson(boost::json::serialize(*answer));
}

}  // namespace jikji
