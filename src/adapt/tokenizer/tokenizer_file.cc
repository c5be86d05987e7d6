#include "adapt/tokenizer/tokenizer_file.h"

#include <fmt/format.h>

#include <utility>

#include "base/file.h"
#include "base/json.h"
#include "text/byte_level.h"
#include "text/tokenizer_json.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

json::object ByteLevelStage(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", false},
          {"use_regex", use_regex}};
}

json::object Splitting(std::string_view pattern) {
  if (pattern == kGpt2Pattern) return ByteLevelStage(true);
  return {{"type", "Sequence"},
          {"pretokenizers", json::array{json::object{{"type", "Split"},
                                                     {"pattern", {{"Regex", pattern}}},
                                                     {"behavior", "Isolated"},
                                                     {"invert", false}},
                                        ByteLevelStage(false)}}};
}

json::object AddedToken(int64_t id, std::string_view content) {
  return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
          {"rstrip", false}, {"normalized", false}, {"special", true}};
}

Result<json::object> ReadObject(const fs::path& path) {
  JIKJI_ASSIGN(json::value value, ParseJsonFile(path.string()));
  if (!value.is_object()) return Fail(ErrorCode::kMalformed, "must be an object", path.string());
  return std::move(value.get_object());
}

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// vocab.json, merges.txt and the added tokens of tokenizer_config.json, as one document.
Result<json::object> JoinFiles(const fs::path& folder) {
  JIKJI_ASSIGN(json::object vocabulary, ReadObject(folder / "vocab.json"));
  JIKJI_ASSIGN(const std::string text, ReadFile(folder / "merges.txt"));
  JIKJI_ASSIGN(const json::object config, ReadObject(folder / "tokenizer_config.json"));
  json::array merges;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) merges.emplace_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  json::array added;
  JIKJI_ASSIGN(const json::object* listed, OptionalObject(config, "added_tokens_decoder"));
  if (listed != nullptr) {
    for (const auto& [id, token] : *listed) {
      if (!token.is_object()) continue;
      json::object entry = token.get_object();
      int64_t number = 0;
      for (const char digit : id) number = number * 10 + (digit - '0');
      entry["id"] = number;
      added.push_back(std::move(entry));
    }
  }
  JIKJI_ASSIGN(const auto kind, OptionalString(config, "tokenizer_class"));
  const bool qwen = kind && kind->starts_with("Qwen");
  json::object root;
  root["version"] = "1.0";
  root["truncation"] = nullptr;
  root["padding"] = nullptr;
  root["added_tokens"] = std::move(added);
  root["normalizer"] = qwen ? json::value{{"type", "NFC"}} : json::value(nullptr);
  root["pre_tokenizer"] = Splitting(qwen ? kQwen2Pattern : kGpt2Pattern);
  root["post_processor"] = ByteLevelStage(false);
  root["decoder"] = ByteLevelStage(false);
  root["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", ""},
                   {"end_of_word_suffix", ""},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", false},
                   {"vocab", std::move(vocabulary)},
                   {"merges", std::move(merges)}};
  return root;
}

// The pattern of the stages; empty where they are others than a pattern and byte level.
std::string PatternOf(const json::object& root) {
  const json::value* pre = root.if_contains("pre_tokenizer");
  if (pre == nullptr || !pre->is_object()) return "";
  json::array stages;
  if (const json::value* list = pre->get_object().if_contains("pretokenizers")) {
    if (list->is_array()) stages = list->get_array();
  } else {
    stages.push_back(*pre);
  }
  std::string pattern;
  bool byte_level = false;
  for (const json::value& stage : stages) {
    const json::object* object = stage.if_object();
    const json::value* type = object == nullptr ? nullptr : object->if_contains("type");
    if (type == nullptr || !type->is_string()) return "";
    if (type->get_string() == "ByteLevel") {
      byte_level = true;
      const json::value* regex = object->if_contains("use_regex");
      if (regex == nullptr || *regex == true) pattern = kGpt2Pattern;
    } else if (type->get_string() == "Split") {
      const json::value* spelled = object->if_contains("pattern");
      const json::object* inner = spelled == nullptr ? nullptr : spelled->if_object();
      const json::value* regex = inner == nullptr ? nullptr : inner->if_contains("Regex");
      if (regex == nullptr || !regex->is_string()) return "";
      pattern = regex->get_string();
    } else {
      return "";
    }
  }
  return byte_level ? pattern : "";
}

}  // namespace

Result<TokenizerFile> TokenizerFile::Open(const fs::path& path) {
  TokenizerFile out;
  std::error_code ignored;
  if (path.extension() == ".gguf") {
    return Fail(ErrorCode::kInvalidArgument,
                "is a GGUF file: `jikji adapt convert` makes the folder that is needed here",
                path.string());
  }
  const bool folder = fs::is_directory(path, ignored);
  const fs::path file = folder ? path / "tokenizer.json" : path;
  std::string config;
  if (folder && Exists(path / "tokenizer_config.json")) {
    JIKJI_ASSIGN(config, ReadFile(path / "tokenizer_config.json"));
  }
  if (folder && !Exists(file)) {
    if (!Exists(path / "vocab.json") || !Exists(path / "merges.txt")) {
      return Fail(ErrorCode::kNotFound, "neither tokenizer.json nor vocab.json and merges.txt",
                  path.string());
    }
    JIKJI_ASSIGN(out.root, JoinFiles(path));
  } else {
    JIKJI_ASSIGN(out.root, ReadObject(file));
  }
  out.pattern = PatternOf(out.root);
  const auto rules = FindScanner(out.pattern);
  if (!rules) {
    return Fail(ErrorCode::kUnsupported,
                "is no byte-level BPE tokenizer that cuts text as GPT-2, cl100k (Llama 3), Qwen 2, "
                "o200k or Tekken do",
                file.string());
  }
  out.rules = *rules;
  JIKJI_ASSIGN(out.tokenizer, ParseTokenizerJson(json::serialize(out.root), file.string(), config));
  return out;
}

json::object NewTokenizerJson(std::string_view pattern, std::span<const std::string> special,
                              std::span<const std::string> tokens,
                              std::span<const LearntMerge> merges) {
  json::object root;
  root["version"] = "1.0";
  root["truncation"] = nullptr;
  root["padding"] = nullptr;
  json::array added;
  json::object vocabulary;
  vocabulary.reserve(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i < special.size()) added.push_back(AddedToken(static_cast<int64_t>(i), special[i]));
    vocabulary[i < special.size() ? special[i] : EncodeByteLevel(tokens[i])] = i;
  }
  json::array written;
  written.reserve(merges.size());
  for (const LearntMerge& merge : merges) {
    written.push_back(json::array{EncodeByteLevel(tokens[static_cast<size_t>(merge.left)]),
                                  EncodeByteLevel(tokens[static_cast<size_t>(merge.right)])});
  }
  root["added_tokens"] = std::move(added);
  root["normalizer"] = nullptr;
  root["pre_tokenizer"] = Splitting(pattern);
  root["post_processor"] = nullptr;
  root["decoder"] = ByteLevelStage(true);
  root["model"] = {{"type", "BPE"},
                   {"dropout", nullptr},
                   {"unk_token", nullptr},
                   {"continuing_subword_prefix", nullptr},
                   {"end_of_word_suffix", nullptr},
                   {"fuse_unk", false},
                   {"byte_fallback", false},
                   {"ignore_merges", false},
                   {"vocab", std::move(vocabulary)},
                   {"merges", std::move(written)}};
  return root;
}

Result<> AppendTokens(json::object& root, std::span<const std::string> tokens, size_t first,
                      std::span<const LearntMerge> merges) {
  json::value* model = root.if_contains("model");
  if (model == nullptr || !model->is_object()) {
    return Fail(ErrorCode::kMalformed, "missing", "model");
  }
  json::object& object = model->get_object();
  json::object& vocabulary = object["vocab"].as_object();
  json::array& written = object["merges"].as_array();
  if (const json::value* added = root.if_contains("added_tokens"); added != nullptr) {
    for (const json::value& token : added->as_array()) {
      vocabulary.emplace(token.at("content").as_string(), token.at("id"));
    }
  }
  for (size_t i = first; i < tokens.size(); ++i) vocabulary[EncodeByteLevel(tokens[i])] = i;
  // As the file writes them already: "a b" or ["a", "b"].
  const bool texts = written.empty() || written[0].is_string();
  for (const LearntMerge& merge : merges) {
    const std::string left = EncodeByteLevel(tokens[static_cast<size_t>(merge.left)]);
    const std::string right = EncodeByteLevel(tokens[static_cast<size_t>(merge.right)]);
    written.push_back(texts ? json::value(left + " " + right)
                            : json::value(json::array{left, right}));
  }
  return {};
}

}  // namespace jikji
