#include "app/store_settings.h"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include "base/file.h"

namespace jikji {
namespace {

constexpr std::string_view kSqlite = "sqlite:";
constexpr uint64_t kMaxPepperBytes = 4096;

}  // namespace

void StoreSettings::AddTo(Settings& settings) {
  settings.Add(
      "store", &store,
      {"Tenants, keys and budgets: sqlite:PATH or postgres://USER@HOST/DATABASE; empty: none",
       "조직, 키, 예산을 두는 곳: sqlite:경로 또는 postgres://사용자@호스트/DB. 비우면 없음"},
      /*secret=*/true);
  settings.Add("pepper", &pepper,
               {"Secret under which keys are stored, at least 32 characters",
                "키를 저장할 때 쓰는 비밀값. 32자 이상"},
               /*secret=*/true);
  settings.Add("pepper-file", &pepper_file,
               {"File that holds it; beside an SQLite store where neither is given",
                "그 비밀값이 든 파일. 둘 다 없으면 SQLite 파일 옆"});
  settings.Add("journal", &journal,
               {"Folder of the usage journal; beside an SQLite store where it is not given",
                "사용량 저널 폴더. 없으면 SQLite 파일 옆"});
  settings.Add("audit", &audit,
               {"Folder of the audit log; beside the store or the journal where it is not given; "
                "off: none",
                "감사 로그 폴더. 없으면 저장소나 저널 옆. off이면 남기지 않음"});
}

Result<std::string> StoreSettings::BesideStore(const std::string& given, const char* ending,
                                               const char* setting) const {
  if (!given.empty()) return given;
  if (store.starts_with(kSqlite)) return store.substr(kSqlite.size()) + ending;
  if (!store.starts_with("postgres")) {
    return Fail(ErrorCode::kInvalidArgument, "a store is sqlite:PATH or postgres://USER@HOST/NAME",
                "--store");
  }
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format("with PostgreSQL, say where it is: --{} PATH", setting));
}

Result<std::string> StoreSettings::PepperPath() const {
  return BesideStore(pepper_file, ".pepper", "pepper-file");
}

Result<std::string> StoreSettings::JournalPath() const {
  return BesideStore(journal, ".journal", "journal");
}

Result<std::string> StoreSettings::AuditPath() const {
  if (audit == "off") return std::string();
  if (!audit.empty()) return audit;
  if (store.starts_with(kSqlite)) return store.substr(kSqlite.size()) + ".audit";
  JIKJI_ASSIGN(const std::string path, JournalPath());
  return path + ".audit";
}

std::string ActorHere() {
  const passwd* user = getpwuid(getuid());
  return user == nullptr ? fmt::format("uid:{}", getuid()) : fmt::format("user:{}", user->pw_name);
}

Result<std::string> StoreSettings::ReadPepper() const {
  if (!pepper.empty()) return pepper;
  JIKJI_ASSIGN(const std::string path, PepperPath());
  auto content = ReadFile(path, kMaxPepperBytes);
  if (!content) {
    return Fail(content.error().code,
                "the pepper of the API keys cannot be read; `jikji tenant init` makes one: " +
                    content.error().message,
                path);
  }
  while (content->ends_with('\n') || content->ends_with('\r')) content->pop_back();
  return content;
}

}  // namespace jikji
