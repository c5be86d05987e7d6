// Hand-written scanners for the pre-tokenizer patterns that nearly all models share.
//
// Each gives exactly the matches of its pattern (scanner_test.cc holds them to PCRE2) in one pass
// whose cost is linear in the text. A pattern is recognised by its exact spelling; any other goes
// to PCRE2 (regex.h).
#ifndef JIKJI_TEXT_SCANNER_H_
#define JIKJI_TEXT_SCANNER_H_

#include <optional>
#include <string_view>

#include "text/piece_sink.h"

namespace jikji {

struct ScanRules {
  enum class Family { kGpt2, kCl100k, kO200k };
  // Which of 's 't 're 've 'm 'll 'd are pieces: as written, in ASCII's both cases, or as Unicode
  // folds case (U+017F is an s).
  enum class Contractions { kNone, kLowerCase, kAsciiCase, kAnyCase };
  Family family = Family::kGpt2;
  Contractions contractions = Contractions::kLowerCase;
  int max_digits = 0;                   // of one piece of numbers; 0: no limit (GPT-2)
  bool slash_ends_punctuation = false;  // [\r\n/]* after punctuation, not [\r\n]*
};

// The patterns as tokenizer.json and tiktoken spell them.
extern const std::string_view kGpt2Pattern;
extern const std::string_view kCl100kPattern;  // Llama 3's too
extern const std::string_view kQwen2Pattern;
extern const std::string_view kO200kPattern;
extern const std::string_view kTekkenPattern;  // Mistral's

// nullopt for a pattern that has no scanner.
std::optional<ScanRules> FindScanner(std::string_view pattern);

// `text` is well-formed UTF-8. The pieces cover it.
void Scan(const ScanRules& rules, std::string_view text, bool at_start, PieceSink& sink);

}  // namespace jikji

#endif  // JIKJI_TEXT_SCANNER_H_
