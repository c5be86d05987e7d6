// Pre-tokenizers: the stages that cut a text into the pieces a model sees, as tokenizer.json names
// them. A stage may also change the text (Metaspace, a prefix space).
#ifndef JIKJI_TEXT_SPLITTER_H_
#define JIKJI_TEXT_SPLITTER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/piece_sink.h"
#include "text/regex.h"
#include "text/scanner.h"

namespace jikji {

// Thread-safe once made.
class Splitter {
 public:
  virtual ~Splitter() = default;
  // `text` is well-formed UTF-8. Gives the pieces in order.
  virtual void Split(std::string_view text, bool at_start, PieceSink& sink) const = 0;
};

// What becomes of the matches of a pattern, in the words of tokenizer.json.
enum class SplitBehavior { kRemoved, kIsolated, kMergedWithPrevious, kMergedWithNext, kContiguous };

std::unique_ptr<Splitter> MakeScanSplitter(const ScanRules& rules);
// `invert`: the pattern matches the pieces, not what parts them.
std::unique_ptr<Splitter> MakeRegexSplitter(Regex regex, SplitBehavior behavior, bool invert);
std::unique_ptr<Splitter> MakeStringSplitter(std::string pattern, SplitBehavior behavior,
                                             bool invert);

// Any of `flags` (CharFlag) or of the ASCII `characters` is a match.
std::unique_ptr<Splitter> MakeCharSplitter(uint8_t flags, std::string characters,
                                           SplitBehavior behavior);

enum class PrependScheme { kFirst, kNever, kAlways };
// Spaces become `replacement`, one is put before the text, and with `split` a piece begins at each.
std::unique_ptr<Splitter> MakeMetaspace(std::string replacement, PrependScheme scheme, bool split);

// A space before each piece that begins with none.
std::unique_ptr<Splitter> MakePrefixSpace();

std::unique_ptr<Splitter> MakeSequence(std::vector<std::unique_ptr<Splitter>> stages);

}  // namespace jikji

#endif  // JIKJI_TEXT_SPLITTER_H_
