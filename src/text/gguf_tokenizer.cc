// LoadGgufTokenizer: vocabularies as GGUF files carry them.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

#include "base/utf8.h"
#include "text/bpe.h"
#include "text/byte_level.h"
#include "text/gguf_pre.h"
#include "text/pipeline.h"
#include "text/rank_merges.h"
#include "text/unicode_table.h"

namespace jikji {
namespace {

constexpr size_t kMaxTokens = 1 << 20;
constexpr size_t kMaxMerges = 1 << 22;
constexpr size_t kMaxTokenBytes = 64 << 10;
constexpr size_t kMaxAddedTokenBytes = 4096;
constexpr std::string_view kMetaspace = "\xE2\x96\x81";

enum TokenType : int64_t {
  kUndefined = 0,
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

// Ends of turns and of texts are control tokens even where a careless conversion says otherwise.
constexpr std::string_view kControlNames[] = {
    "<|eot_id|>", "<|im_end|>", "<|end|>", "<end_of_turn>", "<|endoftext|>", "<|eom_id|>", "<EOT>"};

std::unexpected<Error> Malformed(std::string what, std::string where) {
  return Fail(ErrorCode::kMalformed, std::move(what), std::move(where));
}

class Loader {
 public:
  explicit Loader(GgufVocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}

  Result<PipelineParts> Load() {
    const std::string& model = vocabulary_.model;
    if (model != "gpt2" && model != "llama") {
      return Fail(
          ErrorCode::kUnsupported,
          fmt::format("the tokenizer model `{}` is not supported: gpt2 and llama are", model),
          "tokenizer.ggml.model");
    }
    JIKJI_RETURN_IF_ERROR(Check());
    SetTypes();
    parts_.written = StringTable(
        std::vector<std::string_view>(vocabulary_.tokens.begin(), vocabulary_.tokens.end()));
    JIKJI_RETURN_IF_ERROR(model == "gpt2" ? MakeByteLevel() : MakeSentencePiece());
    AddTokens();
    return std::move(parts_);
  }

 private:
  size_t size() const { return vocabulary_.tokens.size(); }
  int64_t type(size_t id) const { return types_[id]; }
  bool IsControl(size_t id) const { return types_[id] == kControl || types_[id] == kUnknown; }

  Result<> Check() const {
    if (vocabulary_.tokens.empty() || size() > kMaxTokens) {
      return Malformed(fmt::format("{} tokens; from 1 to 2^20 are allowed", size()),
                       "tokenizer.ggml.tokens");
    }
    if (!vocabulary_.scores.empty() && vocabulary_.scores.size() != size()) {
      return Malformed("not one score a token", "tokenizer.ggml.scores");
    }
    if (!vocabulary_.token_types.empty() && vocabulary_.token_types.size() != size()) {
      return Malformed("not one type a token", "tokenizer.ggml.token_type");
    }
    for (const double score : vocabulary_.scores) {
      if (!std::isfinite(score)) return Malformed("a score is not finite", "tokenizer.ggml.scores");
    }
    if (vocabulary_.merges.size() > kMaxMerges) {
      return Malformed("more merges than 2^22", "tokenizer.ggml.merges");
    }
    std::unordered_map<std::string_view, size_t> seen;
    seen.reserve(size());
    for (size_t i = 0; i < size(); ++i) {
      const std::string& token = vocabulary_.tokens[i];
      if (token.size() > kMaxTokenBytes || !IsValidUtf8(token)) {
        return Malformed(fmt::format("token {} is not UTF-8 or longer than 64 KiB", i),
                         "tokenizer.ggml.tokens");
      }
      if (token.empty()) continue;
      const auto [first, added] = seen.emplace(token, i);
      if (!added) {
        return Malformed(fmt::format("tokens {} and {} are the same", first->second, i),
                         "tokenizer.ggml.tokens");
      }
    }
    for (const auto& [id, key] : {std::pair(vocabulary_.bos, "bos"),
                                  {vocabulary_.eos, "eos"},
                                  {vocabulary_.unk, "unknown"}}) {
      if (id && (*id < 0 || std::cmp_greater_equal(*id, size()))) {
        return Malformed(fmt::format("there is no token {}", *id),
                         fmt::format("tokenizer.ggml.{}_token_id", key));
      }
    }
    return {};
  }

  void SetTypes() {
    types_ = vocabulary_.token_types;
    types_.resize(size(), kNormal);
    parts_.special.resize(size());
    for (size_t i = 0; i < size(); ++i) {
      const std::string& token = vocabulary_.tokens[i];
      if (std::find(std::begin(kControlNames), std::end(kControlNames), token) !=
          std::end(kControlNames)) {
        types_[i] = kControl;
      }
      parts_.special[i] = IsControl(i);
    }
  }

  // Added and special tokens, and what every kind of vocabulary has.
  void AddTokens() {
    std::vector<AddedToken> added;
    for (size_t i = 0; i < size(); ++i) {
      if (!IsControl(i) && type(i) != kUserDefined) continue;
      if (vocabulary_.tokens[i].size() > kMaxAddedTokenBytes) continue;
      added.push_back({.content = vocabulary_.tokens[i],
                       .id = static_cast<TokenId>(i),
                       .special = IsControl(i)});
    }
    parts_.added = AddedTokenMatcher(std::move(added));
    if (vocabulary_.bos) parts_.bos = static_cast<TokenId>(*vocabulary_.bos);
    if (vocabulary_.eos) parts_.eos = static_cast<TokenId>(*vocabulary_.eos);
    if (vocabulary_.add_bos.value_or(add_bos_by_default_) && parts_.bos) {
      parts_.prefix.push_back(*parts_.bos);
    }
    if (vocabulary_.add_eos.value_or(false) && parts_.eos) parts_.suffix.push_back(*parts_.eos);
  }

  void SetDecoded(const std::vector<std::string>& decoded) {
    parts_.decoded = StringTable(std::vector<std::string_view>(decoded.begin(), decoded.end()));
  }

  Result<> MakeByteLevel() {
    JIKJI_ASSIGN(GgufPre pre, MakeGgufPre(vocabulary_.pre));
    std::vector<std::string> decoded(size());
    std::vector<std::string> symbols(size());
    for (size_t i = 0; i < size(); ++i) {
      const std::string& token = vocabulary_.tokens[i];
      decoded[i] = token;
      if (IsControl(i) || type(i) == kUserDefined) continue;
      if (auto bytes = DecodeByteLevel(token)) {
        decoded[i] = *bytes;
        symbols[i] = *std::move(bytes);
      }
    }
    SetDecoded(decoded);
    BpeParts bpe;
    bpe.by_bytes = true;
    bpe.vocab_size = static_cast<int32_t>(size());
    bpe.whole_pieces = pre.whole_pieces;
    JIKJI_ASSIGN(bpe.merges, ReadMerges(symbols));
    bpe.symbols = StringTable(std::vector<std::string_view>(symbols.begin(), symbols.end()));
    parts_.model = std::make_unique<Bpe>(std::move(bpe));
    parts_.splitter = std::move(pre.splitter);
    add_bos_by_default_ = pre.add_bos;
    parts_.description = fmt::format("byte-level BPE ({}), {} tokens",
                                     vocabulary_.pre.empty() ? "default" : vocabulary_.pre, size());
    return {};
  }

  // "left right" per merge. A half or a whole that is no token becomes a symbol of its own: merges
  // go on through it, as llama.cpp's do, which merges texts.
  Result<std::vector<BpeMerge>> ReadMerges(std::vector<std::string>& symbols) const {
    std::map<std::string, SymbolId, std::less<>> others;
    const auto symbol = [&](std::string_view written) -> SymbolId {
      if (const int32_t id = parts_.written.Find(written); id >= 0) return id;
      if (const auto other = others.find(written); other != others.end()) return other->second;
      auto bytes = DecodeByteLevel(written);
      if (!bytes) return -1;
      const auto id = static_cast<SymbolId>(symbols.size());
      symbols.push_back(*std::move(bytes));
      others.emplace(written, id);
      return id;
    };
    std::vector<BpeMerge> merges;
    merges.reserve(vocabulary_.merges.size());
    for (size_t i = 0; i < vocabulary_.merges.size(); ++i) {
      const std::string_view text = vocabulary_.merges[i];
      const size_t space = text.find(' ', 1);
      if (text.size() > 2 * kMaxTokenBytes || space == text.npos || space + 1 == text.size()) {
        return Malformed(fmt::format("merge {} is not a pair", i), "tokenizer.ggml.merges");
      }
      std::string joined(text.substr(0, space));
      joined += text.substr(space + 1);
      const BpeMerge merge = {symbol(text.substr(0, space)), symbol(text.substr(space + 1)),
                              symbol(joined), static_cast<uint32_t>(i)};
      if (merge.left < 0 || merge.right < 0 || merge.merged < 0) {
        return Malformed(fmt::format("merge {} is not written in byte-level characters", i),
                         "tokenizer.ggml.merges");
      }
      const auto merged = static_cast<size_t>(merge.merged);
      if (merged < size() && IsControl(merged)) continue;
      merges.push_back(merge);
    }
    // Of equal pairs llama.cpp keeps the first, Bpe the last.
    std::reverse(merges.begin(), merges.end());
    return merges;
  }

  Result<> MakeSentencePiece() {
    BpeParts bpe;
    std::vector<std::string> decoded(size());
    std::vector<std::string> symbols(size());
    const NormalizerStep to_space = ReplaceStep{std::string(kMetaspace), " "};
    for (size_t i = 0; i < size(); ++i) {
      const std::string& token = vocabulary_.tokens[i];
      const int byte = type(i) == kByte ? ParseByteToken(token) : -1;
      if (byte >= 0) {
        decoded[i] = std::string(1, static_cast<char>(byte));
        bpe.byte_tokens[static_cast<size_t>(byte)] = static_cast<TokenId>(i);
      } else if (IsControl(i)) {
        decoded[i] = token;
      } else {
        decoded[i] = ApplyNormalizer({to_space}, token);
        symbols[i] = token;
      }
    }
    SetDecoded(decoded);
    AddCharacters(symbols);
    bpe.vocab_size = static_cast<int32_t>(size());
    bpe.symbols = StringTable(std::vector<std::string_view>(symbols.begin(), symbols.end()));
    bpe.merges = MergesOfRanks(bpe.symbols, RanksOfScores(symbols.size()), false);
    if (vocabulary_.unk) bpe.unknown = static_cast<TokenId>(*vocabulary_.unk);
    parts_.model = std::make_unique<Bpe>(std::move(bpe));

    const bool prefix_space = vocabulary_.add_space_prefix.value_or(true);
    if (prefix_space) parts_.normalizer.emplace_back(PrependStep{std::string(kMetaspace)});
    parts_.normalizer.emplace_back(ReplaceStep{" ", std::string(kMetaspace)});
    parts_.strips_leading_space = prefix_space;
    add_bos_by_default_ = true;
    parts_.description = fmt::format("SentencePiece BPE, {} tokens", size());
    return {};
  }

  // Characters that are in tokens but are none become symbols, so that a merge can begin with them.
  static void AddCharacters(std::vector<std::string>& symbols) {
    std::unordered_map<std::string_view, bool> tokens;
    for (const std::string& symbol : symbols) tokens.emplace(symbol, true);
    std::map<std::string, bool, std::less<>> missing;
    for (const std::string& symbol : symbols) {
      for (std::string_view rest = symbol; !rest.empty();) {
        const size_t length = FirstChar(rest).length;
        const std::string_view character = rest.substr(0, length);
        if (!tokens.contains(character) && !missing.contains(character)) {
          missing.emplace(character, true);
        }
        rest.remove_prefix(length);
      }
    }
    for (const auto& [character, unused] : missing) symbols.push_back(character);
  }

  // Higher scores merge first; equal scores have the same rank.
  std::vector<uint32_t> RanksOfScores(size_t symbols) const {
    std::vector<double> scores = vocabulary_.scores;
    scores.resize(size());
    std::vector<double> sorted = scores;
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    std::vector<uint32_t> ranks(symbols, UINT32_MAX);
    for (size_t i = 0; i < size(); ++i) {
      const auto at = std::lower_bound(sorted.begin(), sorted.end(), scores[i], std::greater<>());
      ranks[i] = static_cast<uint32_t>(at - sorted.begin());
    }
    return ranks;
  }

  const GgufVocabulary vocabulary_;
  std::vector<int64_t> types_;
  bool add_bos_by_default_ = false;
  PipelineParts parts_;
};

}  // namespace

Result<std::shared_ptr<const Tokenizer>> LoadGgufTokenizer(GgufVocabulary vocabulary) {
  Loader loader(std::move(vocabulary));
  JIKJI_ASSIGN(PipelineParts parts, loader.Load());
  return MakePipeline(std::move(parts));
}

}  // namespace jikji
