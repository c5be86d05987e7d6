#include "govern/tenancy/administration.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>

namespace jikji {
namespace {

using boost::json::object;

constexpr size_t kLongestName = 200;
// A model's name must fit the journal.
constexpr size_t kLongestModel = 95;

SqlValue OrNull(const std::optional<int64_t>& value) {
  return value ? SqlValue(*value) : SqlValue();
}
SqlValue OrNull(int64_t id) { return id == 0 ? SqlValue() : SqlValue(id); }

Result<> CheckName(std::string_view name, size_t longest = kLongestName) {
  // Names are printed line by line on terminals.
  const bool plain =
      std::ranges::none_of(name, [](unsigned char c) { return c < ' ' || c == 0x7f || c == ','; });
  if (name.empty() || name.size() > longest || !plain) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a name has 1 to {} bytes, no comma and no control character", longest),
                "name");
  }
  return {};
}

Result<> CheckModels(const std::vector<std::string>& models) {
  for (const std::string& model : models) {
    JIKJI_RETURN_IF_ERROR(CheckName(model, kLongestModel));
  }
  return {};
}

std::string ListOf(const std::vector<std::string>& names) {
  return fmt::format("{}", fmt::join(names, ","));
}

std::string Named(const Scope& scope) {
  return fmt::format("{}_{}", ScopeKindName(scope.kind), scope.id);
}

Act MakeAct(std::string event, int64_t organisation, std::string target, const object& detail) {
  return {std::move(event), organisation, std::move(target), boost::json::serialize(detail)};
}

std::string StopTarget(std::string_view kind, std::string_view name) {
  return name.empty() ? std::string(kind) : fmt::format("{} {}", kind, name);
}

std::unexpected<Error> NotFound(std::string_view what, int64_t id) {
  return Fail(ErrorCode::kNotFound, fmt::format("there is no {} {}", what, id));
}

}  // namespace

Result<> Administration::Change(const std::function<Result<Act>()>& body) {
  return InTransaction(database_, [&]() -> Result<> {
    JIKJI_ASSIGN(const Act act, body());
    // One writer at a time from here on, so that acts are numbered in the order of their commits.
    JIKJI_RETURN_IF_ERROR(
        database_.Run("UPDATE governance SET number = number + 1 WHERE name = 'generation'"));
    return WriteAct(database_, clock_.WallSeconds(), actor_, act);
  });
}

Result<> Administration::CheckPepper() {
  const std::string trace = HexOf(hasher_.Digest("which pepper the keys of this store have"));
  return InTransaction(database_, [&]() -> Result<> {
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("SELECT note FROM governance WHERE name = 'pepper'"));
    if (rows.empty()) {
      JIKJI_RETURN_IF_ERROR(database_.Run(
          "INSERT INTO governance (name, number, note) VALUES ('pepper', 0, $1)", {trace}));
      return {};
    }
    if (rows.Text(0, 0) == trace) return {};
    return Fail(ErrorCode::kPermissionDenied,
                "the pepper is not the one that the keys of this store were made with");
  });
}

Result<int64_t> Administration::AddOrganisation(std::string_view name, std::string_view currency) {
  JIKJI_RETURN_IF_ERROR(CheckName(name));
  JIKJI_RETURN_IF_ERROR(CheckCurrency(currency));
  int64_t id = 0;
  JIKJI_RETURN_IF_ERROR(Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("INSERT INTO organisations (name, currency, created_at) "
                               "VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING RETURNING id",
                               {std::string(name), std::string(currency), clock_.WallSeconds()}));
    if (rows.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("there is an organisation `{}` already", name), "name");
    }
    id = rows.Int(0, 0);
    return MakeAct("organization.created", id, fmt::format("organisation_{}", id),
                   {{"name", name}, {"currency", currency}});
  }));
  return id;
}

Result<int64_t> Administration::AddProject(int64_t organisation, std::string_view name,
                                           const std::vector<std::string>& models) {
  JIKJI_RETURN_IF_ERROR(CheckName(name));
  JIKJI_RETURN_IF_ERROR(CheckModels(models));
  int64_t id = 0;
  JIKJI_RETURN_IF_ERROR(Change([&]() -> Result<Act> {
    JIKJI_RETURN_IF_ERROR(CheckScope({ScopeKind::kOrganisation, organisation}));
    JIKJI_ASSIGN(
        const SqlRows rows,
        database_.Run("INSERT INTO projects (organisation, name, models, created_at) VALUES "
                      "($1, $2, $3, $4) ON CONFLICT (organisation, name) DO NOTHING RETURNING id",
                      {organisation, std::string(name), ListOf(models), clock_.WallSeconds()}));
    if (rows.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("the organisation has a project `{}` already", name), "name");
    }
    id = rows.Int(0, 0);
    return MakeAct("project.created", organisation, fmt::format("project_{}", id),
                   {{"name", name}, {"models", ListOf(models)}});
  }));
  return id;
}

Result<int64_t> Administration::AddServiceAccount(int64_t project, std::string_view name) {
  JIKJI_RETURN_IF_ERROR(CheckName(name));
  int64_t id = 0;
  JIKJI_RETURN_IF_ERROR(Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const int64_t organisation, CheckScope({ScopeKind::kProject, project}));
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("INSERT INTO service_accounts (project, name, created_at) VALUES "
                               "($1, $2, $3) ON CONFLICT (project, name) DO NOTHING RETURNING id",
                               {project, std::string(name), clock_.WallSeconds()}));
    if (rows.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("the project has a service account `{}` already", name), "name");
    }
    id = rows.Int(0, 0);
    return MakeAct("service_account.created", organisation, fmt::format("service_account_{}", id),
                   {{"name", name}, {"project", project}});
  }));
  return id;
}

Result<> Administration::SetOrganisationGrade(int64_t organisation, Grade grade) {
  return Change([&]() -> Result<Act> {
    JIKJI_RETURN_IF_ERROR(CheckScope({ScopeKind::kOrganisation, organisation}));
    JIKJI_RETURN_IF_ERROR(database_.Run("UPDATE organisations SET grade = $1 WHERE id = $2",
                                        {std::string(GradeName(grade)), organisation}));
    return MakeAct("organization.graded", organisation,
                   Named({ScopeKind::kOrganisation, organisation}), {{"grade", GradeName(grade)}});
  });
}

Result<> Administration::SetModelGrade(std::string_view model, const ModelGrade& grade) {
  JIKJI_RETURN_IF_ERROR(CheckName(model, kLongestModel));
  const std::string clearance(GradeName(grade.clearance)), content(GradeName(grade.content));
  return Change([&]() -> Result<Act> {
    JIKJI_RETURN_IF_ERROR(
        database_.Run("INSERT INTO model_grades (model, clearance, content) VALUES ($1, $2, $3) "
                      "ON CONFLICT (model) DO UPDATE SET clearance = excluded.clearance, "
                      "content = excluded.content",
                      {std::string(model), clearance, content}));
    return MakeAct("model.graded", 0, std::string(model),
                   {{"clearance", clearance}, {"content", content}});
  });
}

Result<> Administration::SetServiceClass(int64_t project, ServiceClass service_class) {
  return Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const int64_t organisation, CheckScope({ScopeKind::kProject, project}));
    JIKJI_RETURN_IF_ERROR(database_.Run("UPDATE projects SET service_class = $1 WHERE id = $2",
                                        {std::string(ServiceClassName(service_class)), project}));
    return MakeAct("project.updated", organisation, Named({ScopeKind::kProject, project}),
                   {{"service_class", ServiceClassName(service_class)}});
  });
}

Result<> Administration::Archive(ScopeKind kind, int64_t id) {
  return Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const int64_t organisation, CheckScope({kind, id}));
    const int64_t now = clock_.WallSeconds();
    if (kind == ScopeKind::kOrganisation) {
      JIKJI_RETURN_IF_ERROR(
          database_.Run("UPDATE organisations SET archived_at = $1 WHERE id = $2", {now, id}));
    } else if (kind == ScopeKind::kProject) {
      JIKJI_RETURN_IF_ERROR(
          database_.Run("UPDATE projects SET archived_at = $1 WHERE id = $2", {now, id}));
    } else {
      return Fail(ErrorCode::kInvalidArgument, "a key is revoked, not archived");
    }
    return MakeAct(kind == ScopeKind::kProject ? "project.archived" : "organization.archived",
                   organisation, Named({kind, id}), {});
  });
}

Result<int64_t> Administration::CheckScope(const Scope& scope) {
  Result<SqlRows> rows;
  switch (scope.kind) {
    case ScopeKind::kOrganisation:
      rows = database_.Run("SELECT id FROM organisations WHERE id = $1 AND archived_at IS NULL",
                           {scope.id});
      break;
    case ScopeKind::kProject:
      rows = database_.Run(
          "SELECT organisation FROM projects WHERE id = $1 AND archived_at IS NULL", {scope.id});
      break;
    case ScopeKind::kKey:
      rows = database_.Run("SELECT organisation FROM api_keys WHERE id = $1 AND revoked_at IS NULL",
                           {scope.id});
      break;
  }
  if (!rows) return std::unexpected(rows.error());
  if (rows->empty()) return NotFound(ScopeKindName(scope.kind), scope.id);
  return rows->Int(0, 0);
}

// The key stands where its role belongs, and what it names is one branch of the tree.
Result<> Administration::CheckPlace(NewKey& wanted) {
  const Level level = LevelOf(wanted.role);
  if ((wanted.project != 0) != (level == Level::kProject) ||
      (level == Level::kSite && wanted.organisation != 0) ||
      (level == Level::kOrganisation && wanted.organisation == 0)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("a key of the role `{}` belongs to {}", RoleName(wanted.role),
                            level == Level::kProject        ? "a project"
                            : level == Level::kOrganisation ? "an organisation and no project"
                                                            : "no organisation and no project"));
  }
  if (level == Level::kOrganisation) {
    JIKJI_RETURN_IF_ERROR(CheckScope({ScopeKind::kOrganisation, wanted.organisation}));
    return {};
  }
  if (level == Level::kSite) return {};
  JIKJI_ASSIGN(const SqlRows project,
               database_.Run("SELECT organisation, models FROM projects WHERE id = $1 "
                             "AND archived_at IS NULL",
                             {wanted.project}));
  if (project.empty() || (wanted.organisation != 0 && wanted.organisation != project.Int(0, 0))) {
    return NotFound("project", wanted.project);
  }
  wanted.organisation = project.Int(0, 0);
  const auto allowed = SplitList(project.Text(0, 1));
  for (const std::string& model : wanted.models) {
    if (!allowed.empty() && std::ranges::find(allowed, model) == allowed.end()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("the project itself may not use `{}`", model), "models");
    }
  }
  if (wanted.service_account == 0) return {};
  JIKJI_ASSIGN(const SqlRows account,
               database_.Run("SELECT 1 FROM service_accounts WHERE id = $1 AND project = $2",
                             {wanted.service_account, wanted.project}));
  if (account.empty()) return NotFound("service account", wanted.service_account);
  return {};
}

// A child has no more than its parent.
Result<> Administration::CheckGrade(const NewKey& wanted) {
  JIKJI_ASSIGN(const SqlRows rows, database_.Run("SELECT grade FROM organisations WHERE id = $1",
                                                 {wanted.organisation}));
  Grade most = Grade::kOpen;
  if (!rows.empty()) {
    JIKJI_ASSIGN(most, ParseGrade(rows.Text(0, 0)));
  }
  if (wanted.grade <= most) return {};
  return Fail(
      ErrorCode::kInvalidArgument,
      fmt::format("the organisation itself is cleared for data of grade {} only", GradeName(most)),
      "grade");
}

Result<MadeKey> Administration::InsertKey(const NewKey& wanted) {
  MadeKey made;
  JIKJI_ASSIGN(made.secret, MakeApiKey(wanted.shape));
  JIKJI_ASSIGN(
      const SqlRows rows,
      database_.Run(
          "INSERT INTO api_keys (organisation, project, service_account, name, role, prefix, "
          "digest, models, networks, created_at, expires_at, grade) VALUES "
          "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
          {OrNull(wanted.organisation), OrNull(wanted.project), OrNull(wanted.service_account),
           wanted.name, std::string(RoleName(wanted.role)), made.secret.substr(0, kKeyPrefixLength),
           HexOf(hasher_.Digest(made.secret)), ListOf(wanted.models), wanted.networks,
           clock_.WallSeconds(), OrNull(wanted.expires_at), std::string(GradeName(wanted.grade))}));
  made.id = rows.Int(0, 0);
  return made;
}

Result<MadeKey> Administration::AddKey(const NewKey& given) {
  NewKey wanted = given;
  JIKJI_RETURN_IF_ERROR(CheckName(wanted.name));
  JIKJI_RETURN_IF_ERROR(CheckModels(wanted.models));
  JIKJI_RETURN_IF_ERROR(ParseNetworks(wanted.networks));
  if (wanted.expires_at && *wanted.expires_at <= clock_.WallSeconds()) {
    return Fail(ErrorCode::kInvalidArgument, "a key must not end before it begins", "expires_at");
  }
  MadeKey made;
  JIKJI_RETURN_IF_ERROR(Change([&]() -> Result<Act> {
    JIKJI_RETURN_IF_ERROR(CheckPlace(wanted));
    JIKJI_RETURN_IF_ERROR(CheckGrade(wanted));
    JIKJI_RETURN_IF_ERROR(CheckCustomer(database_, wanted.organisation));
    JIKJI_ASSIGN(made, InsertKey(wanted));
    return MakeAct("api_key.created", wanted.organisation, fmt::format("key_{}", made.id),
                   {{"name", wanted.name},
                    {"role", RoleName(wanted.role)},
                    {"project", wanted.project},
                    {"models", ListOf(wanted.models)},
                    {"networks", wanted.networks},
                    {"grade", GradeName(wanted.grade)},
                    {"expires_at", wanted.expires_at.value_or(0)}});
  }));
  return made;
}

Result<MadeKey> Administration::RotateKey(int64_t id, int64_t overlap_seconds) {
  if (overlap_seconds < 0) {
    return Fail(ErrorCode::kInvalidArgument, "an overlap is not negative", "overlap");
  }
  MadeKey made;
  JIKJI_RETURN_IF_ERROR(Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(
        const SqlRows old,
        database_.Run("SELECT organisation, project, service_account, name, role, prefix, models, "
                      "networks, expires_at, grade FROM api_keys WHERE id = $1 "
                      "AND revoked_at IS NULL",
                      {id}));
    if (old.empty()) return NotFound("key", id);
    NewKey wanted;
    wanted.organisation = old.Int(0, 0);
    JIKJI_RETURN_IF_ERROR(CheckCustomer(database_, wanted.organisation));
    wanted.project = old.Int(0, 1);
    wanted.service_account = old.Int(0, 2);
    wanted.name = old.Text(0, 3);
    JIKJI_ASSIGN(wanted.role, ParseRole(old.Text(0, 4)));
    wanted.shape = old.Text(0, 5).starts_with("hf_") ? KeyShape::kHub : KeyShape::kJikji;
    wanted.models = SplitList(old.Text(0, 6));
    wanted.networks = old.Text(0, 7);
    if (!old.IsNull(0, 8)) wanted.expires_at = old.Int(0, 8);
    JIKJI_ASSIGN(wanted.grade, ParseGrade(old.Text(0, 9)));
    const int64_t ends = clock_.WallSeconds() + overlap_seconds;
    JIKJI_RETURN_IF_ERROR(
        database_.Run("UPDATE api_keys SET expires_at = $1 WHERE id = $2 "
                      "AND (expires_at IS NULL OR expires_at > $1)",
                      {ends, id}));
    // Budgets and limits of the old key hold for its successor.
    JIKJI_ASSIGN(made, InsertKey(wanted));
    JIKJI_RETURN_IF_ERROR(database_.Run(
        "INSERT INTO budgets (scope_kind, scope_id, span, hard, amount) SELECT scope_kind, "
        "CAST($1 AS BIGINT), span, hard, amount FROM budgets WHERE scope_kind = 'key' "
        "AND scope_id = $2 AND removed_at IS NULL",
        {made.id, id}));
    JIKJI_RETURN_IF_ERROR(database_.Run(
        "INSERT INTO rate_limits (scope_kind, scope_id, model, requests_per_minute, "
        "tokens_per_minute, concurrent_requests) SELECT scope_kind, CAST($1 AS BIGINT), model, "
        "requests_per_minute, tokens_per_minute, concurrent_requests FROM rate_limits "
        "WHERE scope_kind = 'key' AND scope_id = $2",
        {made.id, id}));
    return MakeAct("api_key.rotated", wanted.organisation, fmt::format("key_{}", id),
                   {{"successor", fmt::format("key_{}", made.id)}, {"ends_at", ends}});
  }));
  return made;
}

Result<> Administration::RevokeKey(int64_t id) {
  return Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("UPDATE api_keys SET revoked_at = $1 WHERE id = $2 "
                               "AND revoked_at IS NULL RETURNING organisation",
                               {clock_.WallSeconds(), id}));
    if (rows.empty()) return NotFound("key", id);
    return MakeAct("api_key.deleted", rows.Int(0, 0), fmt::format("key_{}", id), {});
  });
}

Result<> Administration::SetPrice(std::string_view model, std::string_view currency,
                                  int64_t valid_from, const Prices& prices) {
  JIKJI_RETURN_IF_ERROR(CheckName(model, kLongestModel));
  JIKJI_RETURN_IF_ERROR(CheckCurrency(currency));
  if (prices.input < 0 || prices.output < 0 || prices.cached < 0 || prices.cached > prices.input) {
    return Fail(ErrorCode::kInvalidArgument,
                "prices are not negative, and a cached token costs no more than another", "price");
  }
  return Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const SqlRows sold,
                 database_.Run("SELECT 1 FROM prices WHERE model = $1 AND currency = $2 "
                               "AND valid_from = $3",
                               {std::string(model), std::string(currency), valid_from}));
    if (!sold.empty() && valid_from <= clock_.WallSeconds()) {
      return Fail(ErrorCode::kInvalidArgument,
                  "there is a price from that moment on, and it has been sold at", "valid_from");
    }
    JIKJI_RETURN_IF_ERROR(database_.Run(
        "INSERT INTO prices (model, currency, valid_from, input, cached, output) VALUES "
        "($1, $2, $3, $4, $5, $6) ON CONFLICT (model, currency, valid_from) DO UPDATE SET "
        "input = excluded.input, cached = excluded.cached, output = excluded.output",
        {std::string(model), std::string(currency), valid_from, prices.input, prices.cached,
         prices.output}));
    return MakeAct("price.updated", 0, std::string(model),
                   {{"currency", currency},
                    {"valid_from", valid_from},
                    {"input", prices.input},
                    {"cached", prices.cached},
                    {"output", prices.output}});
  });
}

Result<int64_t> Administration::SetBudget(const Scope& scope, Window window, int64_t amount,
                                          bool hard) {
  if (amount < 0) return Fail(ErrorCode::kInvalidArgument, "a budget is not negative", "amount");
  int64_t id = 0;
  JIKJI_RETURN_IF_ERROR(Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const int64_t organisation, CheckScope(scope));
    const Act act = MakeAct("spend_limit.updated", organisation, Named(scope),
                            {{"window", WindowName(window)}, {"amount", amount}, {"hard", hard}});
    const std::string kind(ScopeKindName(scope.kind)), span(WindowName(window));
    JIKJI_ASSIGN(const SqlRows known,
                 database_.Run("UPDATE budgets SET amount = $1, hard = $2, removed_at = NULL "
                               "WHERE scope_kind = $3 AND scope_id = $4 AND span = $5 RETURNING id",
                               {amount, int64_t{hard}, kind, scope.id, span}));
    if (!known.empty()) {
      id = known.Int(0, 0);
      return act;
    }
    JIKJI_ASSIGN(const SqlRows made,
                 database_.Run("INSERT INTO budgets (scope_kind, scope_id, span, hard, amount) "
                               "VALUES ($1, $2, $3, $4, $5) RETURNING id",
                               {kind, scope.id, span, int64_t{hard}, amount}));
    id = made.Int(0, 0);
    // What was spent in this window before there was a budget, as the slice of no server.
    const int64_t start = WindowStart(window, clock_.WallSeconds());
    JIKJI_RETURN_IF_ERROR(database_.Run(
        "INSERT INTO budget_slices (budget, window_start, server, granted, settled) "
        "SELECT CAST($1 AS BIGINT), CAST($2 AS BIGINT), '', spent, spent FROM (SELECT "
        "CAST(COALESCE(SUM(cost), 0) AS BIGINT) AS spent FROM usage WHERE minute >= $2 AND "
        "(CASE $3 WHEN 'organisation' THEN organisation WHEN 'project' THEN project "
        "ELSE api_key END) = $4) AS earlier",
        {id, start, kind, scope.id}));
    return act;
  }));
  return id;
}

Result<> Administration::RemoveBudget(const Scope& scope, Window window) {
  return Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const int64_t organisation, CheckScope(scope));
    JIKJI_ASSIGN(const SqlRows removed,
                 database_.Run("UPDATE budgets SET removed_at = $1 WHERE scope_kind = $2 AND "
                               "scope_id = $3 AND span = $4 AND removed_at IS NULL "
                               "RETURNING amount",
                               {clock_.WallSeconds(), std::string(ScopeKindName(scope.kind)),
                                scope.id, std::string(WindowName(window))}));
    if (removed.empty()) {
      return Fail(ErrorCode::kNotFound,
                  fmt::format("this {} has no budget with the window `{}`",
                              ScopeKindName(scope.kind), WindowName(window)),
                  "window");
    }
    return MakeAct("spend_limit.deleted", organisation, Named(scope),
                   {{"window", WindowName(window)}, {"amount", removed.Int(0, 0)}});
  });
}

Result<> Administration::SetLimit(const RateLimit& limit) {
  for (const auto& value :
       {limit.requests_per_minute, limit.tokens_per_minute, limit.concurrent_requests}) {
    if (value && (*value < 0 || *value > kLargestRate)) {
      return Fail(ErrorCode::kInvalidArgument, fmt::format("a limit is from 0 to {}", kLargestRate),
                  "limit");
    }
  }
  if (!limit.model.empty()) JIKJI_RETURN_IF_ERROR(CheckName(limit.model, kLongestModel));
  return Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const int64_t organisation, CheckScope(limit.scope));
    JIKJI_RETURN_IF_ERROR(database_.Run(
        "INSERT INTO rate_limits (scope_kind, scope_id, model, requests_per_minute, "
        "tokens_per_minute, concurrent_requests) VALUES ($1, $2, $3, $4, $5, $6) "
        "ON CONFLICT (scope_kind, scope_id, model) DO UPDATE SET requests_per_minute = "
        "excluded.requests_per_minute, tokens_per_minute = excluded.tokens_per_minute, "
        "concurrent_requests = excluded.concurrent_requests",
        {std::string(ScopeKindName(limit.scope.kind)), limit.scope.id, limit.model,
         OrNull(limit.requests_per_minute), OrNull(limit.tokens_per_minute),
         OrNull(limit.concurrent_requests)}));
    return MakeAct("rate_limit.updated", organisation, Named(limit.scope),
                   {{"model", limit.model},
                    {"requests_per_minute", limit.requests_per_minute.value_or(-1)},
                    {"tokens_per_minute", limit.tokens_per_minute.value_or(-1)},
                    {"concurrent_requests", limit.concurrent_requests.value_or(-1)}});
  });
}

Result<> Administration::Stop(std::string_view kind, std::string_view name,
                              std::string_view reason) {
  if (reason.empty()) reason = "no reason given";  // those who are stopped read it
  if ((kind != "all" && kind != "organisation" && kind != "model") ||
      (kind == "all") != name.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                "stop `all`, an `organisation` by its id, or a `model` by its name");
  }
  return Change([&]() -> Result<Act> {
    if (kind == "organisation") {
      int64_t id = 0;
      const char* const end = name.data() + name.size();
      if (std::from_chars(name.data(), end, id).ptr != end) id = 0;
      JIKJI_ASSIGN(const SqlRows known,
                   database_.Run("SELECT id FROM organisations WHERE id = $1", {id}));
      if (known.empty()) {
        return Fail(ErrorCode::kNotFound, fmt::format("there is no organisation {}", name));
      }
    }
    JIKJI_RETURN_IF_ERROR(database_.Run(
        "INSERT INTO stops (kind, name, reason, since) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (kind, name) DO UPDATE SET reason = excluded.reason",
        {std::string(kind), std::string(name), std::string(reason), clock_.WallSeconds()}));
    return MakeAct("stop.started", 0, StopTarget(kind, name), {{"reason", reason}});
  });
}

Result<> Administration::Resume(std::string_view kind, std::string_view name) {
  return Change([&]() -> Result<Act> {
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("DELETE FROM stops WHERE kind = $1 AND name = $2",
                               {std::string(kind), std::string(name)}));
    if (rows.changed() == 0) {
      return Fail(ErrorCode::kNotFound, fmt::format("`{} {}` is not stopped", kind, name));
    }
    return MakeAct("stop.ended", 0, StopTarget(kind, name), {});
  });
}

}  // namespace jikji
