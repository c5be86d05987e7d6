// For tests and benchmarks: the reference tokenizers and texts of ../shared/data, by name.
#ifndef JIKJI_TEXT_TESTING_H_
#define JIKJI_TEXT_TESTING_H_

#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "text/scanner.h"
#include "text/tokenizer.h"

namespace jikji::testing {

inline std::filesystem::path SourceDir() { return JIKJI_SOURCE_DIR; }
inline std::filesystem::path TokenizerData() { return SourceDir() / "../shared/data/tokenizers"; }

inline constexpr std::array<const char*, 7> kReferenceNames = {
    "qwen2", "llama3", "mistral", "cl100k", "o200k", "r50k", "jikji-mini-ko"};

// A folder that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "jikji-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

// Qwen2's vocab.json and merges.txt as the tokenizer.json that Hugging Face makes of them.
inline Result<std::string> Qwen2Json() {
  namespace bj = boost::json;
  JIKJI_ASSIGN(bj::value vocabulary,
               ParseJsonFile((TokenizerData() / "qwen2/vocab.json").string()));
  JIKJI_ASSIGN(const std::string text, ReadFile(TokenizerData() / "qwen2/merges.txt"));
  bj::array merges;
  for (std::string_view rest = text; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.empty() && !line.starts_with("#version")) merges.emplace_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  bj::array added;
  int64_t id = 151643;
  for (const char* content : {"<|endoftext|>", "<|im_start|>", "<|im_end|>"}) {
    added.push_back(
        bj::object{{"id", id++}, {"content", content}, {"special", true}, {"normalized", false}});
  }
  bj::object split = {{"type", "Split"}, {"behavior", "Isolated"}, {"invert", false}};
  split["pattern"] = bj::object{{"Regex", kQwen2Pattern}};
  bj::object bytes = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", false}};
  bj::object model = {{"type", "BPE"}};
  model["vocab"] = std::move(vocabulary);
  model["merges"] = std::move(merges);
  bj::object root;
  root["added_tokens"] = std::move(added);
  root["normalizer"] = bj::object{{"type", "NFC"}};
  root["pre_tokenizer"] = bj::object{{"type", "Sequence"}};
  root["pre_tokenizer"].as_object()["pretokenizers"] = bj::array{split, bytes};
  root["decoder"] = bj::object{{"type", "ByteLevel"}};
  root["model"] = std::move(model);
  return bj::serialize(root);
}

inline Result<std::shared_ptr<const Tokenizer>> LoadReference(std::string_view name) {
  const auto data = TokenizerData();
  if (name == "mistral") return LoadTokenizerJson(data / "mistral/tokenizer.json");
  if (name == "jikji-mini-ko") {
    return LoadTokenizerJson(SourceDir() / "models/jikji-mini-ko/tokenizer.json");
  }
  if (name == "qwen2") {
    const TemporaryFolder folder;
    JIKJI_ASSIGN(const std::string json, Qwen2Json());
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(folder.path() / "tokenizer.json", json));
    return LoadTokenizerJson(folder.path() / "tokenizer.json");
  }
  if (name == "llama3") {
    const SpecialToken special[] = {{"<|begin_of_text|>", 128000}, {"<|end_of_text|>", 128001}};
    return LoadTiktoken(data / "llama3/tokenizer.model", "llama3", special);
  }
  return LoadTiktoken(data / ("tiktoken/" + std::string(name) + "_base.tiktoken"), name, {});
}

// The first `limit` bytes of a Korean text (`legal`, `nsmc_reviews`, `ms_docs`), whole lines only.
// Empty where ../shared/data is absent.
inline std::string KoreanText(const std::string& name, size_t limit) {
  const auto path = SourceDir() / "../shared/data/ko-text" / (name + ".txt.zst");
  std::string text;
  if (!std::filesystem::exists(path)) return text;
  FILE* pipe = popen(("zstd -dcq '" + path.string() + "' 2>/dev/null").c_str(), "r");
  if (pipe == nullptr) return text;
  text.resize(limit);
  text.resize(fread(text.data(), 1, limit, pipe));
  pclose(pipe);
  text.resize(text.rfind('\n') == text.npos ? 0 : text.rfind('\n') + 1);
  return text;
}

// Documents to encode one by one: whole lines of together at least 64 KiB.
inline std::vector<std::string_view> Blocks(std::string_view text) {
  std::vector<std::string_view> blocks;
  while (!text.empty()) {
    const size_t end = text.find('\n', std::min<size_t>(text.size() - 1, (64 << 10) - 1));
    const size_t size = end == text.npos ? text.size() : end + 1;
    blocks.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return blocks;
}

inline constexpr std::array<const char*, 3> kCorpora = {"legal", "nsmc_reviews", "ms_docs"};
inline constexpr size_t kSmallCorpus = 2'000'000;
inline constexpr size_t kLargeCorpus = 10'000'000;

// What tests/goldens/tokenizer/big_check.py computes of a corpus.
struct CorpusHash {
  uint64_t tokens = 0;
  std::string hash;
  bool operator==(const CorpusHash&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const CorpusHash& hash) {
  return out << hash.tokens << " tokens, hash " << hash.hash;
}

inline CorpusHash HashCorpus(const Tokenizer& tokenizer, std::string_view text) {
  CorpusHash out;
  uint64_t hash = 0;
  for (const std::string_view block : Blocks(text)) {
    const auto ids = tokenizer.Encode(block, {.parse_special = true});
    for (const TokenId id : ids) {
      hash = hash * 0x9E3779B97F4A7C15ull + static_cast<uint64_t>(id) + 1;
    }
    out.tokens += ids.size();
  }
  char buffer[17];
  std::snprintf(buffer, sizeof buffer, "%016llx", static_cast<unsigned long long>(hash));
  out.hash = buffer;
  return out;
}

inline Result<CorpusHash> ExpectedCorpus(const std::string& tokenizer, const char* corpus,
                                         size_t size) {
  const auto path = SourceDir() / "tests/goldens/tokenizer/corpora.json";
  JIKJI_ASSIGN(const boost::json::value goldens, ParseJsonFile(path.string()));
  boost::system::error_code missing;
  const boost::json::value* entry =
      goldens.find_pointer("/" + tokenizer + "/" + corpus + "/" + std::to_string(size), missing);
  if (entry == nullptr) return Fail(ErrorCode::kNotFound, "no golden for " + tokenizer);
  return CorpusHash{entry->at("tokens").to_number<uint64_t>(),
                    std::string(entry->at("hash").as_string())};
}

}  // namespace jikji::testing

#endif  // JIKJI_TEXT_TESTING_H_
