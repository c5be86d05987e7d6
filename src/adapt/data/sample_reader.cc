#include "adapt/data/sample_reader.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <utility>

#include "base/json.h"
#include "base/line_reader.h"
#include "base/utf8.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// A list is in memory as text and as values.
constexpr size_t kMaxListBytes = 1ull << 30;

Result<json::value> Parse(std::string_view text) {
  if (!IsValidUtf8(text)) return Fail(ErrorCode::kMalformed, "not UTF-8");
  auto value = ParseJson(text);
  if (!value) return Fail(ErrorCode::kMalformed, "not JSON");
  return value;
}

Result<> ForEachOfList(LineReader& lines, const fs::path& file,
                       const std::function<void(Result<json::value>, const std::string&)>& visit) {
  std::string text;
  while (true) {
    JIKJI_ASSIGN(const auto line, lines.Next());
    if (!line) break;
    if (text.size() + line->size() > kMaxListBytes) {
      return Fail(ErrorCode::kResourceExhausted,
                  "a list of over 1 GiB: make it a .jsonl file, which is read line by line",
                  file.string());
    }
    text.append(*line).push_back('\n');
  }
  auto parsed = ParseJson(text, file.string());
  if (!parsed) {
    Error error = std::move(parsed).error();
    error.message += "; a .json file is one list: with a sample a line its name must end in .jsonl";
    return std::unexpected(std::move(error));
  }
  json::value list = std::move(*parsed);
  if (!list.is_array()) {
    return Fail(ErrorCode::kMalformed, "a .json file of samples must be a list", file.string());
  }
  int64_t number = 0;
  for (json::value& sample : list.get_array()) {
    visit(std::move(sample), fmt::format("{}#{}", file.string(), ++number));
  }
  return {};
}

}  // namespace

std::string DataExtension(const fs::path& file) {
  const fs::path name = file.extension() == ".zst" ? file.stem() : file;
  return name.extension().string();
}

Result<> ForEachSample(const fs::path& file,
                       const std::function<void(Result<json::value>, const std::string&)>& visit) {
  JIKJI_ASSIGN(LineReader lines, LineReader::Open(file));
  if (DataExtension(file) == ".json") return ForEachOfList(lines, file, visit);
  while (true) {
    JIKJI_ASSIGN(const auto line, lines.Next());
    if (!line) return {};
    if (line->find_first_not_of(" \t") == std::string_view::npos) continue;
    visit(Parse(*line), fmt::format("{}:{}", file.string(), lines.line()));
  }
}

}  // namespace jikji
