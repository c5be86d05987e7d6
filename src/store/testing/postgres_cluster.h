// For tests: a PostgreSQL server of this test program's own, in a temporary folder, on a UNIX
// socket only.
#ifndef JIKJI_STORE_TESTING_POSTGRES_CLUSTER_H_
#define JIKJI_STORE_TESTING_POSTGRES_CLUSTER_H_

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"

namespace jikji {

class PostgresCluster {
 public:
  // The newest version that is installed; an error where none is, or none starts.
  static Result<std::unique_ptr<PostgresCluster>> Start() {
    std::string programs;
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator("/usr/lib/postgresql", ignored)) {
      const auto folder = entry.path() / "bin";
      if (std::filesystem::exists(folder / "initdb"))
        programs = std::max(programs, folder.string());
    }
    if (programs.empty()) return Fail(ErrorCode::kNotFound, "PostgreSQL is not installed");
    std::string folder = std::filesystem::temp_directory_path() / "jikji_postgres_XXXXXX";
    if (mkdtemp(folder.data()) == nullptr) return Fail(ErrorCode::kIo, "no temporary folder");
    std::unique_ptr<PostgresCluster> cluster(new PostgresCluster(programs, folder));
    // PostgreSQL refuses to run as root.
    if (geteuid() == 0 && std::system(("chown postgres " + folder).c_str()) != 0) {
      return Fail(ErrorCode::kNotFound, "there is no user `postgres` to run it as");
    }
    if (!cluster->RunProgram("initdb", "-U jikji -A trust -E UTF8 --locale=C --no-sync") ||
        !cluster->StartServer()) {
      return Fail(ErrorCode::kIo, "PostgreSQL does not start here");
    }
    return cluster;
  }

  ~PostgresCluster() {
    StopServer("immediate");
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
  PostgresCluster(const PostgresCluster&) = delete;
  PostgresCluster& operator=(const PostgresCluster&) = delete;

  bool StartServer() {
    return RunProgram("pg_ctl", fmt::format("-w -t 60 -l {0}/log -o \"-k {0} -c listen_addresses= "
                                            "-c fsync=off -c max_connections=40\" start",
                                            folder_));
  }
  // "fast", or "immediate": as if it was killed.
  bool StopServer(const std::string& mode) {
    return RunProgram("pg_ctl", "-w -m " + mode + " stop");
  }

  // Makes an empty database; its URL.
  std::string NewDatabase() {
    const std::string name = "t" + std::to_string(++databases_);
    return RunSql("CREATE DATABASE " + name) ? Url(name) : "";
  }
  // The same with its tables in `folder`, which is empty and which the server may reach.
  std::string NewDatabaseIn(const std::string& folder) {
    const std::string name = "t" + std::to_string(++databases_);
    if (geteuid() == 0 && std::system(("chown postgres " + folder).c_str()) != 0) return "";
    const bool made = RunSql(fmt::format("CREATE TABLESPACE {} LOCATION '{}'", name, folder)) &&
                      RunSql(fmt::format("CREATE DATABASE {0} TABLESPACE {0}", name));
    return made ? Url(name) : "";
  }
  // Of NewDatabaseIn, the last that was made; nobody is connected to it.
  bool DropDatabaseIn() {
    const std::string name = "t" + std::to_string(databases_);
    return RunSql("DROP DATABASE " + name) && RunSql("DROP TABLESPACE " + name);
  }
  std::string Url(const std::string& name) const {
    return fmt::format("postgres:///{}?host={}&user=jikji", name, folder_);
  }

 private:
  PostgresCluster(std::string programs, std::string folder)
      : programs_(std::move(programs)), folder_(std::move(folder)) {}

  bool RunSql(const std::string& statement) const {
    return std::system(fmt::format("{}/psql -q -h {} -U jikji -d postgres -c \"{}\"", programs_,
                                   folder_, statement)
                           .c_str()) == 0;
  }
  bool RunProgram(const std::string& name, const std::string& arguments) const {
    return std::system(fmt::format("cd / && {}{}/{} -D {}/data {} >> {}/out 2>&1",
                                   geteuid() == 0 ? "runuser -u postgres -- " : "", programs_, name,
                                   folder_, arguments, folder_)
                           .c_str()) == 0;
  }

  const std::string programs_;
  const std::string folder_;
  int databases_ = 0;
};

}  // namespace jikji

#endif  // JIKJI_STORE_TESTING_POSTGRES_CLUSTER_H_
