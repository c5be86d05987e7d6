// The settings of a command: one list gives the flags, the environment, the TOML file and the
// printed whole.
//
// A setting named `max-connections` is the flag --max-connections, the variable
// JIKJI_MAX_CONNECTIONS and the TOML key `max_connections`. A flag overrides the environment, which
// overrides the file, which overrides the default. A key in the file that no setting has is an
// error. Non-goals: reloading, tables within the file.
#ifndef JIKJI_APP_SETTINGS_H_
#define JIKJI_APP_SETTINGS_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "app/console.h"
#include "base/error.h"

namespace CLI {
class App;
}

namespace jikji {

class Settings {
 public:
  // `target` holds the default and must outlive this. `secret` values are printed as "***".
  void Add(std::string name, std::string* target, const Bilingual& help, bool secret = false);
  void Add(std::string name, std::vector<std::string>* target, const Bilingual& help,
           bool secret = false);
  // One of `choices`.
  void AddChoice(std::string name, std::string* target, const Bilingual& help,
                 std::vector<std::string> choices);
  void Add(std::string name, bool* target, const Bilingual& help);
  void Add(std::string name, int64_t* target, const Bilingual& help, int64_t least, int64_t most);
  void Add(std::string name, double* target, const Bilingual& help, double least, double most);
  // A size in bytes: a number with an optional KiB, MiB, GiB (K, M, G are the same).
  void AddBytes(std::string name, uint64_t* target, const Bilingual& help);

  // An argument without a flag, which may be left out: no variable, no key in the file.
  void AddPositional(std::string name, std::string* target, const Bilingual& help);

  // Makes the flags, and --config FILE.
  void AddFlags(CLI::App& command);

  using Environment = std::function<const char*(const char* name)>;
  // After the flags were parsed: file, then environment, then flags.
  Result<> Resolve(const Environment& environment);

  // The effective settings as a TOML file, each with its help and where its value came from.
  std::string ToToml() const;

  // "name = value", a line each, without help or where they came from: to compare two runs by.
  std::string Values() const;

 private:
  enum class Kind { kText, kList, kBool, kInteger, kNumber, kBytes };
  struct Setting {
    std::string name;
    std::string help;
    Kind kind = Kind::kText;
    bool secret = false;
    std::function<Result<>(const std::vector<std::string>&)> assign;
    std::function<std::vector<std::string>()> values;
    std::vector<std::string> flag;  // as given on the command line
    std::string source = "default";
  };
  Setting& Append(std::string name, const Bilingual& help, Kind kind);
  Result<> ReadToml(const std::string& path);
  static std::string ShownValue(const Setting& setting);
  static Result<> Assign(Setting& setting, const std::vector<std::string>& values,
                         std::string source);

  struct Positional {
    std::string name;
    std::string help;
    std::string* target;
  };

  std::vector<Setting> settings_;
  std::vector<Positional> positionals_;
  std::string config_path_;
};

// "512", "64KiB", "1.5 GiB" to bytes.
Result<uint64_t> ParseBytes(std::string_view text);
// The largest of GiB, MiB, KiB that loses nothing.
std::string FormatBytes(uint64_t bytes);

}  // namespace jikji

#endif  // JIKJI_APP_SETTINGS_H_
