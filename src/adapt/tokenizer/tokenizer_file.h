// The tokenizer.json of a byte-level BPE tokenizer, made and read for adaptation.
#ifndef JIKJI_ADAPT_TOKENIZER_TOKENIZER_FILE_H_
#define JIKJI_ADAPT_TOKENIZER_TOKENIZER_FILE_H_

#include <boost/json.hpp>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapt/tokenizer/bpe_trainer.h"
#include "base/error.h"
#include "text/scanner.h"
#include "text/tokenizer.h"

namespace jikji {

// A byte-level BPE tokenizer as its file has it, with what adaptation asks of it.
struct TokenizerFile {
  boost::json::object root;  // tokenizer.json
  std::string pattern;       // how it cuts text; one that has a scanner
  ScanRules rules;           // of that pattern
  std::shared_ptr<const Tokenizer> tokenizer;

  // A folder with tokenizer.json, or with vocab.json, merges.txt and tokenizer_config.json as Qwen
  // and GPT-2 published them; or a tokenizer.json itself. kUnsupported where it is no byte-level
  // BPE whose pattern has a scanner.
  static Result<TokenizerFile> Open(const std::filesystem::path& path);
};

// A new tokenizer: `special` tokens have the first ids, then the 256 bytes, then what the merges
// make. `tokens` are bytes by id (special ones as they are written).
boost::json::object NewTokenizerJson(std::string_view pattern, std::span<const std::string> special,
                                     std::span<const std::string> tokens,
                                     std::span<const LearntMerge> merges);

// Adds tokens from id `first` on, and merges after those there are, to `root`. Added tokens become
// part of the vocabulary, so that they keep their ids.
Result<> AppendTokens(boost::json::object& root, std::span<const std::string> tokens, size_t first,
                      std::span<const LearntMerge> merges);

}  // namespace jikji

#endif  // JIKJI_ADAPT_TOKENIZER_TOKENIZER_FILE_H_
