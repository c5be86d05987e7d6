// Text to token ids and back, exactly as the tokenizer that trained the model does it.
//
// Thread-safe once made. Input is UTF-8; ill-formed bytes are encoded as U+FFFD. Encoding is linear
// (n log n at worst) in the text, whatever the text. Non-goals: training (adapt/), WordPiece.
#ifndef JIKJI_TEXT_TOKENIZER_H_
#define JIKJI_TEXT_TOKENIZER_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji {

using TokenId = int32_t;

struct EncodeOptions {
  // Adds what the tokenizer's post-processor adds (a BOS, say).
  bool add_special = false;
  // Special tokens written in the text (`<|im_end|>`) become their ids; if false they are ordinary
  // text, so that what a user types can never close a turn. Added tokens that are not special are
  // always recognised.
  bool parse_special = false;
};

class Tokenizer {
 public:
  virtual ~Tokenizer() = default;

  virtual std::vector<TokenId> Encode(std::string_view text,
                                      const EncodeOptions& options = {}) const = 0;

  // What the ids stand for. The result of a whole answer: concatenated token bytes, the
  // leading-space rule of SentencePiece applied, ill-formed UTF-8 replaced by U+FFFD. Ids out of
  // range are skipped.
  std::string Decode(std::span<const TokenId> ids, bool skip_special = true) const;

  // The raw bytes that a token stands for in the middle of a text, which may be a part of a
  // character; for an id out of range, empty. Special tokens give their written form.
  virtual std::string_view TokenBytes(TokenId id) const = 0;

  // True where decoding drops one space before the first token of a text (SentencePiece's dummy
  // prefix).
  virtual bool strips_leading_space() const = 0;

  virtual int32_t vocab_size() const = 0;
  virtual bool IsSpecial(TokenId id) const = 0;  // control tokens: never shown
  virtual std::optional<TokenId> FindToken(std::string_view written) const = 0;
  virtual std::optional<TokenId> bos() const = 0;
  virtual std::optional<TokenId> eos() const = 0;

  // "byte-level BPE, 151936 tokens, NFC": for `jikji inspect`.
  virtual std::string Description() const = 0;
};

// From a Hugging Face `tokenizer.json`; `tokenizer_config.json` beside it, where there is one,
// names BOS and EOS.
Result<std::shared_ptr<const Tokenizer>> LoadTokenizerJson(
    const std::filesystem::path& tokenizer_json);

// From OpenAI's ranks (`BASE64 RANK` per line): the pattern is chosen by name: r50k, cl100k, o200k,
// llama3.
struct SpecialToken {
  std::string content;
  TokenId id = 0;
};
Result<std::shared_ptr<const Tokenizer>> LoadTiktoken(const std::filesystem::path& ranks,
                                                      std::string_view pattern,
                                                      std::span<const SpecialToken> special);

// The `tokenizer.ggml.*` keys of a GGUF file, as plain data (text/ and tensor/ stand on one floor).
struct GgufVocabulary {
  std::string model;  // "gpt2", "llama" (SentencePiece BPE), "t5" (Unigram)
  std::string pre;    // "llama-bpe", "qwen2", "gpt-2", "default", ...
  std::vector<std::string> tokens;
  std::vector<double> scores;        // may be empty
  std::vector<int64_t> token_types;  // 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6
                                     // byte; may be empty
  std::vector<std::string> merges;
  std::optional<int64_t> bos, eos, unk;
  std::optional<bool> add_bos, add_eos, add_space_prefix;
};
Result<std::shared_ptr<const Tokenizer>> LoadGgufTokenizer(GgufVocabulary vocabulary);

}  // namespace jikji

#endif  // JIKJI_TEXT_TOKENIZER_H_
