// tokenizer.json to GGUF's keys.
#include <fmt/format.h>

#include <string>
#include <unordered_map>
#include <utility>

#include "adapt/convert/pre_tokenizers.h"
#include "adapt/convert/same_tokens.h"
#include "adapt/convert/vocabulary.h"
#include "base/json.h"
#include "text/scanner.h"
#include "text/token_model.h"

namespace jikji {
namespace {

namespace json = boost::json;

// `tokenizer.ggml.token_type`.
constexpr int64_t kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6;

// The stages of a pre-tokenizer or decoder, a sequence or a single one.
std::vector<const json::object*> Stages(const json::object& root, std::string_view key,
                                        std::string_view list) {
  std::vector<const json::object*> stages;
  const json::value* value = root.if_contains(key);
  if (value == nullptr || !value->is_object()) return stages;
  const json::value* inner = value->get_object().if_contains(list);
  if (inner == nullptr || !inner->is_array()) return {&value->get_object()};
  for (const json::value& stage : inner->get_array()) {
    if (stage.is_object()) stages.push_back(&stage.get_object());
  }
  return stages;
}

std::string TextOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : "";
}

bool FlagOf(const json::object& object, std::string_view key, bool absent) {
  const json::value* value = object.if_contains(key);
  return value != nullptr && value->is_bool() ? value->get_bool() : absent;
}

// The one pattern of a byte-level pre-tokenizer; empty where it has another form.
std::string PatternOf(const json::object& root) {
  std::string pattern;
  for (const json::object* stage : Stages(root, "pre_tokenizer", "pretokenizers")) {
    const std::string type = TextOf(*stage, "type");
    if (type == "Split") {
      const json::value* spelled = stage->if_contains("pattern");
      if (!pattern.empty() || spelled == nullptr || !spelled->is_object()) return "";
      pattern = TextOf(spelled->get_object(), "Regex");
      if (pattern.empty()) return "";
    } else if (type == "ByteLevel") {
      if (FlagOf(*stage, "use_regex", true)) {
        if (!pattern.empty()) return "";
        pattern = kGpt2Pattern;
      }
    } else {
      return "";
    }
  }
  return pattern;
}

bool IsByteLevel(const json::object& root) {
  for (const json::object* stage : Stages(root, "pre_tokenizer", "pretokenizers")) {
    if (TextOf(*stage, "type") == "ByteLevel") return true;
  }
  for (const json::object* stage : Stages(root, "decoder", "decoders")) {
    if (TextOf(*stage, "type") == "ByteLevel") return true;
  }
  return false;
}

class Converter {
 public:
  Converter(const json::object& root, const Tokenizer& original, int64_t rows)
      : root_(root), original_(original), rows_(rows) {}

  Result<GgufVocabulary> Run() {
    JIKJI_ASSIGN(model_, OptionalObject(root_, "model"));
    if (model_ == nullptr || TextOf(*model_, "type") == "Unigram") {
      return Fail(ErrorCode::kUnsupported,
                  "the tokenizer is no BPE: GGUF files of such are not read here", "model.type");
    }
    byte_level_ = IsByteLevel(root_);
    JIKJI_RETURN_IF_ERROR(ReadTokens());
    JIKJI_RETURN_IF_ERROR(ReadMerges());
    ReadSpecial();
    return byte_level_ ? ByteLevel() : SentencePiece();
  }

 private:
  Result<> ReadTokens() {
    const auto size = static_cast<size_t>(std::max<int64_t>(rows_, original_.vocab_size()));
    out_.tokens.resize(size);
    out_.token_types.assign(size, kUnused);
    const auto place = [&](const json::value& id) -> Result<size_t> {
      const auto* index = id.if_int64();
      if (index == nullptr || *index < 0 || std::cmp_greater_equal(*index, size)) {
        return Fail(ErrorCode::kMalformed, "a token has no good id", "tokenizer.json");
      }
      return static_cast<size_t>(*index);
    };
    JIKJI_ASSIGN(const json::object* vocabulary, OptionalObject(*model_, "vocab", "model"));
    const std::string unknown = TextOf(*model_, "unk_token");
    if (vocabulary == nullptr) return Fail(ErrorCode::kMalformed, "missing", "model.vocab");
    for (const auto& [text, id] : *vocabulary) {
      JIKJI_ASSIGN(const size_t at, place(id));
      out_.tokens[at] = text;
      out_.token_types[at] = !byte_level_ && ParseByteToken(text) >= 0 ? kByte : kNormal;
      if (!unknown.empty() && text == unknown) {
        out_.token_types[at] = kUnknown;
        out_.unk = static_cast<int64_t>(at);
      }
    }
    JIKJI_ASSIGN(const json::array* added, OptionalArray(root_, "added_tokens"));
    for (size_t i = 0; added != nullptr && i < added->size(); ++i) {
      const json::object* token = (*added)[i].if_object();
      if (token == nullptr || !token->contains("id")) continue;
      JIKJI_ASSIGN(const size_t at, place(token->at("id")));
      out_.tokens[at] = TextOf(*token, "content");
      if (out_.token_types[at] == kUnknown) continue;
      out_.token_types[at] = FlagOf(*token, "special", false) ? kControl : kUserDefined;
    }
    for (size_t i = 0; i < size; ++i) {
      if (out_.token_types[i] == kUnused) out_.tokens[i] = fmt::format("[PAD{}]", i);
    }
    return {};
  }

  Result<> ReadMerges() {
    JIKJI_ASSIGN(const json::array* merges, OptionalArray(*model_, "merges", "model"));
    for (size_t i = 0; merges != nullptr && i < merges->size(); ++i) {
      const json::value& merge = (*merges)[i];
      if (merge.is_string()) {
        out_.merges.emplace_back(merge.get_string());
      } else {
        // The loader of `original` has seen that it is a pair of texts.
        const json::array& pair = merge.as_array();
        out_.merges.push_back(std::string(pair.at(0).as_string()) + " " +
                              std::string(pair.at(1).as_string()));
      }
    }
    return {};
  }

  void ReadSpecial() {
    if (const auto bos = original_.bos()) out_.bos = *bos;
    if (const auto eos = original_.eos()) out_.eos = *eos;
    const auto around = original_.Encode("", {.add_special = true});
    out_.add_bos = !around.empty() && out_.bos == around.front();
    // One token around an empty text that is both is a beginning.
    out_.add_eos = around.size() > (*out_.add_bos ? 1u : 0u) && out_.eos == around.back();
    if (!out_.bos && !around.empty() && !*out_.add_eos) {
      out_.bos = around.front();
      out_.add_bos = true;
    }
  }

  Result<GgufVocabulary> Accept(GgufVocabulary candidate) {
    JIKJI_ASSIGN(const auto loaded, LoadGgufTokenizer(candidate));
    JIKJI_RETURN_IF_ERROR(ExpectSameTokens(original_, *loaded));
    return candidate;
  }

  Result<GgufVocabulary> ByteLevel() {
    out_.model = "gpt2";
    const std::string pattern = PatternOf(root_);
    Result<GgufVocabulary> last =
        Fail(ErrorCode::kUnsupported, "GGUF has no name for the way this tokenizer cuts text",
             "pre_tokenizer");
    for (const PreTokenizer& pre :
         PreTokenizersOf(pattern, FlagOf(*model_, "ignore_merges", false))) {
      out_.pre = pre.name;
      last = Accept(out_);
      if (last) return last;
    }
    return last;
  }

  // SentencePiece's BPE merges by the score of what comes of it: here, by the rank of its merge.
  Result<GgufVocabulary> SentencePiece() {
    out_.model = "llama";
    out_.pre = "default";
    std::unordered_map<std::string, size_t> id_of;
    for (size_t i = 0; i < out_.tokens.size(); ++i) id_of.emplace(out_.tokens[i], i);
    const double lowest = -static_cast<double>(out_.merges.size()) - 1;
    out_.scores.assign(out_.tokens.size(), lowest);
    for (size_t i = 0; i < out_.merges.size(); ++i) {
      std::string joined = out_.merges[i];
      if (const size_t space = joined.find(' '); space != joined.npos) joined.erase(space, 1);
      const auto found = id_of.find(joined);
      if (found == id_of.end()) continue;
      double& score = out_.scores[found->second];
      score = std::max(score, -static_cast<double>(i));
    }
    out_.merges.clear();
    out_.add_space_prefix = true;
    auto with_space = Accept(out_);
    if (with_space) return with_space;
    out_.add_space_prefix = false;
    return Accept(out_);
  }

  const json::object& root_;
  const Tokenizer& original_;
  int64_t rows_;
  const json::object* model_ = nullptr;
  bool byte_level_ = false;
  GgufVocabulary out_;
};

}  // namespace

Result<GgufVocabulary> ToGgufVocabulary(const json::object& root, const Tokenizer& original,
                                        int64_t rows) {
  return Converter(root, original, rows).Run();
}

void PutVocabulary(const GgufVocabulary& vocabulary, GgufMetadata& out) {
  const auto put = [&](const char* key, GgufValue value) {
    out.Insert(std::string("tokenizer.ggml.") + key, std::move(value));
  };
  put("model", vocabulary.model);
  put("pre", vocabulary.pre);
  put("tokens", vocabulary.tokens);
  put("token_type", vocabulary.token_types);
  if (!vocabulary.scores.empty()) put("scores", vocabulary.scores);
  if (!vocabulary.merges.empty()) put("merges", vocabulary.merges);
  const auto id = [&](const char* key, const std::optional<int64_t>& value) {
    if (value) put(key, static_cast<uint64_t>(*value));
  };
  id("bos_token_id", vocabulary.bos);
  id("eos_token_id", vocabulary.eos);
  id("unknown_token_id", vocabulary.unk);
  const auto flag = [&](const char* key, const std::optional<bool>& value) {
    if (value) put(key, *value);
  };
  flag("add_bos_token", vocabulary.add_bos);
  flag("add_eos_token", vocabulary.add_eos);
  flag("add_space_prefix", vocabulary.add_space_prefix);
}

}  // namespace jikji
