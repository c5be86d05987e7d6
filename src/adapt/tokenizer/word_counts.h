// How often each piece of a text comes, cut as a tokenizer cuts it: all that training BPE needs to
// know of a corpus.
#ifndef JIKJI_ADAPT_TOKENIZER_WORD_COUNTS_H_
#define JIKJI_ADAPT_TOKENIZER_WORD_COUNTS_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/thread_pool.h"
#include "text/scanner.h"

namespace jikji {

struct CorpusCounts {
  int64_t bytes = 0, characters = 0, lines = 0;
  int64_t bad_lines = 0;  // not UTF-8; left out
};

class WordCounts {
 public:
  // Lines of text files, plain or .zst. A line's end is a piece of its own place, so lines are
  // counted with it, as a document would be. `progress` is told the share read.
  static Result<WordCounts> Read(std::span<const std::filesystem::path> files,
                                 const ScanRules& rules, ThreadPool& pool,
                                 const std::function<void(double)>& progress = {});

  struct Word {
    std::string text;
    int64_t count = 0;
  };
  // Most frequent first; of equal counts the lesser text first. No piece is longer than
  // kMaxWordBytes: longer ones (long runs of one character) teach nothing.
  const std::vector<Word>& words() const { return words_; }
  const CorpusCounts& corpus() const { return corpus_; }

 private:
  std::vector<Word> words_;
  CorpusCounts corpus_;
};

inline constexpr size_t kMaxWordBytes = 256;

}  // namespace jikji

#endif  // JIKJI_ADAPT_TOKENIZER_WORD_COUNTS_H_
