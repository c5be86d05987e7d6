#include "adapt/tokenizer/word_counts.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/line_reader.h"
#include "base/utf8.h"
#include "text/string_table.h"

namespace jikji {
namespace {

constexpr size_t kBatchBytes = 8u << 20;  // of lines, scanned by all threads together

struct Hash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return HashBytes(text); }
};
using Table = std::unordered_map<std::string, int64_t, Hash, std::equal_to<>>;

class Counter : public PieceSink {
 public:
  void Take(std::string_view piece, bool) override {
    if (piece.size() > kMaxWordBytes) return;
    if (const auto found = table.find(piece); found != table.end()) {
      ++found->second;
    } else {
      table.emplace(piece, 1);
    }
  }
  Table table;
};

// A share of a batch: every text of whole lines.
struct Shard {
  Counter counter;
};

int64_t CountCharacters(std::string_view text) {
  return std::ranges::count_if(text, [](char c) { return (c & 0xC0) != 0x80; });
}

}  // namespace

Result<WordCounts> WordCounts::Read(std::span<const std::filesystem::path> files,
                                    const ScanRules& rules, ThreadPool& pool,
                                    const std::function<void(double)>& progress) {
  WordCounts out;
  // One table a shard, whichever thread scans it: the sums do not depend on it.
  std::vector<Shard> shards(pool.size());
  std::vector<std::string> batch(shards.size());
  size_t held = 0, next = 0;
  const auto scan = [&] {
    pool.ParallelFor(shards.size(), 1, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) {
        Scan(rules, batch[i], false, shards[i].counter);
        batch[i].clear();
      }
    });
    held = 0;
  };
  for (size_t i = 0; i < files.size(); ++i) {
    JIKJI_ASSIGN(LineReader reader, LineReader::Open(files[i]));
    while (true) {
      JIKJI_ASSIGN(const auto line, reader.Next());
      if (!line) break;
      if (!IsValidUtf8(*line)) {
        ++out.corpus_.bad_lines;
        continue;
      }
      ++out.corpus_.lines;
      out.corpus_.bytes += static_cast<int64_t>(line->size()) + 1;
      out.corpus_.characters += CountCharacters(*line) + 1;
      // A shard takes whole stretches of lines, so that ends of lines lie as in the text.
      std::string& text = batch[next];
      text += *line;
      text += '\n';
      held += line->size() + 1;
      if (text.size() >= kBatchBytes / shards.size()) next = (next + 1) % shards.size();
      if (held >= kBatchBytes) {
        scan();
        next = 0;
        if (progress) {
          progress((static_cast<double>(i) + static_cast<double>(reader.bytes_read()) /
                                                 static_cast<double>(reader.bytes_total())) /
                   static_cast<double>(files.size()));
        }
      }
    }
  }
  scan();
  Table& all = shards[0].counter.table;
  for (size_t i = 1; i < shards.size(); ++i) {
    for (const auto& [text, count] : shards[i].counter.table) all[text] += count;
    shards[i].counter.table.clear();
  }
  out.words_.reserve(all.size());
  for (auto& [text, count] : all) out.words_.push_back({text, count});
  std::ranges::sort(out.words_, [](const Word& a, const Word& b) {
    return std::tie(b.count, a.text) < std::tie(a.count, b.text);
  });
  return out;
}

}  // namespace jikji
