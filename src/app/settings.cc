#include "app/settings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <sstream>

#include "base/file.h"
#include "base/toml.h"

namespace jikji {
namespace {

// A configuration is written by hand: more than this is a mistake.
constexpr uint64_t kMaxConfigBytes = 1 << 20;

// What is printed instead of a secret.
constexpr std::string_view kHidden = "***";

std::string Replaced(std::string text, char from, char to) {
  std::replace(text.begin(), text.end(), from, to);
  return text;
}

std::string TomlKey(const std::string& name) { return Replaced(name, '-', '_'); }

std::string EnvironmentName(const std::string& name) {
  std::string upper = "JIKJI_" + TomlKey(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

template <class T>
Result<T> ParseNumber(const std::string& text, T least, T most) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= least) ||
      !(value <= most)) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` is not a number from {} to {}", text, least, most));
  }
  return value;
}

Result<bool> ParseBool(const std::string& text) {
  if (text == "true" || text == "1" || text == "yes" || text == "on") return true;
  if (text == "false" || text == "0" || text == "no" || text == "off") return false;
  return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` is neither true nor false", text));
}

std::vector<std::string> SplitCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

// A TOML scalar as the text that the same flag would take; nullopt for tables, dates and the like.
std::optional<std::string> ScalarText(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return fmt::format("{}", number->get());
  if (const auto* number = node.as_floating_point()) return fmt::format("{}", number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  return std::nullopt;
}

std::string QuoteToml(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

Result<uint64_t> ParseBytes(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  double scale = 0;
  if (unit.empty() || unit == "B") scale = 1;
  if (unit == "K" || unit == "KiB") scale = 1024.0;
  if (unit == "M" || unit == "MiB") scale = 1024.0 * 1024.0;
  if (unit == "G" || unit == "GiB") scale = 1024.0 * 1024.0 * 1024.0;
  if (error != std::errc() || scale == 0 || !(number >= 0) || number * scale > 9e18) {
    return Fail(
        ErrorCode::kInvalidArgument,
        fmt::format("`{}` is not a size: write bytes, or a number with KiB, MiB or GiB", text));
  }
  return static_cast<uint64_t>(number * scale);
}

std::string FormatBytes(uint64_t bytes) {
  for (const auto& [shift, unit] : {std::pair{30, "GiB"}, {20, "MiB"}, {10, "KiB"}}) {
    if (bytes != 0 && bytes % (1ull << shift) == 0)
      return fmt::format("{}{}", bytes >> shift, unit);
  }
  return fmt::format("{}", bytes);
}

Settings::Setting& Settings::Append(std::string name, const Bilingual& help, Kind kind) {
  Setting setting;
  setting.name = std::move(name);
  setting.help = Say(help.english, help.korean);
  setting.kind = kind;
  settings_.push_back(std::move(setting));
  return settings_.back();
}

void Settings::Add(std::string name, std::string* target, const Bilingual& help, bool secret) {
  Setting& setting = Append(std::move(name), help, Kind::kText);
  setting.secret = secret;
  setting.assign = [target](const auto& values) -> Result<> {
    *target = values.front();
    return {};
  };
  setting.values = [target] { return std::vector{*target}; };
}

void Settings::AddChoice(std::string name, std::string* target, const Bilingual& help,
                         std::vector<std::string> choices) {
  std::vector<std::string> named;
  std::ranges::copy_if(choices, std::back_inserter(named),
                       [](const auto& c) { return !c.empty(); });
  Setting& setting = Append(std::move(name), help, Kind::kText);
  setting.help += fmt::format(" ({})", fmt::join(named, ", "));
  setting.assign = [target, choices = std::move(choices)](const auto& values) -> Result<> {
    if (std::find(choices.begin(), choices.end(), values.front()) == choices.end()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("`{}` is none of {}", values.front(), fmt::join(choices, ", ")));
    }
    *target = values.front();
    return {};
  };
  setting.values = [target] { return std::vector{*target}; };
}

void Settings::Add(std::string name, std::vector<std::string>* target, const Bilingual& help,
                   bool secret) {
  Setting& setting = Append(std::move(name), help, Kind::kList);
  setting.secret = secret;
  setting.assign = [target](const auto& values) -> Result<> {
    *target = values;
    return {};
  };
  setting.values = [target] { return *target; };
}

void Settings::Add(std::string name, bool* target, const Bilingual& help) {
  Setting& setting = Append(std::move(name), help, Kind::kBool);
  setting.assign = [target](const auto& values) -> Result<> {
    JIKJI_ASSIGN(*target, ParseBool(values.front()));
    return {};
  };
  setting.values = [target] { return std::vector<std::string>{*target ? "true" : "false"}; };
}

void Settings::Add(std::string name, int64_t* target, const Bilingual& help, int64_t least,
                   int64_t most) {
  Setting& setting = Append(std::move(name), help, Kind::kInteger);
  setting.assign = [target, least, most](const auto& values) -> Result<> {
    JIKJI_ASSIGN(*target, ParseNumber<int64_t>(values.front(), least, most));
    return {};
  };
  setting.values = [target] { return std::vector{fmt::format("{}", *target)}; };
}

void Settings::Add(std::string name, double* target, const Bilingual& help, double least,
                   double most) {
  Setting& setting = Append(std::move(name), help, Kind::kNumber);
  setting.assign = [target, least, most](const auto& values) -> Result<> {
    JIKJI_ASSIGN(*target, ParseNumber<double>(values.front(), least, most));
    return {};
  };
  setting.values = [target] { return std::vector{fmt::format("{}", *target)}; };
}

void Settings::AddBytes(std::string name, uint64_t* target, const Bilingual& help) {
  Setting& setting = Append(std::move(name), help, Kind::kBytes);
  setting.assign = [target](const auto& values) -> Result<> {
    JIKJI_ASSIGN(*target, ParseBytes(values.front()));
    return {};
  };
  setting.values = [target] { return std::vector{FormatBytes(*target)}; };
}

void Settings::AddPositional(std::string name, std::string* target, const Bilingual& help) {
  positionals_.push_back({std::move(name), std::string(Say(help.english, help.korean)), target});
}

void Settings::AddFlags(CLI::App& command) {
  for (const Positional& positional : positionals_) {
    command.add_option(positional.name, *positional.target, positional.help);
  }
  command.add_option("--config", config_path_, "TOML file of settings (also JIKJI_CONFIG)");
  for (Setting& setting : settings_) {
    CLI::Option* option =
        setting.kind == Kind::kBool
            ? command.add_flag(
                  "--" + setting.name + ",!--no-" + setting.name,
                  [&setting](int64_t count) { setting.flag = {count > 0 ? "true" : "false"}; },
                  setting.help)
            : command.add_option("--" + setting.name, setting.flag, setting.help);
    if (setting.kind == Kind::kBool) continue;
    option->type_name(setting.kind == Kind::kInteger  ? "N"
                      : setting.kind == Kind::kNumber ? "X"
                      : setting.kind == Kind::kBytes  ? "BYTES"
                                                      : "TEXT");
    // One value a flag, so that what follows is the command's own argument.
    option->allow_extra_args(false);
    if (const auto values = setting.values();
        !setting.secret && !values.empty() && !values.front().empty()) {
      option->default_str(fmt::format("{}", fmt::join(values, ",")));
    }
  }
}

Result<> Settings::Assign(Setting& setting, const std::vector<std::string>& values,
                          std::string source) {
  if (setting.secret && std::find(values.begin(), values.end(), kHidden) != values.end()) {
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("`{}` holds {}, which --check prints instead of a secret: write the "
                            "secret itself",
                            setting.name, kHidden),
                source);
  }
  if (auto assigned = setting.assign(values); !assigned) {
    return Fail(assigned.error().code,
                fmt::format("{} (setting `{}`)", assigned.error().message, setting.name), source);
  }
  setting.source = std::move(source);
  return {};
}

Result<> Settings::ReadToml(const std::string& path) {
  JIKJI_ASSIGN(const std::string text, ReadFile(path, kMaxConfigBytes));
  JIKJI_ASSIGN(const toml::table root, ParseToml(text, path));
  for (const auto& [key, node] : root) {
    const std::string where = fmt::format("{}:{}", path, node.source().begin.line);
    const auto setting = std::find_if(settings_.begin(), settings_.end(), [&](const Setting& s) {
      return TomlKey(s.name) == TomlKey(std::string(key.str()));
    });
    if (setting == settings_.end()) {
      return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("there is no setting `{}`; `jikji serve --check` prints them all", key.str()),
          where);
    }
    std::vector<std::string> values;
    if (const auto* array = node.as_array(); array != nullptr && setting->kind == Kind::kList) {
      for (const auto& item : *array) {
        const auto value = ScalarText(item);
        if (!value) return Fail(ErrorCode::kInvalidArgument, "must be a list of texts", where);
        values.push_back(*value);
      }
    } else if (const auto value = ScalarText(node)) {
      values = {*value};
    } else {
      return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` must be a plain value", key.str()),
                  where);
    }
    JIKJI_RETURN_IF_ERROR(Assign(*setting, values, where));
  }
  return {};
}

Result<> Settings::Resolve(const Environment& environment) {
  if (config_path_.empty()) {
    if (const char* path = environment("JIKJI_CONFIG")) config_path_ = path;
  }
  if (!config_path_.empty()) JIKJI_RETURN_IF_ERROR(ReadToml(config_path_));
  for (Setting& setting : settings_) {
    const std::string name = EnvironmentName(setting.name);
    if (const char* value = environment(name.c_str())) {
      const auto values =
          setting.kind == Kind::kList ? SplitCommas(value) : std::vector<std::string>{value};
      JIKJI_RETURN_IF_ERROR(Assign(setting, values, name));
    }
    if (!setting.flag.empty()) {
      // A flag given twice: the last one counts.
      const auto values =
          setting.kind == Kind::kList ? setting.flag : std::vector{setting.flag.back()};
      JIKJI_RETURN_IF_ERROR(Assign(setting, values, "--" + setting.name));
    }
  }
  return {};
}

std::string Settings::ShownValue(const Setting& setting) {
  std::vector<std::string> shown;
  for (const std::string& value : setting.values()) {
    const bool quoted =
        setting.kind == Kind::kText || setting.kind == Kind::kList || setting.kind == Kind::kBytes;
    shown.push_back(setting.secret && !value.empty() ? QuoteToml(kHidden)
                    : quoted                         ? QuoteToml(value)
                                                     : value);
  }
  return setting.kind == Kind::kList ? fmt::format("[{}]", fmt::join(shown, ", ")) : shown.front();
}

std::string Settings::ToToml() const {
  std::string out;
  for (const Setting& setting : settings_) {
    out += fmt::format("# {} (from {})\n{} = {}\n", setting.help, setting.source,
                       TomlKey(setting.name), ShownValue(setting));
  }
  return out;
}

std::string Settings::Values() const {
  std::string out;
  for (const Setting& setting : settings_) {
    out += fmt::format("{} = {}\n", setting.name, ShownValue(setting));
  }
  return out;
}

}  // namespace jikji
