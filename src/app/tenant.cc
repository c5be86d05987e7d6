// `jikji tenant ACTION`: organisations, projects, keys, prices, budgets, limits, stops and usage.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstring>

#include "app/command.h"
#include "app/commands.h"
#include "app/tenant_actions.h"
#include "govern/ledger/usage.h"
#include "govern/schema.h"

namespace jikji {
namespace {

constexpr size_t kPepperLength = 43;  // 256 bits

// Makes the pepper, unless there is one, readable by its owner only.
Result<> MakePepper(const StoreSettings& settings) {
  if (!settings.pepper.empty()) return {};
  JIKJI_ASSIGN(const std::string path, settings.PepperPath());
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST) return {};
  JIKJI_ASSIGN(const std::string pepper, RandomAlphanumeric(kPepperLength));
  const bool written =
      file >= 0 &&
      write(file, pepper.data(), pepper.size()) == static_cast<ssize_t>(pepper.size()) &&
      fsync(file) == 0;
  const int error = errno;
  if (file >= 0) close(file);
  if (written) return {};
  return Fail(ErrorCode::kIo, fmt::format("cannot make the pepper: {}", std::strerror(error)),
              path);
}

Result<> ExportUsage(const TenantArguments& arguments, Database& database) {
  UsageQuery query;
  query.until = SystemClock().WallSeconds() + 1;
  if (!arguments.from.empty()) {
    JIKJI_ASSIGN(query.from, ParseDay(arguments.from));
  }
  if (!arguments.until.empty()) {
    JIKJI_ASSIGN(query.until, ParseDay(arguments.until));
  }
  if (query.from >= query.until) {
    return Fail(
        ErrorCode::kInvalidArgument,
        std::string(Say("--until is the first day that is not told of: it must be after --from",
                        "--until은 포함되지 않는 첫 날이므로 --from보다 뒤여야 합니다")));
  }
  query.organisation = arguments.organisation;
  query.project = arguments.project;
  if (!arguments.json) fmt::print("{}", UsageCsvHead());
  return ReadUsage(database, query, [&](const UsageRow& row) {
    if (!arguments.json) return fmt::print("{}", UsageCsvLine(row));
    const boost::json::object line = {{"minute", FormatTime(row.minute)},
                                      {"organisation", row.organisation},
                                      {"project", row.project},
                                      {"key", row.key},
                                      {"model", row.model},
                                      {"currency", row.currency},
                                      {"input_price", FormatMoney(row.prices.input)},
                                      {"cached_price", FormatMoney(row.prices.cached)},
                                      {"output_price", FormatMoney(row.prices.output)},
                                      {"requests", row.requests},
                                      {"input_tokens", row.tokens.input},
                                      {"cached_tokens", row.tokens.cached},
                                      {"output_tokens", row.tokens.output},
                                      {"cost", FormatMoney(row.cost)}};
    fmt::print("{}\n", boost::json::serialize(line));
  });
}

std::string Plain(const boost::json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : boost::json::serialize(value);
}

// A line for each field; of a list, a line for each entry.
void PrintPlain(const boost::json::object& result) {
  for (const auto& [key, value] : result) {
    if (!value.is_array()) {
      fmt::print("{}: {}\n", std::string_view(key), Plain(value));
      continue;
    }
    fmt::print("{}\n", std::string_view(key));
    for (const auto& entry : value.get_array()) {
      std::string line;
      for (const auto& [name, field] : entry.get_object()) {
        line += fmt::format("  {} {}", std::string_view(name), Plain(field));
      }
      fmt::print("{}\n", line);
    }
  }
}

std::unexpected<Error> UnknownAction(const std::string& action) {
  std::string all;
  for (const TenantAction& known : TenantActions()) {
    all += fmt::format("\n  {:20} {}", known.name, Say(known.help.english, known.help.korean));
  }
  return Fail(
      ErrorCode::kInvalidArgument,
      fmt::format("{}\n  {:20} {}{}\n  {:20} {}",
                  action.empty() ? std::string(Say("say what to do:", "할 일을 적어 주세요:"))
                                 : fmt::format(fmt::runtime(Say("there is no action `{}`:",
                                                                "`{}`라는 동작은 없습니다:")),
                                               action),
                  "init", Say("make the store and its pepper", "저장소와 비밀값을 만듦"), all,
                  "usage",
                  Say("CSV of what was used [--from --until --organisation --project]",
                      "사용량 CSV [--from --until --organisation --project]")));
}

Result<> Tenant(TenantArguments& arguments) {
  const TenantAction* action = nullptr;
  for (const TenantAction& known : TenantActions()) {
    if (arguments.action == known.name) action = &known;
  }
  const bool init = arguments.action == "init", usage = arguments.action == "usage";
  if (action == nullptr && !init && !usage) return UnknownAction(arguments.action);
  if (arguments.store.store.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "say where the store is: --store sqlite:PATH");
  }
  if (init) JIKJI_RETURN_IF_ERROR(MakePepper(arguments.store));
  JIKJI_ASSIGN(std::string pepper, arguments.store.ReadPepper());
  JIKJI_ASSIGN(const KeyHasher hasher, KeyHasher::Create(std::move(pepper)));
  JIKJI_ASSIGN(const auto database, Database::Open(arguments.store.store));
  JIKJI_RETURN_IF_ERROR(MigrateGovernance(*database));
  Administration administration(*database, hasher, SystemClock(), ActorHere());
  JIKJI_RETURN_IF_ERROR(administration.CheckPepper());
  if (usage) return ExportUsage(arguments, *database);
  boost::json::object result{{"ready", true}};
  if (action != nullptr) {
    JIKJI_ASSIGN(result, action->run(arguments, *database, administration));
  }
  if (arguments.json) {
    fmt::print("{}\n", boost::json::serialize(result));
  } else {
    PrintPlain(result);
  }
  return {};
}

}  // namespace

void AddTenantCommand(Program& program) {
  program.Add("tenant",
              Say("Manage organisations, projects, keys, prices, budgets and usage",
                  "조직, 프로젝트, 키, 가격, 예산, 사용량을 관리합니다"),
              &Tenant);
}

}  // namespace jikji
