#include "govern/tenancy/directory.h"

#include <fmt/format.h>

#include <algorithm>

namespace jikji {
namespace {

constexpr std::string_view kScopeKinds[] = {"organisation", "project", "key"};
constexpr std::string_view kServiceClasses[] = {"interactive", "standard", "batch"};

std::optional<int64_t> IntOrNull(const SqlRows& rows, size_t row, size_t column) {
  if (rows.IsNull(row, column)) return std::nullopt;
  return rows.Int(row, column);
}

bool Lists(const std::vector<std::string>& models, std::string_view model) {
  return models.empty() || std::ranges::find(models, model) != models.end();
}

class Loader {
 public:
  explicit Loader(Database& database) : database_(database) {}

  Result<> LoadAll() {
    JIKJI_ASSIGN(directory.generation, Directory::Generation(database_));
    JIKJI_RETURN_IF_ERROR(LoadTree());
    JIKJI_RETURN_IF_ERROR(LoadKeys());
    JIKJI_RETURN_IF_ERROR(LoadPrices());
    JIKJI_RETURN_IF_ERROR(LoadModelGrades());
    JIKJI_RETURN_IF_ERROR(LoadBudgets());
    return LoadStops();
  }

  Directory directory;

 private:
  Result<> LoadTree() {
    JIKJI_ASSIGN(const SqlRows organisations,
                 database_.Run("SELECT id, name, currency, archived_at, grade FROM organisations"));
    for (size_t i = 0; i < organisations.size(); ++i) {
      const int64_t id = organisations.Int(i, 0);
      directory.organisations[id] = {id, organisations.Text(i, 1), organisations.Text(i, 2),
                                     IntOrNull(organisations, i, 3), Grade::kOpen};
      JIKJI_ASSIGN(directory.organisations[id].grade, ParseGrade(organisations.Text(i, 4)));
    }
    JIKJI_ASSIGN(const SqlRows projects,
                 database_.Run("SELECT id, organisation, name, models, archived_at, service_class "
                               "FROM projects"));
    for (size_t i = 0; i < projects.size(); ++i) {
      const int64_t id = projects.Int(i, 0);
      directory.projects[id] = {id,
                                projects.Int(i, 1),
                                projects.Text(i, 2),
                                SplitList(projects.Text(i, 3)),
                                IntOrNull(projects, i, 4),
                                {}};
      JIKJI_ASSIGN(directory.projects[id].service_class, ParseServiceClass(projects.Text(i, 5)));
    }
    return {};
  }

  Result<> LoadKeys() {
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("SELECT id, organisation, project, service_account, name, role, "
                               "prefix, digest, models, networks, created_at, expires_at, "
                               "revoked_at, grade FROM api_keys"));
    for (size_t i = 0; i < rows.size(); ++i) {
      ApiKey key;
      key.id = rows.Int(i, 0);
      key.organisation = rows.Int(i, 1);
      key.project = rows.Int(i, 2);
      key.service_account = rows.Int(i, 3);
      key.name = rows.Text(i, 4);
      JIKJI_ASSIGN(key.role, ParseRole(rows.Text(i, 5)));
      key.prefix = rows.Text(i, 6);
      JIKJI_ASSIGN(key.digest, ParseDigest(rows.Text(i, 7)));
      key.models = SplitList(rows.Text(i, 8));
      JIKJI_ASSIGN(key.networks, ParseNetworks(rows.Text(i, 9)));
      key.created_at = rows.Int(i, 10);
      key.expires_at = IntOrNull(rows, i, 11);
      key.revoked_at = IntOrNull(rows, i, 12);
      JIKJI_ASSIGN(key.grade, ParseGrade(rows.Text(i, 13)));
      const auto organisation = directory.organisations.find(key.organisation);
      if (organisation != directory.organisations.end()) {
        key.currency = organisation->second.currency;
      }
      std::string prefix = key.prefix;
      directory.keys.emplace(std::move(prefix), std::move(key));
    }
    return {};
  }

  Result<> LoadPrices() {
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("SELECT model, currency, valid_from, input, cached, output "
                               "FROM prices ORDER BY model, currency, valid_from"));
    for (size_t i = 0; i < rows.size(); ++i) {
      directory.prices[{rows.Text(i, 0), rows.Text(i, 1)}].push_back(
          {rows.Int(i, 2), {rows.Int(i, 3), rows.Int(i, 4), rows.Int(i, 5)}});
    }
    return {};
  }

  Result<> LoadModelGrades() {
    JIKJI_ASSIGN(const SqlRows rows,
                 database_.Run("SELECT model, clearance, content FROM model_grades"));
    for (size_t i = 0; i < rows.size(); ++i) {
      ModelGrade& grade = directory.model_grades[rows.Text(i, 0)];
      JIKJI_ASSIGN(grade.clearance, ParseGrade(rows.Text(i, 1)));
      JIKJI_ASSIGN(grade.content, ParseGrade(rows.Text(i, 2)));
    }
    return {};
  }

  Result<> LoadBudgets() {
    JIKJI_ASSIGN(const SqlRows budgets,
                 database_.Run("SELECT id, scope_kind, scope_id, span, hard, amount FROM budgets "
                               "WHERE removed_at IS NULL "
                               "ORDER BY id"));
    for (size_t i = 0; i < budgets.size(); ++i) {
      Budget budget;
      budget.id = budgets.Int(i, 0);
      JIKJI_ASSIGN(budget.scope.kind, ParseScopeKind(budgets.Text(i, 1)));
      budget.scope.id = budgets.Int(i, 2);
      JIKJI_ASSIGN(budget.window, ParseWindow(budgets.Text(i, 3)));
      budget.hard = budgets.Int(i, 4) != 0;
      budget.amount = budgets.Int(i, 5);
      directory.budgets.push_back(budget);
    }
    JIKJI_ASSIGN(const SqlRows limits,
                 database_.Run("SELECT scope_kind, scope_id, model, requests_per_minute, "
                               "tokens_per_minute, concurrent_requests FROM rate_limits "
                               "ORDER BY scope_kind, scope_id, model"));
    for (size_t i = 0; i < limits.size(); ++i) {
      RateLimit limit;
      JIKJI_ASSIGN(limit.scope.kind, ParseScopeKind(limits.Text(i, 0)));
      limit.scope.id = limits.Int(i, 1);
      limit.model = limits.Text(i, 2);
      limit.requests_per_minute = IntOrNull(limits, i, 3);
      limit.tokens_per_minute = IntOrNull(limits, i, 4);
      limit.concurrent_requests = IntOrNull(limits, i, 5);
      directory.limits.push_back(std::move(limit));
    }
    return {};
  }

  Result<> LoadStops() {
    JIKJI_ASSIGN(const SqlRows rows, database_.Run("SELECT kind, name, reason FROM stops"));
    for (size_t i = 0; i < rows.size(); ++i) {
      directory.stops[{rows.Text(i, 0), rows.Text(i, 1)}] = rows.Text(i, 2);
    }
    return {};
  }

  Database& database_;
};

}  // namespace

std::string_view ScopeKindName(ScopeKind kind) { return kScopeKinds[static_cast<size_t>(kind)]; }

Result<ScopeKind> ParseScopeKind(std::string_view name) {
  const auto found = std::ranges::find(kScopeKinds, name);
  if (found == std::end(kScopeKinds)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` is none of organisation, project and key", name));
  }
  return static_cast<ScopeKind>(found - std::begin(kScopeKinds));
}

std::string_view ServiceClassName(ServiceClass service_class) {
  return kServiceClasses[static_cast<size_t>(service_class)];
}

Result<ServiceClass> ParseServiceClass(std::string_view name) {
  const auto found = std::ranges::find(kServiceClasses, name);
  if (found == std::end(kServiceClasses)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` is none of interactive, standard and batch", name), "class");
  }
  return static_cast<ServiceClass>(found - std::begin(kServiceClasses));
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    if (comma > 0) parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

Result<int64_t> Directory::Generation(Database& database) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT number FROM governance WHERE name = 'generation'"));
  if (rows.empty()) return Fail(ErrorCode::kMalformed, "the store has no generation");
  return rows.Int(0, 0);
}

Result<std::shared_ptr<const Directory>> Directory::Load(Database& database) {
  std::shared_ptr<const Directory> loaded;
  // One view of all tables.
  JIKJI_RETURN_IF_ERROR(InTransaction(database, [&]() -> Result<> {
    Loader loader(database);
    JIKJI_RETURN_IF_ERROR(loader.LoadAll());
    loaded = std::make_shared<const Directory>(std::move(loader.directory));
    return {};
  }));
  return loaded;
}

const ApiKey* Directory::FindKey(std::string_view prefix) const {
  const auto found = keys.find(std::string(prefix));
  return found == keys.end() ? nullptr : &found->second;
}

const Prices* Directory::FindPrices(std::string_view model, std::string_view currency,
                                    int64_t at) const {
  const auto list = prices.find(std::pair(std::string(model), std::string(currency)));
  if (list == prices.end()) return nullptr;
  const Prices* found = nullptr;
  for (const Price& price : list->second) {
    if (price.valid_from <= at) found = &price.prices;
  }
  return found;
}

bool Directory::IsOpen(const ApiKey& key) const {
  if (key.organisation != 0) {
    const auto organisation = organisations.find(key.organisation);
    if (organisation == organisations.end() || organisation->second.archived_at) return false;
  }
  if (key.project == 0) return true;
  const auto project = projects.find(key.project);
  return project != projects.end() && project->second.organisation == key.organisation &&
         !project->second.archived_at;
}

bool Directory::MayUse(const ApiKey& key, std::string_view model) const {
  if (!Lists(key.models, model)) return false;
  const auto project = projects.find(key.project);
  return project == projects.end() || Lists(project->second.models, model);
}

std::string Directory::WhyNotGraded(const ApiKey& key, std::string_view model, Grade log) const {
  const auto organisation = organisations.find(key.organisation);
  const auto graded = model_grades.find(model);
  return WhyNot({.data = key.grade,
                 .organisation = organisation == organisations.end() ? Grade::kOpen
                                                                     : organisation->second.grade,
                 .model = graded == model_grades.end() ? ModelGrade{} : graded->second,
                 .log = log});
}

ServiceClass Directory::ClassOf(const ApiKey& key) const {
  const auto project = projects.find(key.project);
  return project == projects.end() ? ServiceClass::kStandard : project->second.service_class;
}

bool Directory::Names(std::string_view model) const {
  const auto lists = [&](const std::vector<std::string>& models) {
    return std::ranges::find(models, model) != models.end();
  };
  return std::ranges::any_of(prices, [&](const auto& of) { return of.first.first == model; }) ||
         model_grades.contains(model) ||
         std::ranges::any_of(limits,
                             [&](const RateLimit& limit) { return limit.model == model; }) ||
         std::ranges::any_of(projects, [&](const auto& of) { return lists(of.second.models); }) ||
         std::ranges::any_of(keys, [&](const auto& of) { return lists(of.second.models); });
}

const std::string* Directory::FindStop(int64_t organisation, std::string_view model) const {
  if (stops.empty()) return nullptr;
  const std::pair<std::string, std::string> keys[] = {
      {"all", ""},
      {"organisation", std::to_string(organisation)},
      {"model", std::string(model)},
  };
  for (const auto& key : keys) {
    const auto found = stops.find(key);
    if (found != stops.end()) return &found->second;
  }
  return nullptr;
}

}  // namespace jikji
