// The vocabulary and model of a tokenizer.json, put together with its stages.
#include "text/tokenizer_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <optional>
#include <utility>

#include "base/file.h"
#include "base/json.h"
#include "text/bpe.h"
#include "text/byte_level.h"
#include "text/json_stages.h"
#include "text/pipeline.h"
#include "text/unigram.h"

namespace jikji {
namespace {

namespace bj = boost::json;

// Four times the largest vocabulary in use (Gemma's and Llama 4's 262 k and 202 k), so that a file
// cannot ask for memory by one large id.
constexpr int64_t kMaxTokens = 1 << 20;
constexpr size_t kMaxMerges = 1 << 22;
constexpr size_t kMaxAddedTokenBytes = 4096;
constexpr uint64_t kMaxFileBytes = 256ull << 20;

std::unexpected<Error> Malformed(std::string what, std::string where) {
  return Fail(ErrorCode::kMalformed, std::move(what), std::move(where));
}

Result<TokenId> ToTokenId(const bj::value& value, std::string_view where) {
  const std::int64_t* id = value.if_int64();
  if (id == nullptr || *id < 0 || *id >= kMaxTokens) {
    return Malformed(fmt::format("not a token id from 0 to {}", kMaxTokens - 1),
                     std::string(where));
  }
  return static_cast<TokenId>(*id);
}

class Loader {
 public:
  explicit Loader(const bj::object& root) : root_(root) {}

  Result<PipelineParts> Load() {
    JIKJI_ASSIGN(const bj::object* model, OptionalObject(root_, "model"));
    if (model == nullptr) return Malformed("missing", "model");
    JIKJI_ASSIGN(type_, ModelType(*model));
    JIKJI_RETURN_IF_ERROR(type_ == "BPE" ? ReadBpeVocabulary(*model)
                                         : ReadUnigramVocabulary(*model));
    JIKJI_RETURN_IF_ERROR(ReadAddedTokens());
    JIKJI_RETURN_IF_ERROR(ReadStages());
    parts_.written = StringTable(tokens_);
    parts_.special = special_;
    JIKJI_RETURN_IF_ERROR(Decode());
    if (type_ == "BPE") {
      JIKJI_RETURN_IF_ERROR(MakeBpe(*model));
    } else {
      JIKJI_RETURN_IF_ERROR(MakeUnigram(*model));
    }
    parts_.description = Describe();
    return std::move(parts_);
  }

 private:
  static Result<std::string> ModelType(const bj::object& model) {
    JIKJI_ASSIGN(const auto type, OptionalString(model, "type", "model"));
    // Files of the first versions do not name it.
    if (!type) return std::string(model.contains("merges") ? "BPE" : "Unigram");
    if (*type != "BPE" && *type != "Unigram") {
      return Fail(
          ErrorCode::kUnsupported,
          fmt::format("the tokenizer model {} is not supported: BPE and Unigram are", *type),
          "model.type");
    }
    return *type;
  }

  Result<> SetToken(TokenId id, std::string_view text, std::string_view where) {
    const auto index = static_cast<size_t>(id);
    if (index >= tokens_.size()) tokens_.resize(index + 1);
    if (!tokens_[index].empty() && tokens_[index] != text) {
      return Malformed(fmt::format("two tokens have the id {}", id), std::string(where));
    }
    tokens_[index] = text;
    return {};
  }

  Result<> ReadBpeVocabulary(const bj::object& model) {
    JIKJI_ASSIGN(const bj::object* vocabulary, OptionalObject(model, "vocab", "model"));
    if (vocabulary == nullptr) return Malformed("missing", "model.vocab");
    tokens_.reserve(vocabulary->size());
    for (const auto& [text, value] : *vocabulary) {
      JIKJI_ASSIGN(const TokenId id, ToTokenId(value, "model.vocab"));
      JIKJI_RETURN_IF_ERROR(SetToken(id, std::string_view(text), "model.vocab"));
    }
    vocabulary_size_ = tokens_.size();
    return {};
  }

  Result<> ReadUnigramVocabulary(const bj::object& model) {
    JIKJI_ASSIGN(const bj::array* vocabulary, OptionalArray(model, "vocab", "model"));
    if (vocabulary == nullptr) return Malformed("missing", "model.vocab");
    if (std::cmp_greater(vocabulary->size(), kMaxTokens)) {
      return Malformed("more tokens than 2^20", "model.vocab");
    }
    for (size_t i = 0; i < vocabulary->size(); ++i) {
      const std::string where = "model.vocab";
      const bj::array* entry = (*vocabulary)[i].if_array();
      if (entry == nullptr || entry->size() != 2 || !(*entry)[0].is_string() ||
          !(*entry)[1].is_number()) {
        return Malformed(fmt::format("entry {} is not a token and its score", i), where);
      }
      const double score = (*entry)[1].to_number<double>();
      if (!std::isfinite(score)) return Malformed("a score is not finite", where);
      tokens_.push_back((*entry)[0].get_string());
      scores_.push_back(score);
    }
    vocabulary_size_ = tokens_.size();
    return {};
  }

  Result<> ReadAddedTokens() {
    JIKJI_ASSIGN(const bj::array* added, OptionalArray(root_, "added_tokens"));
    for (size_t i = 0; added != nullptr && i < added->size(); ++i) {
      const std::string where = fmt::format("added_tokens[{}]", i);
      const bj::object* entry = (*added)[i].if_object();
      if (entry == nullptr) return Malformed("not an object", where);
      AddedToken token;
      JIKJI_ASSIGN(auto content, OptionalString(*entry, "content", where));
      if (!content || content->empty() || content->size() > kMaxAddedTokenBytes) {
        return Malformed("content is missing, empty or longer than 4096 bytes", where);
      }
      token.content = *std::move(content);
      const bj::value* id = entry->if_contains("id");
      if (id == nullptr) return Malformed("id is missing", where);
      JIKJI_ASSIGN(token.id, ToTokenId(*id, where));
      const std::pair<const char*, bool*> flags[] = {{"special", &token.special},
                                                     {"normalized", &token.normalized},
                                                     {"single_word", &token.single_word},
                                                     {"lstrip", &token.lstrip},
                                                     {"rstrip", &token.rstrip}};
      for (const auto& [key, flag] : flags) {
        JIKJI_ASSIGN(const auto value, OptionalBool(*entry, key, where));
        *flag = value.value_or(false);
      }
      added_.push_back(std::move(token));
    }
    for (const AddedToken& token : added_) {
      JIKJI_RETURN_IF_ERROR(SetToken(token.id, token.content, "added_tokens"));
    }
    special_.resize(tokens_.size());
    for (const AddedToken& token : added_) {
      special_[static_cast<size_t>(token.id)] = token.special;
    }
    return {};
  }

  Result<> ReadStages() {
    JIKJI_ASSIGN(const bj::object* normalizer, OptionalObject(root_, "normalizer"));
    if (normalizer != nullptr) {
      JIKJI_ASSIGN(parts_.normalizer, ReadNormalizer(*normalizer, "normalizer"));
    }
    std::vector<AddedToken> plain;
    std::vector<AddedToken> normalized;
    for (const AddedToken& token : added_) {
      (token.normalized ? normalized : plain).push_back(token);
    }
    for (AddedToken& token : normalized) {
      token.content = ApplyNormalizer(parts_.normalizer, token.content);
    }
    parts_.added = AddedTokenMatcher(std::move(plain));
    parts_.added_normalized = AddedTokenMatcher(std::move(normalized));

    JIKJI_ASSIGN(const bj::object* pre, OptionalObject(root_, "pre_tokenizer"));
    if (pre != nullptr) {
      JIKJI_ASSIGN(auto stages, ReadPreTokenizer(*pre, "pre_tokenizer"));
      byte_level_ = stages.byte_level;
      if (stages.stages.size() == 1) {
        parts_.splitter = std::move(stages.stages[0]);
      } else if (!stages.stages.empty()) {
        parts_.splitter = MakeSequence(std::move(stages.stages));
      }
    }
    JIKJI_ASSIGN(const bj::object* post, OptionalObject(root_, "post_processor"));
    if (post != nullptr) {
      JIKJI_ASSIGN(auto around, ReadPostProcessor(*post, "post_processor"));
      for (const auto* ids : {&around.prefix, &around.suffix}) {
        for (const TokenId id : *ids) {
          if (std::cmp_greater_equal(id, tokens_.size())) {
            return Malformed(fmt::format("there is no token {}", id), "post_processor");
          }
        }
      }
      parts_.prefix = std::move(around.prefix);
      parts_.suffix = std::move(around.suffix);
    }
    JIKJI_ASSIGN(const bj::object* decoder, OptionalObject(root_, "decoder"));
    if (decoder != nullptr) {
      JIKJI_ASSIGN(decoder_, ReadDecoder(*decoder, "decoder"));
    } else {
      decoder_.byte_level = byte_level_;
    }
    return {};
  }

  // The bytes that each token stands for.
  Result<> Decode() {
    std::vector<std::string> decoded(tokens_.size());
    std::vector<bool> as_written = special_;
    for (const AddedToken& token : added_) {
      // Added to a byte-level vocabulary from outside, a token is written plainly.
      const auto index = static_cast<size_t>(token.id);
      if (decoder_.byte_level && index >= vocabulary_size_) as_written[index] = true;
    }
    for (size_t i = 0; i < tokens_.size(); ++i) {
      decoded[i] = as_written[i] ? std::string(tokens_[i]) : decoder_.Decode(tokens_[i]);
    }
    parts_.decoded = StringTable(std::vector<std::string_view>(decoded.begin(), decoded.end()));
    parts_.strips_leading_space = decoder_.strips_leading_space;
    return {};
  }

  Result<ByteTokens> FindByteTokens(const bj::object& model) const {
    ByteTokens out = kNoByteTokens;
    JIKJI_ASSIGN(const auto fallback, OptionalBool(model, "byte_fallback", "model"));
    if (!fallback.value_or(false)) return out;
    for (size_t byte = 0; byte < 256; ++byte) {
      out[byte] = parts_.written.Find(fmt::format("<0x{:02X}>", byte));
    }
    return out;
  }

  // The two halves of a merge, written "a b" or ["a", "b"].
  static std::optional<std::pair<std::string_view, std::string_view>> MergeHalves(
      const bj::value& merge) {
    if (const bj::array* pair = merge.if_array()) {
      if (pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) {
        return std::nullopt;
      }
      return std::pair<std::string_view, std::string_view>((*pair)[0].get_string(),
                                                           (*pair)[1].get_string());
    }
    if (!merge.is_string()) return std::nullopt;
    const std::string_view text = merge.get_string();
    const size_t space = text.find(' ');
    if (space == text.npos || text.find(' ', space + 1) != text.npos) return std::nullopt;
    return std::pair(text.substr(0, space), text.substr(space + 1));
  }

  Result<std::vector<BpeMerge>> ReadMerges(const bj::object& model) const {
    JIKJI_ASSIGN(const bj::array* merges, OptionalArray(model, "merges", "model"));
    std::vector<BpeMerge> out;
    if (merges == nullptr) return out;
    if (merges->size() > kMaxMerges) return Malformed("more merges than 2^22", "model.merges");
    out.reserve(merges->size());
    std::string joined;
    for (size_t i = 0; i < merges->size(); ++i) {
      const auto halves = MergeHalves((*merges)[i]);
      const std::string where = "model.merges";
      if (!halves) return Malformed(fmt::format("merge {} is not a pair", i), where);
      joined = halves->first;
      joined += halves->second;
      const BpeMerge merge = {parts_.written.Find(halves->first),
                              parts_.written.Find(halves->second), parts_.written.Find(joined),
                              static_cast<uint32_t>(i)};
      if (merge.left < 0 || merge.right < 0 || merge.merged < 0) {
        return Malformed(fmt::format("merge {} names a token that the vocabulary lacks", i), where);
      }
      // Special tokens come from the template alone, never out of a user's text.
      if (!special_[static_cast<size_t>(merge.merged)]) out.push_back(merge);
    }
    return out;
  }

  Result<> MakeBpe(const bj::object& model) {
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"}) {
      JIKJI_ASSIGN(const auto affix, OptionalString(model, key, "model"));
      if (affix && !affix->empty()) {
        return Fail(ErrorCode::kUnsupported, "word prefixes and suffixes are not supported",
                    fmt::format("model.{}", key));
      }
    }
    JIKJI_ASSIGN(const auto dropout, OptionalNumber(model, "dropout", "model"));
    if (dropout.value_or(0) != 0) {
      return Fail(ErrorCode::kUnsupported, "dropout is for training", "model.dropout");
    }
    BpeParts bpe;
    bpe.by_bytes = byte_level_;
    bpe.vocab_size = static_cast<int32_t>(tokens_.size());
    JIKJI_ASSIGN(bpe.merges, ReadMerges(model));
    JIKJI_ASSIGN(bpe.byte_tokens, FindByteTokens(model));
    JIKJI_ASSIGN(const auto whole, OptionalBool(model, "ignore_merges", "model"));
    bpe.whole_pieces = whole.value_or(false);
    bpe.not_whole = special_;
    JIKJI_ASSIGN(const auto fuse, OptionalBool(model, "fuse_unk", "model"));
    bpe.fuse_unknown = fuse.value_or(false);
    JIKJI_ASSIGN(const auto unknown, OptionalString(model, "unk_token", "model"));
    if (unknown && !unknown->empty()) {
      bpe.unknown = parts_.written.Find(*unknown);
      if (bpe.unknown < 0) return Malformed("not in the vocabulary", "model.unk_token");
    }
    // What the model meets: bytes where it is byte-level, and only tokens of its own vocabulary.
    std::vector<std::string> texts(tokens_.size());
    for (size_t i = 0; i < std::min(vocabulary_size_, tokens_.size()); ++i) {
      texts[i] = byte_level_ ? DecodeByteLevel(tokens_[i]).value_or("") : std::string(tokens_[i]);
    }
    bpe.symbols = StringTable(std::vector<std::string_view>(texts.begin(), texts.end()));
    parts_.model = std::make_unique<Bpe>(std::move(bpe));
    return {};
  }

  Result<> MakeUnigram(const bj::object& model) {
    UnigramParts unigram;
    unigram.tokens = StringTable(std::span(tokens_).first(vocabulary_size_));
    unigram.scores = scores_;
    JIKJI_ASSIGN(const auto unknown, OptionalInt(model, "unk_id", "model"));
    if (unknown) {
      if (*unknown < 0 || std::cmp_greater_equal(*unknown, vocabulary_size_)) {
        return Malformed("not in the vocabulary", "model.unk_id");
      }
      unigram.unknown = static_cast<TokenId>(*unknown);
    }
    JIKJI_ASSIGN(unigram.byte_tokens, FindByteTokens(model));
    unigram.not_in_text = special_;
    parts_.model = std::make_unique<Unigram>(std::move(unigram));
    return {};
  }

  std::string Describe() const {
    const bool nfc = std::any_of(parts_.normalizer.begin(), parts_.normalizer.end(),
                                 [](const NormalizerStep& step) {
                                   return std::holds_alternative<NormalForm>(step) &&
                                          std::get<NormalForm>(step) == NormalForm::kNfc;
                                 });
    return fmt::format("{}{}, {} tokens{}", byte_level_ ? "byte-level " : "", type_, tokens_.size(),
                       nfc ? ", NFC" : "");
  }

  const bj::object& root_;
  std::string type_;
  std::vector<std::string_view> tokens_;  // by id, into root_ and added_
  size_t vocabulary_size_ = 0;            // the model's own; what follows was added
  std::vector<double> scores_;
  std::vector<AddedToken> added_;
  std::vector<bool> special_;
  bool byte_level_ = false;
  TokenDecoder decoder_;
  PipelineParts parts_;
};

// `"bos_token": "<s>"` or `"bos_token": {"content": "<s>", ...}`.
std::optional<TokenId> NamedToken(const bj::object& config, std::string_view key,
                                  const StringTable& written) {
  const bj::value* value = config.if_contains(key);
  if (value == nullptr) return std::nullopt;
  if (const bj::object* object = value->if_object()) value = object->if_contains("content");
  if (value == nullptr || !value->is_string()) return std::nullopt;
  const int32_t id = written.Find(std::string_view(value->get_string()));
  return id < 0 ? std::nullopt : std::optional<TokenId>(id);
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> ParseTokenizerJson(std::string_view json,
                                                            std::string_view name,
                                                            std::string_view config,
                                                            std::string_view config_name) {
  JIKJI_ASSIGN(const bj::value document, ParseJson(json, name, {.max_bytes = kMaxFileBytes}));
  if (!document.is_object()) return Malformed("not a JSON object", std::string(name));
  Loader loader(document.get_object());
  auto parts = loader.Load();
  if (!parts) {
    Error error = std::move(parts).error();
    error.where =
        error.where.empty() ? std::string(name) : fmt::format("{}: {}", name, error.where);
    return std::unexpected(std::move(error));
  }
  if (!config.empty()) {
    JIKJI_ASSIGN(const bj::value names,
                 ParseJson(config, config_name, {.max_bytes = kMaxFileBytes}));
    if (!names.is_object()) return Malformed("not a JSON object", std::string(config_name));
    parts->bos = NamedToken(names.get_object(), "bos_token", parts->written);
    parts->eos = NamedToken(names.get_object(), "eos_token", parts->written);
  }
  return MakePipeline(std::move(parts).value());
}

Result<std::shared_ptr<const Tokenizer>> LoadTokenizerJson(
    const std::filesystem::path& tokenizer_json) {
  JIKJI_ASSIGN(const std::string json, ReadFile(tokenizer_json, kMaxFileBytes));
  const auto config_path = tokenizer_json.parent_path() / "tokenizer_config.json";
  std::string config;
  std::error_code ignored;
  if (std::filesystem::exists(config_path, ignored)) {
    JIKJI_ASSIGN(config, ReadFile(config_path, kMaxFileBytes));
  }
  return ParseTokenizerJson(json, tokenizer_json.string(), config, config_path.string());
}

}  // namespace jikji
