#include "text/splitter.h"

#include <functional>
#include <utility>

#include "text/unicode_table.h"

namespace jikji {
namespace {

struct Span {
  size_t begin = 0;
  size_t end = 0;
  bool match = false;
};

// The matches and what is between them, covering the text, become pieces.
class SpanSplitter : public Splitter {
 public:
  SpanSplitter(SplitBehavior behavior, bool invert) : behavior_(behavior), invert_(invert) {}

  void Split(std::string_view text, bool at_start, PieceSink& sink) const override {
    std::vector<Span> spans;
    size_t last = 0;
    FindMatches(text, [&](size_t begin, size_t end) {
      if (begin > last) spans.push_back({last, begin, invert_});
      spans.push_back({begin, end, !invert_});
      last = end;
    });
    if (last < text.size()) spans.push_back({last, text.size(), invert_});
    for (const Span& span : Join(std::move(spans))) {
      sink.Take(text.substr(span.begin, span.end - span.begin), at_start && span.begin == 0);
    }
  }

 protected:
  virtual void FindMatches(std::string_view text,
                           const std::function<void(size_t, size_t)>& found) const = 0;

 private:
  std::vector<Span> Join(std::vector<Span> spans) const {
    std::vector<Span> out;
    switch (behavior_) {
      case SplitBehavior::kIsolated:
        return spans;
      case SplitBehavior::kRemoved:
        std::erase_if(spans, [](const Span& span) { return span.match; });
        return spans;
      case SplitBehavior::kContiguous:
        for (const Span& span : spans) {
          if (!out.empty() && out.back().match == span.match) {
            out.back().end = span.end;
          } else {
            out.push_back(span);
          }
        }
        return out;
      case SplitBehavior::kMergedWithPrevious: {
        bool previous_match = false;
        for (const Span& span : spans) {
          if (span.match && !previous_match && !out.empty()) {
            out.back().end = span.end;
          } else {
            out.push_back(span);
          }
          previous_match = span.match;
        }
        return out;
      }
      case SplitBehavior::kMergedWithNext: {
        bool next_match = false;
        for (size_t i = spans.size(); i-- > 0;) {
          if (spans[i].match && !next_match && !out.empty()) {
            out.back().begin = spans[i].begin;
          } else {
            out.push_back(spans[i]);
          }
          next_match = spans[i].match;
        }
        return {out.rbegin(), out.rend()};
      }
    }
    return spans;
  }

  const SplitBehavior behavior_;
  const bool invert_;
};

class RegexSplitter : public SpanSplitter {
 public:
  RegexSplitter(Regex regex, SplitBehavior behavior, bool invert)
      : SpanSplitter(behavior, invert), regex_(std::move(regex)) {}

 protected:
  void FindMatches(std::string_view text,
                   const std::function<void(size_t, size_t)>& found) const override {
    regex_.ForEachMatch(text, found);
  }

 private:
  const Regex regex_;
};

class StringSplitter : public SpanSplitter {
 public:
  StringSplitter(std::string pattern, SplitBehavior behavior, bool invert)
      : SpanSplitter(behavior, invert), pattern_(std::move(pattern)) {}

 protected:
  void FindMatches(std::string_view text,
                   const std::function<void(size_t, size_t)>& found) const override {
    if (pattern_.empty()) return;
    for (size_t at = text.find(pattern_); at != text.npos;
         at = text.find(pattern_, at + pattern_.size())) {
      found(at, at + pattern_.size());
    }
  }

 private:
  const std::string pattern_;
};

class CharSplitter : public SpanSplitter {
 public:
  CharSplitter(uint8_t flags, std::string characters, SplitBehavior behavior)
      : SpanSplitter(behavior, false), flags_(flags), characters_(std::move(characters)) {}

 protected:
  void FindMatches(std::string_view text,
                   const std::function<void(size_t, size_t)>& found) const override {
    const UnicodeTable& table = UnicodeTable::Get();
    for (size_t at = 0; at < text.size();) {
      const CharAt c = FirstChar(text.substr(at));
      const bool listed = c.code < 0x80 && characters_.find(text[at]) != std::string::npos;
      if (listed || (table.Flags(c.code) & flags_) != 0) found(at, at + c.length);
      at += c.length;
    }
  }

 private:
  const uint8_t flags_;
  const std::string characters_;
};

class ScanSplitter : public Splitter {
 public:
  explicit ScanSplitter(const ScanRules& rules) : rules_(rules) {}
  void Split(std::string_view text, bool at_start, PieceSink& sink) const override {
    Scan(rules_, text, at_start, sink);
  }

 private:
  const ScanRules rules_;
};

class Metaspace : public Splitter {
 public:
  Metaspace(std::string replacement, PrependScheme scheme, bool split)
      : replacement_(std::move(replacement)), scheme_(scheme), split_(split) {}

  void Split(std::string_view text, bool at_start, PieceSink& sink) const override {
    std::string changed;
    changed.reserve(text.size() + text.size() / 2 + replacement_.size());
    const bool prepend =
        scheme_ == PrependScheme::kAlways || (scheme_ == PrependScheme::kFirst && at_start);
    if (prepend && !text.starts_with(' ') && !text.starts_with(replacement_)) {
      changed += replacement_;
    }
    while (!text.empty()) {
      const size_t space = std::min(text.find(' '), text.size());
      changed += text.substr(0, space);
      if (space < text.size()) changed += replacement_;
      text.remove_prefix(std::min(space + 1, text.size()));
    }
    if (!split_) {
      sink.Take(changed, at_start);
    } else {
      const StringSplitter splitter(replacement_, SplitBehavior::kMergedWithNext, false);
      splitter.Split(changed, at_start, sink);
    }
  }

 private:
  const std::string replacement_;
  const PrependScheme scheme_;
  const bool split_;
};

class PrefixSpace : public Splitter {
 public:
  void Split(std::string_view text, bool at_start, PieceSink& sink) const override {
    if (text.starts_with(' ')) {
      sink.Take(text, at_start);
    } else {
      std::string changed = " ";
      changed += text;
      sink.Take(changed, at_start);
    }
  }
};

class Sequence : public Splitter {
 public:
  explicit Sequence(std::vector<std::unique_ptr<Splitter>> stages) : stages_(std::move(stages)) {}

  void Split(std::string_view text, bool at_start, PieceSink& sink) const override {
    Run(0, text, at_start, sink);
  }

 private:
  struct Next : PieceSink {
    Next(const Sequence& s, size_t i, PieceSink& l) : sequence(s), stage(i), last(l) {}
    void Take(std::string_view piece, bool at_start) override {
      sequence.Run(stage, piece, at_start, last);
    }
    const Sequence& sequence;
    const size_t stage;
    PieceSink& last;
  };

  void Run(size_t stage, std::string_view text, bool at_start, PieceSink& last) const {
    if (stage == stages_.size()) return last.Take(text, at_start);
    if (stage + 1 == stages_.size()) return stages_[stage]->Split(text, at_start, last);
    Next next(*this, stage + 1, last);
    stages_[stage]->Split(text, at_start, next);
  }

  const std::vector<std::unique_ptr<Splitter>> stages_;
};

}  // namespace

std::unique_ptr<Splitter> MakeScanSplitter(const ScanRules& rules) {
  return std::make_unique<ScanSplitter>(rules);
}

std::unique_ptr<Splitter> MakeRegexSplitter(Regex regex, SplitBehavior behavior, bool invert) {
  return std::make_unique<RegexSplitter>(std::move(regex), behavior, invert);
}

std::unique_ptr<Splitter> MakeStringSplitter(std::string pattern, SplitBehavior behavior,
                                             bool invert) {
  return std::make_unique<StringSplitter>(std::move(pattern), behavior, invert);
}

std::unique_ptr<Splitter> MakeCharSplitter(uint8_t flags, std::string characters,
                                           SplitBehavior behavior) {
  return std::make_unique<CharSplitter>(flags, std::move(characters), behavior);
}

std::unique_ptr<Splitter> MakeMetaspace(std::string replacement, PrependScheme scheme, bool split) {
  return std::make_unique<Metaspace>(std::move(replacement), scheme, split);
}

std::unique_ptr<Splitter> MakePrefixSpace() { return std::make_unique<PrefixSpace>(); }

std::unique_ptr<Splitter> MakeSequence(std::vector<std::unique_ptr<Splitter>> stages) {
  return std::make_unique<Sequence>(std::move(stages));
}

}  // namespace jikji
