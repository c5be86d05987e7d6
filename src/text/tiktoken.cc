// LoadTiktoken: OpenAI's rank files, which Llama 3 and others use too.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/file.h"
#include "text/bpe.h"
#include "text/pipeline.h"
#include "text/rank_merges.h"

namespace jikji {
namespace {

constexpr uint64_t kMaxFileBytes = 64ull << 20;
constexpr int64_t kMaxTokens = 1 << 20;

// Strict base64 (RFC 4648 §4, padded).
std::optional<std::string> DecodeBase64(std::string_view text) {
  static constexpr std::array<int8_t, 256> kDigits = [] {
    std::array<int8_t, 256> digits{};
    digits.fill(-1);
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < kAlphabet.size(); ++i) {
      digits[static_cast<uint8_t>(kAlphabet[i])] = static_cast<int8_t>(i);
    }
    return digits;
  }();
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  text.remove_suffix(padding);
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = kDigits[static_cast<uint8_t>(c)];
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  return out;
}

std::optional<std::string_view> PatternOf(std::string_view name) {
  if (name == "r50k") return kGpt2Pattern;
  if (name == "cl100k" || name == "llama3") return kCl100kPattern;
  if (name == "o200k") return kO200kPattern;
  return std::nullopt;
}

// `BASE64 RANK` per line, to tokens by rank.
Result<std::vector<std::string>> ReadRanks(std::string_view text, const std::string& path) {
  std::vector<std::string> tokens;
  for (size_t line_number = 1; !text.empty(); ++line_number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const std::string where = fmt::format("{}:{}", path, line_number);
    const size_t space = line.find(' ');
    if (space == line.npos) return Fail(ErrorCode::kMalformed, "not `BASE64 RANK`", where);
    auto bytes = DecodeBase64(line.substr(0, space));
    if (!bytes) return Fail(ErrorCode::kMalformed, "not base64", where);
    int64_t rank = -1;
    const char* last = line.data() + line.size();
    const auto [stop, error] = std::from_chars(line.data() + space + 1, last, rank);
    if (error != std::errc() || stop != last || rank < 0 || rank >= kMaxTokens) {
      return Fail(ErrorCode::kMalformed, "not a rank from 0 to 2^20 - 1", where);
    }
    const auto index = static_cast<size_t>(rank);
    if (index >= tokens.size()) tokens.resize(index + 1);
    if (!tokens[index].empty()) {
      return Fail(ErrorCode::kMalformed, fmt::format("rank {} comes twice", rank), where);
    }
    tokens[index] = *std::move(bytes);
  }
  return tokens;
}

}  // namespace

Result<std::shared_ptr<const Tokenizer>> LoadTiktoken(const std::filesystem::path& ranks,
                                                      std::string_view pattern,
                                                      std::span<const SpecialToken> special) {
  const auto regex = PatternOf(pattern);
  if (!regex) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("no pattern `{}`: r50k, cl100k, o200k and llama3 are known", pattern));
  }
  JIKJI_ASSIGN(const std::string text, ReadFile(ranks, kMaxFileBytes));
  JIKJI_ASSIGN(std::vector<std::string> tokens, ReadRanks(text, ranks.string()));

  BpeParts bpe;
  bpe.by_bytes = true;
  bpe.whole_pieces = true;
  bpe.symbols = StringTable(std::vector<std::string_view>(tokens.begin(), tokens.end()));
  for (size_t byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    if (bpe.symbols.Find({&c, 1}) < 0) {
      return Fail(ErrorCode::kMalformed, fmt::format("no token for the byte {}", byte),
                  ranks.string());
    }
  }
  bpe.vocab_size = bpe.symbols.size();
  for (TokenId id = 0; id < bpe.vocab_size; ++id) {
    if (!bpe.symbols[id].empty() && bpe.symbols.Find(bpe.symbols[id]) != id) {
      return Fail(ErrorCode::kMalformed, fmt::format("the token of rank {} comes twice", id),
                  ranks.string());
    }
  }
  bpe.merges = MergesOfRanks(bpe.symbols, {}, true);

  PipelineParts parts;
  std::vector<AddedToken> added;
  for (const SpecialToken& token : special) {
    const auto index = static_cast<size_t>(token.id);
    if (token.id < 0 || token.id >= kMaxTokens || token.content.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("special token `{}` has no text or an id out of range: {}",
                              token.content, token.id));
    }
    if (index >= tokens.size()) tokens.resize(index + 1);
    if (!tokens[index].empty()) {
      return Fail(
          ErrorCode::kInvalidArgument,
          fmt::format("special token `{}` takes the id {} of another", token.content, token.id));
    }
    tokens[index] = token.content;
    added.push_back({.content = token.content, .id = token.id, .special = true});
  }
  parts.special.resize(tokens.size());
  for (const AddedToken& token : added) parts.special[static_cast<size_t>(token.id)] = true;
  parts.written = StringTable(std::vector<std::string_view>(tokens.begin(), tokens.end()));
  parts.decoded = parts.written;
  parts.added = AddedTokenMatcher(std::move(added));
  parts.splitter = MakeScanSplitter(*FindScanner(*regex));
  parts.model = std::make_unique<Bpe>(std::move(bpe));
  for (const std::string_view name : {"<|begin_of_text|>", "<|startoftext|>"}) {
    if (const auto id = parts.written.Find(name); id >= 0 && !parts.bos) parts.bos = id;
  }
  for (const std::string_view name : {"<|end_of_text|>", "<|endoftext|>"}) {
    if (const auto id = parts.written.Find(name); id >= 0 && !parts.eos) parts.eos = id;
  }
  parts.description =
      fmt::format("byte-level BPE of ranks ({}), {} tokens", pattern, parts.written.size());
  return MakePipeline(std::move(parts));
}

}  // namespace jikji
