// GGUF's keys to tokenizer.json and tokenizer_config.json.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "adapt/convert/pre_tokenizers.h"
#include "adapt/convert/same_tokens.h"
#include "adapt/convert/vocabulary.h"
#include "text/rank_merges.h"
#include "text/scanner.h"
#include "text/tokenizer_json.h"

namespace jikji {
namespace {

namespace json = boost::json;

constexpr int64_t kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5;
constexpr const char* kMetaspace = "\xE2\x96\x81";

json::object ByteLevelStage(bool use_regex) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", false},
          {"trim_offsets", false},
          {"use_regex", use_regex}};
}

class Writer {
 public:
  Writer(const GgufVocabulary& from, const Tokenizer& original)
      : from_(from), original_(original) {}

  Result<TokenizerFiles> Run() {
    if (from_.model == "gpt2") {
      JIKJI_RETURN_IF_ERROR(ByteLevel());
    } else {
      SentencePiece();
    }
    Tokens();
    AroundTheWhole();
    root_["version"] = "1.0";
    root_["truncation"] = nullptr;
    root_["padding"] = nullptr;
    root_["added_tokens"] = std::move(added_);
    root_["model"] = std::move(model_);
    TokenizerFiles files{std::move(root_), Config()};
    JIKJI_ASSIGN(const auto loaded,
                 ParseTokenizerJson(json::serialize(files.tokenizer), "tokenizer.json",
                                    json::serialize(files.config)));
    JIKJI_RETURN_IF_ERROR(ExpectSameTokens(*loaded, original_));
    return files;
  }

 private:
  int64_t Type(size_t id) const { return from_.token_types.empty() ? 1 : from_.token_types[id]; }

  Result<> ByteLevel() {
    const auto pre = PreTokenizerNamed(from_.pre);
    if (!pre) {
      return Fail(
          ErrorCode::kUnsupported,
          fmt::format("tokenizer.json has no one pattern for the pre-tokenizer `{}`", from_.pre),
          "tokenizer.ggml.pre");
    }
    model_ = {{"type", "BPE"},
              {"dropout", nullptr},
              {"unk_token", nullptr},
              {"fuse_unk", false},
              {"byte_fallback", false},
              {"continuing_subword_prefix", nullptr},
              {"end_of_word_suffix", nullptr},
              {"ignore_merges", pre->ignore_merges}};
    json::array merges(from_.merges.begin(), from_.merges.end());
    model_["merges"] = std::move(merges);
    if (pre->pattern == kGpt2Pattern) {
      root_["pre_tokenizer"] = ByteLevelStage(true);
    } else {
      root_["pre_tokenizer"] = {
          {"type", "Sequence"},
          {"pretokenizers", json::array{json::object{{"type", "Split"},
                                                     {"pattern", {{"Regex", pre->pattern}}},
                                                     {"behavior", "Isolated"},
                                                     {"invert", false}},
                                        ByteLevelStage(false)}}};
    }
    root_["normalizer"] = nullptr;
    root_["decoder"] = ByteLevelStage(true);
    return {};
  }

  // Any two neighbours whose texts together are a token may merge, the best score first.
  void SentencePiece() {
    std::vector<double> scores = from_.scores;
    scores.resize(from_.tokens.size());
    std::vector<std::string_view> texts;
    for (size_t i = 0; i < from_.tokens.size(); ++i) {
      const bool plain = Type(i) == 1 || Type(i) == kUserDefined;
      texts.push_back(plain ? std::string_view(from_.tokens[i]) : std::string_view());
    }
    const StringTable symbols(texts);
    std::vector<BpeMerge> merges = MergesOfRanks(symbols, {}, false);
    std::ranges::stable_sort(merges, [&](const BpeMerge& a, const BpeMerge& b) {
      return scores[static_cast<size_t>(a.merged)] > scores[static_cast<size_t>(b.merged)];
    });
    json::array written;
    for (const BpeMerge& merge : merges) {
      written.push_back(json::array{symbols[merge.left], symbols[merge.right]});
    }
    model_ = {{"type", "BPE"}, {"dropout", nullptr}, {"fuse_unk", true}, {"byte_fallback", true}};
    model_["unk_token"] = from_.unk ? json::value(from_.tokens[static_cast<size_t>(*from_.unk)])
                                    : json::value(nullptr);
    model_["merges"] = std::move(written);
    const bool prefix = from_.add_space_prefix.value_or(true);
    const json::object to_meta = {
        {"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kMetaspace}};
    json::array steps;
    if (prefix) steps.push_back(json::object{{"type", "Prepend"}, {"prepend", kMetaspace}});
    steps.push_back(to_meta);
    root_["normalizer"] = {{"type", "Sequence"}, {"normalizers", std::move(steps)}};
    root_["pre_tokenizer"] = nullptr;
    json::array decoders = {
        json::object{{"type", "Replace"}, {"pattern", {{"String", kMetaspace}}}, {"content", " "}},
        json::object{{"type", "ByteFallback"}}, json::object{{"type", "Fuse"}}};
    if (prefix) {
      decoders.push_back(
          json::object{{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    }
    root_["decoder"] = {{"type", "Sequence"}, {"decoders", std::move(decoders)}};
  }

  // Every token is in the vocabulary, added ones too: there its id is its own, and not the next.
  void Tokens() {
    size_t used = from_.tokens.size();
    while (used > 0 && Type(used - 1) == kUnused) --used;
    json::object vocabulary;
    vocabulary.reserve(used);
    for (size_t i = 0; i < used; ++i) {
      if (from_.tokens[i].empty()) continue;
      vocabulary.emplace(from_.tokens[i], i);
      const bool special = original_.IsSpecial(static_cast<TokenId>(i));
      if (!special && Type(i) != kUserDefined) continue;
      added_.push_back(json::object{{"id", i},
                                    {"content", from_.tokens[i]},
                                    {"single_word", false},
                                    {"lstrip", false},
                                    {"rstrip", false},
                                    {"normalized", false},
                                    {"special", special}});
    }
    model_["vocab"] = std::move(vocabulary);
  }

  std::string Written(const std::optional<TokenId>& id) const {
    return id ? std::string(original_.TokenBytes(*id)) : "";
  }

  void AroundTheWhole() {
    const auto around = original_.Encode("", {.add_special = true});
    if (around.empty()) {
      root_["post_processor"] =
          from_.model == "gpt2" ? json::value(ByteLevelStage(true)) : json::value(nullptr);
      return;
    }
    json::array single, pair;
    json::object tokens;
    const bool begins = original_.bos() == around.front();
    for (size_t i = 0; i < around.size(); ++i) {
      const std::string text = Written(around[i]);
      tokens[text] = {{"id", text}, {"ids", json::array{around[i]}}, {"tokens", json::array{text}}};
    }
    const auto special = [&](TokenId id, int sequence) {
      return json::object{{"SpecialToken", {{"id", Written(id)}, {"type_id", sequence}}}};
    };
    for (const auto& [list, count] : {std::pair(&single, 1), {&pair, 2}}) {
      for (int sequence = 0; sequence < count; ++sequence) {
        if (begins) list->push_back(special(around.front(), sequence));
        list->push_back(
            json::object{{"Sequence", {{"id", sequence == 0 ? "A" : "B"}, {"type_id", sequence}}}});
        for (size_t i = begins ? 1 : 0; i < around.size(); ++i) {
          list->push_back(special(around[i], sequence));
        }
      }
    }
    root_["post_processor"] = {{"type", "TemplateProcessing"},
                               {"single", std::move(single)},
                               {"pair", std::move(pair)},
                               {"special_tokens", std::move(tokens)}};
  }

  json::object Config() const {
    json::object config = {{"tokenizer_class", "PreTrainedTokenizerFast"},
                           {"clean_up_tokenization_spaces", false}};
    if (const auto bos = original_.bos()) config["bos_token"] = Written(bos);
    if (const auto eos = original_.eos()) config["eos_token"] = Written(eos);
    return config;
  }

  const GgufVocabulary& from_;
  const Tokenizer& original_;
  json::object root_, model_;
  json::array added_;
};

}  // namespace

Result<TokenizerFiles> ToTokenizerFiles(const GgufVocabulary& vocabulary,
                                        const Tokenizer& original) {
  return Writer(vocabulary, original).Run();
}

}  // namespace jikji
