#include "app/tenant_actions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json.hpp>

#include "base/json.h"

namespace jikji {
namespace {

using boost::json::array;
using boost::json::object;

constexpr int64_t kDaySeconds = 86'400;
constexpr int64_t kPricedTokens = 1'000'000;

Result<Scope> ScopeOf(const TenantArguments& arguments) {
  const int given = (arguments.organisation != 0) + (arguments.project != 0) + (arguments.key != 0);
  if (given != 1) {
    return Fail(ErrorCode::kInvalidArgument,
                "name one of --organisation ID, --project ID and --key ID");
  }
  if (arguments.key != 0) return Scope{ScopeKind::kKey, arguments.key};
  if (arguments.project != 0) return Scope{ScopeKind::kProject, arguments.project};
  return Scope{ScopeKind::kOrganisation, arguments.organisation};
}

object Shown(const MadeKey& made) { return {{"id", made.id}, {"secret", made.secret}}; }

Result<object> AddOrganisation(const TenantArguments& arguments, Database&,
                               Administration& administration) {
  JIKJI_ASSIGN(const int64_t id,
               administration.AddOrganisation(arguments.name, arguments.currency));
  return object{{"id", id}};
}

Result<object> AddProject(const TenantArguments& arguments, Database&,
                          Administration& administration) {
  JIKJI_ASSIGN(const int64_t id,
               administration.AddProject(arguments.organisation, arguments.name, arguments.models));
  return object{{"id", id}};
}

Result<object> AddServiceAccount(const TenantArguments& arguments, Database&,
                                 Administration& administration) {
  JIKJI_ASSIGN(const int64_t id,
               administration.AddServiceAccount(arguments.project, arguments.name));
  return object{{"id", id}};
}

Result<NewKey> WantedKey(const TenantArguments& arguments) {
  NewKey wanted;
  wanted.name = arguments.name;
  wanted.organisation = arguments.organisation;
  wanted.project = arguments.project;
  wanted.service_account = arguments.service_account;
  JIKJI_ASSIGN(wanted.role, ParseRole(arguments.role));
  wanted.shape = arguments.hub ? KeyShape::kHub : KeyShape::kJikji;
  wanted.models = arguments.models;
  JIKJI_ASSIGN(wanted.grade, ParseGrade(arguments.grade));
  wanted.networks = fmt::format("{}", fmt::join(arguments.networks, ","));
  if (arguments.expires_days > 0) {
    wanted.expires_at = SystemClock().WallSeconds() + arguments.expires_days * kDaySeconds;
  }
  return wanted;
}

Result<object> AddKey(const TenantArguments& arguments, Database&, Administration& administration) {
  JIKJI_ASSIGN(const NewKey wanted, WantedKey(arguments));
  JIKJI_ASSIGN(const MadeKey made, administration.AddKey(wanted));
  return Shown(made);
}

Result<object> AddUser(const TenantArguments& arguments, Database&,
                       Administration& administration) {
  JIKJI_ASSIGN(const NewKey wanted, WantedKey(arguments));
  JIKJI_ASSIGN(const int64_t key, administration.AddUser(wanted));
  return object{{"user", arguments.name}, {"key", key}};
}

Result<object> RotateKey(const TenantArguments& arguments, Database&,
                         Administration& administration) {
  JIKJI_ASSIGN(const MadeKey made,
               administration.RotateKey(arguments.key, arguments.overlap_hours * 3'600));
  return Shown(made);
}

Result<object> RevokeKey(const TenantArguments& arguments, Database&,
                         Administration& administration) {
  JIKJI_RETURN_IF_ERROR(administration.RevokeKey(arguments.key));
  return object{{"revoked", arguments.key}};
}

Result<object> Archive(const TenantArguments& arguments, Database&,
                       Administration& administration) {
  JIKJI_ASSIGN(const Scope scope, ScopeOf(arguments));
  JIKJI_RETURN_IF_ERROR(administration.Archive(scope.kind, scope.id));
  return object{{"archived", scope.id}};
}

Result<object> SetGrade(const TenantArguments& arguments, Database&,
                        Administration& administration) {
  JIKJI_ASSIGN(const Grade grade, ParseGrade(arguments.grade));
  if (arguments.organisation != 0) {
    JIKJI_RETURN_IF_ERROR(administration.SetOrganisationGrade(arguments.organisation, grade));
    return object{{"organisation", arguments.organisation}, {"grade", GradeName(grade)}};
  }
  JIKJI_ASSIGN(const Grade content, ParseGrade(arguments.content_grade));
  JIKJI_RETURN_IF_ERROR(administration.SetModelGrade(arguments.name, {grade, content}));
  return object{
      {"model", arguments.name}, {"clearance", GradeName(grade)}, {"content", GradeName(content)}};
}

Result<object> SetClass(const TenantArguments& arguments, Database&,
                        Administration& administration) {
  JIKJI_ASSIGN(const ServiceClass service_class, ParseServiceClass(arguments.service_class));
  JIKJI_RETURN_IF_ERROR(administration.SetServiceClass(arguments.project, service_class));
  return object{{"project", arguments.project}, {"class", ServiceClassName(service_class)}};
}

// "500" won for a million tokens to nano-won for one.
Result<int64_t> PriceOfOne(const std::string& text) {
  JIKJI_ASSIGN(const int64_t nano, ParseMoney(text));
  if (nano % kPricedTokens != 0) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` for a million tokens is finer than is counted: at most three "
                            "digits after the point",
                            text));
  }
  return nano / kPricedTokens;
}

Result<object> SetPrice(const TenantArguments& arguments, Database&,
                        Administration& administration) {
  Prices prices;
  JIKJI_ASSIGN(prices.input, PriceOfOne(arguments.input_price));
  JIKJI_ASSIGN(prices.output, PriceOfOne(arguments.output_price));
  prices.cached = prices.input;
  if (!arguments.cached_price.empty()) {
    JIKJI_ASSIGN(prices.cached, PriceOfOne(arguments.cached_price));
  }
  int64_t from = SystemClock().WallSeconds();
  if (!arguments.from.empty()) {
    JIKJI_ASSIGN(from, ParseDay(arguments.from));
  }
  JIKJI_RETURN_IF_ERROR(administration.SetPrice(arguments.name, arguments.currency, from, prices));
  return object{{"model", arguments.name}, {"valid_from", FormatTime(from)}};
}

Result<object> SetBudget(const TenantArguments& arguments, Database&,
                         Administration& administration) {
  JIKJI_ASSIGN(const Scope scope, ScopeOf(arguments));
  JIKJI_ASSIGN(const Window window, ParseWindow(arguments.window));
  JIKJI_ASSIGN(const int64_t amount, ParseMoney(arguments.amount));
  JIKJI_ASSIGN(const int64_t id, administration.SetBudget(scope, window, amount, !arguments.soft));
  return object{{"id", id}, {"amount", FormatMoney(amount)}, {"window", WindowName(window)}};
}

Result<object> RemoveBudget(const TenantArguments& arguments, Database&,
                            Administration& administration) {
  JIKJI_ASSIGN(const Scope scope, ScopeOf(arguments));
  JIKJI_ASSIGN(const Window window, ParseWindow(arguments.window));
  JIKJI_RETURN_IF_ERROR(administration.RemoveBudget(scope, window));
  return object{{"removed", WindowName(window)}, {"of", scope.id}};
}

Result<object> SetLimit(const TenantArguments& arguments, Database&,
                        Administration& administration) {
  RateLimit limit;
  JIKJI_ASSIGN(limit.scope, ScopeOf(arguments));
  limit.model = arguments.name;
  const auto given = [](int64_t value) {
    return value < 0 ? std::nullopt : std::optional<int64_t>(value);
  };
  limit.requests_per_minute = given(arguments.requests_per_minute);
  limit.tokens_per_minute = given(arguments.tokens_per_minute);
  limit.concurrent_requests = given(arguments.concurrent_requests);
  JIKJI_RETURN_IF_ERROR(administration.SetLimit(limit));
  return object{{"limited", limit.scope.id}};
}

// `stop` and `resume` take all, an organisation or a model.
std::pair<std::string, std::string> StopTarget(const TenantArguments& arguments) {
  if (arguments.organisation != 0) {
    return {"organisation", std::to_string(arguments.organisation)};
  }
  if (arguments.name == "all") return {"all", ""};
  return {"model", arguments.name};
}

// A stop is never refused for a model that nobody has named yet; a slip of the pen is said.
Result<object> Stop(const TenantArguments& arguments, Database& database,
                    Administration& administration) {
  const auto [kind, name] = StopTarget(arguments);
  JIKJI_RETURN_IF_ERROR(administration.Stop(kind, name, arguments.reason));
  object result{{"stopped", kind}, {"name", name}};
  JIKJI_ASSIGN(const auto directory, Directory::Load(database));
  if (kind == "model" && !directory->Names(name)) {
    result["warning"] = Say(
        "no price, grade, limit, project or key names this model: is it the name that is served?",
        "이 모델을 적은 가격, 등급, 한도, 프로젝트, 키가 없습니다. 서비스하는 이름이 맞나요?");
  }
  return result;
}

Result<object> Resume(const TenantArguments& arguments, Database&, Administration& administration) {
  const auto [kind, name] = StopTarget(arguments);
  JIKJI_RETURN_IF_ERROR(administration.Resume(kind, name));
  return object{{"resumed", kind}, {"name", name}};
}

Result<CustomerFile> ReadCustomerFile(const std::string& path) {
  JIKJI_ASSIGN(const boost::json::value parsed, ParseJsonFile(path));
  if (!parsed.is_object()) return Fail(ErrorCode::kMalformed, "must hold an object", path);
  CustomerFile file;
  const std::pair<const char*, std::string&> fields[] = {
      {"legal_name", file.legal_name},         {"business_number", file.business_number},
      {"headquarters", file.headquarters},     {"parent", file.parent},
      {"screening_list", file.screening_list}, {"screening_result", file.screening_result},
      {"screened_by", file.screened_by},       {"end_use", file.end_use}};
  for (const auto& [name, text] : fields) {
    JIKJI_ASSIGN(auto given, OptionalString(parsed.get_object(), name));
    text = given.value_or("");
  }
  return file;
}

Result<object> FileCustomer(const TenantArguments& arguments, Database&,
                            Administration& administration) {
  JIKJI_ASSIGN(const CustomerFile file, ReadCustomerFile(arguments.file));
  JIKJI_RETURN_IF_ERROR(
      administration.FileCustomer(arguments.organisation, file, arguments.as_key));
  return object{{"filed", arguments.organisation}};
}

Result<object> ApproveCustomer(const TenantArguments& arguments, Database& database,
                               Administration& administration) {
  JIKJI_RETURN_IF_ERROR(administration.ApproveCustomer(arguments.organisation, arguments.as_key));
  JIKJI_ASSIGN(const auto customer, ReadCustomer(database, arguments.organisation));
  if (!customer) return Fail(ErrorCode::kNotFound, "the file is gone");
  return object{{"organisation", arguments.organisation},
                {"approvals", customer->approvers.size()},
                {"approved", customer->approved()}};
}

Result<object> RequireFiles(const TenantArguments& arguments, Database&,
                            Administration& administration) {
  if (arguments.name != "on" && arguments.name != "off") {
    return Fail(ErrorCode::kInvalidArgument, "say on or off");
  }
  JIKJI_RETURN_IF_ERROR(administration.RequireCustomerFiles(arguments.name == "on"));
  return object{{"required", arguments.name == "on"}};
}

Result<object> Erase(const TenantArguments& arguments, Database&, Administration& administration) {
  JIKJI_RETURN_IF_ERROR(administration.EraseContent(arguments.organisation, arguments.reason));
  return object{{"erased", arguments.organisation}};
}

Result<object> Purge(const TenantArguments& arguments, Database&, Administration& administration) {
  if (arguments.older_days < 1) {
    return Fail(ErrorCode::kInvalidArgument, "say how old: --older-days N");
  }
  JIKJI_ASSIGN(const int64_t rows, administration.PurgeUsage(SystemClock().WallSeconds() -
                                                             arguments.older_days * kDaySeconds));
  return object{{"rows", rows}};
}

const char* StateOf(const ApiKey& key) {
  if (key.revoked_at) return "revoked";
  return key.expires_at && *key.expires_at <= SystemClock().WallSeconds() ? "expired" : "active";
}

Result<object> List(const TenantArguments&, Database& database, Administration&) {
  JIKJI_ASSIGN(const auto directory, Directory::Load(database));
  object out;
  array& organisations = out["organisations"].emplace_array();
  for (const auto& [id, organisation] : directory->organisations) {
    organisations.push_back(object{{"id", id},
                                   {"name", organisation.name},
                                   {"currency", organisation.currency},
                                   {"grade", GradeName(organisation.grade)},
                                   {"archived", organisation.archived_at.has_value()}});
  }
  array& projects = out["projects"].emplace_array();
  for (const auto& [id, project] : directory->projects) {
    projects.push_back(object{{"id", id},
                              {"organisation", project.organisation},
                              {"name", project.name},
                              {"models", fmt::format("{}", fmt::join(project.models, ","))},
                              {"class", ServiceClassName(project.service_class)},
                              {"archived", project.archived_at.has_value()}});
  }
  std::map<int64_t, const ApiKey*> by_id;
  for (const auto& [prefix, key] : directory->keys) by_id[key.id] = &key;
  array& keys = out["keys"].emplace_array();
  for (const auto& [id, key] : by_id) {
    keys.push_back(object{{"id", id},
                          {"organisation", key->organisation},
                          {"project", key->project},
                          {"name", key->name},
                          {"role", RoleName(key->role)},
                          {"prefix", key->prefix},
                          {"grade", GradeName(key->grade)},
                          {"state", StateOf(*key)}});
  }
  array& budgets = out["budgets"].emplace_array();
  for (const Budget& budget : directory->budgets) {
    budgets.push_back(object{{"id", budget.id},
                             {"of", ScopeKindName(budget.scope.kind)},
                             {"scope", budget.scope.id},
                             {"window", WindowName(budget.window)},
                             {"amount", FormatMoney(budget.amount)},
                             {"hard", budget.hard}});
  }
  array& prices = out["prices"].emplace_array();
  for (const auto& [what, list] : directory->prices) {
    for (const Price& price : list) {
      prices.push_back(object{{"model", what.first},
                              {"currency", what.second},
                              {"valid_from", FormatTime(price.valid_from)},
                              {"input", FormatMoney(price.prices.input * kPricedTokens)},
                              {"cached", FormatMoney(price.prices.cached * kPricedTokens)},
                              {"output", FormatMoney(price.prices.output * kPricedTokens)}});
    }
  }
  array& limits = out["limits"].emplace_array();
  for (const RateLimit& limit : directory->limits) {
    object& shown = limits
                        .emplace_back(object{{"of", ScopeKindName(limit.scope.kind)},
                                             {"scope", limit.scope.id},
                                             {"model", limit.model}})
                        .get_object();
    if (limit.requests_per_minute) shown["requests_per_minute"] = *limit.requests_per_minute;
    if (limit.tokens_per_minute) shown["tokens_per_minute"] = *limit.tokens_per_minute;
    if (limit.concurrent_requests) shown["concurrent_requests"] = *limit.concurrent_requests;
  }
  array& stops = out["stops"].emplace_array();
  for (const auto& [what, reason] : directory->stops) {
    stops.push_back(object{{"kind", what.first}, {"name", what.second}, {"reason", reason}});
  }
  return out;
}

}  // namespace

std::span<const TenantAction> TenantActions() {
  static const TenantAction kActions[] = {
      {"list", {"all that there is", "전체 목록"}, List},
      {"add-organisation", {"NAME [--currency]", "이름 [--currency]"}, AddOrganisation},
      {"add-project",
       {"NAME --organisation [--models]", "이름 --organisation [--models]"},
       AddProject},
      {"add-service-account", {"NAME --project", "이름 --project"}, AddServiceAccount},
      {"add-key",
       {"NAME --project [--role --models --networks --grade --expires-days --hub]",
        "이름 --project [--role --models --networks --grade --expires-days --hub]"},
       AddKey},
      {"add-user",
       {"E-MAIL --project or --organisation [--role --models --networks --grade]",
        "전자우편 --project 또는 --organisation [--role --models --networks --grade]"},
       AddUser},
      {"rotate-key", {"--key [--overlap-hours]", "--key [--overlap-hours]"}, RotateKey},
      {"revoke-key", {"--key", "--key"}, RevokeKey},
      {"archive", {"--organisation or --project", "--organisation 또는 --project"}, Archive},
      {"set-grade",
       {"--organisation or MODEL; --grade [--content-grade]",
        "--organisation 또는 모델; --grade [--content-grade]"},
       SetGrade},
      {"set-class", {"--project --class", "--project --class"}, SetClass},
      {"set-price",
       {"MODEL --input-price --output-price [--cached-price --currency --from]",
        "모델 --input-price --output-price [--cached-price --currency --from]"},
       SetPrice},
      {"set-budget",
       {"--organisation, --project or --key; --amount [--window --soft]",
        "--organisation, --project 또는 --key; --amount [--window --soft]"},
       SetBudget},
      {"remove-budget",
       {"--organisation, --project or --key; [--window]",
        "--organisation, --project 또는 --key; [--window]"},
       RemoveBudget},
      {"set-limit",
       {"[MODEL] --organisation, --project or --key; --requests-per-minute, "
        "--tokens-per-minute, --concurrent-requests",
        "[모델] --organisation, --project 또는 --key; --requests-per-minute, "
        "--tokens-per-minute, --concurrent-requests"},
       SetLimit},
      {"file-customer",
       {"--organisation --file JSON --as-key", "--organisation --file JSON --as-key"},
       FileCustomer},
      {"approve-customer", {"--organisation --as-key", "--organisation --as-key"}, ApproveCustomer},
      {"require-files",
       {"on or off: no key without an approved file", "on 또는 off: 승인된 파일 없이는 키 없음"},
       RequireFiles},
      {"erase",
       {"--organisation [--reason]: content of an archived one in audit logs",
        "--organisation [--reason]: 보관된 조직의 감사 로그 내용"},
       Erase},
      {"purge", {"--older-days: rows of usage", "--older-days: 사용량 기록"}, Purge},
      {"stop",
       {"all, MODEL or --organisation; [--reason]", "all, 모델 또는 --organisation; [--reason]"},
       Stop},
      {"resume", {"as stop", "stop과 같음"}, Resume},
  };
  return kActions;
}

void TenantArguments::AddTo(Settings& settings) {
  store.AddTo(settings);
  constexpr int64_t kMost = int64_t{1} << 62;
  settings.AddPositional("action", &action,
                         {"What to do: see `jikji tenant`", "할 일: `jikji tenant` 참고"});
  settings.AddPositional("name", &name, {"A name, or a model", "이름 또는 모델"});
  settings.Add("organisation", &organisation, {"Id of an organisation", "조직 번호"}, 0, kMost);
  settings.Add("project", &project, {"Id of a project", "프로젝트 번호"}, 0, kMost);
  settings.Add("key", &key, {"Id of a key", "키 번호"}, 0, kMost);
  settings.Add("service-account", &service_account, {"Id of a service account", "서비스 계정 번호"},
               0, kMost);
  settings.Add("role", &role,
               {"member, viewer, administrator or operator",
                "member, viewer, administrator, operator 중 하나"});
  settings.Add(
      "models", &models,
      {"Model that may be used; may be repeated; none: all", "쓸 수 있는 모델. 없으면 전부"});
  settings.Add("networks", &networks,
               {"Network the key may be used from, as 10.0.0.0/8; may be repeated",
                "키를 쓸 수 있는 네트워크(10.0.0.0/8 형식). 여러 번 쓸 수 있음"});
  settings.Add("hub", &hub, {"A key that begins with hf_", "hf_로 시작하는 키"});
  settings.Add("expires-days", &expires_days,
               {"Days until a key ends; 0: never", "키의 유효 일수. 0이면 무기한"}, 0, 36'500);
  settings.Add("overlap-hours", &overlap_hours,
               {"Hours for which the old key goes on", "이전 키를 함께 쓸 수 있는 시간"}, 0, 8'760);
  settings.Add("grade", &grade,
               {"C, S or O: of the data a key carries, or that an organisation or model may have",
                "C, S, O: 키가 다루거나 조직·모델에 허용하는 데이터 등급"});
  settings.Add("content-grade", &content_grade,
               {"Grade of the data that went into a model", "모델 학습에 쓰인 데이터의 등급"});
  settings.Add("class", &service_class,
               {"interactive, standard or batch", "interactive, standard, batch 중 하나"});
  settings.Add("currency", &currency, {"KRW or USD", "KRW 또는 USD"});
  settings.Add("window", &window,
               {"hour, day, week, month (Korean time) or total",
                "hour, day, week, month(한국 시각), total 중 하나"});
  settings.Add("amount", &amount, {"Amount of a budget", "예산 금액"});
  settings.Add("soft", &soft, {"Warn only", "막지 않고 알리기만 함"});
  settings.Add("requests-per-minute", &requests_per_minute, {"-1: no limit", "-1이면 제한 없음"},
               -1, kLargestRate);
  settings.Add("tokens-per-minute", &tokens_per_minute, {"-1: no limit", "-1이면 제한 없음"}, -1,
               kLargestRate);
  settings.Add("concurrent-requests", &concurrent_requests, {"-1: no limit", "-1이면 제한 없음"},
               -1, kLargestRate);
  settings.Add("input-price", &input_price, {"For a million tokens", "백만 토큰당"});
  settings.Add("cached-price", &cached_price,
               {"For a million tokens found in the cache", "캐시에서 찾은 백만 토큰당"});
  settings.Add("output-price", &output_price, {"For a million tokens", "백만 토큰당"});
  settings.Add("from", &from, {"First day, as 2026-11-24", "첫날(2026-11-24 형식)"});
  settings.Add("until", &until, {"Day after the last", "마지막 날의 다음 날"});
  settings.Add("reason", &reason, {"Why", "이유"});
  settings.Add("file", &file, {"File of a customer, JSON", "고객 파일(JSON)"});
  settings.Add("as-key", &as_key, {"Operator's key of who acts", "행위자의 operator 키"},
               /*secret=*/true);
  settings.Add("older-days", &older_days, {"Days", "일수"}, 0, 36'500);
  settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
}

}  // namespace jikji
