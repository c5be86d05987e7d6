#include "api/special_spellings.h"

#include <algorithm>
#include <iterator>

namespace jikji {
namespace {

// The entries of a sorted list that begin with a text given byte by byte.
class PrefixRange {
 public:
  explicit PrefixRange(const std::vector<std::string>& sorted)
      : begin_(sorted.begin()), end_(sorted.end()) {}

  // False once no entry begins with the bytes so far.
  bool Narrow(char byte) {
    const size_t depth = depth_++;
    const auto key = [depth](const std::string& text) {
      // An entry that ends here sorts before every one that goes on.
      return text.size() > depth ? static_cast<int>(static_cast<unsigned char>(text[depth])) : -1;
    };
    const auto range = std::ranges::equal_range(
        begin_, end_, static_cast<int>(static_cast<unsigned char>(byte)), {}, key);
    begin_ = range.begin();
    end_ = range.end();
    return begin_ != end_;
  }

  // True where the bytes so far are an entry: it is the shortest of those left.
  bool Complete() const { return begin_ != end_ && begin_->size() == depth_; }
  // True where an entry goes on after the bytes so far: the longest sorts last.
  bool Longer() const { return begin_ != end_ && std::prev(end_)->size() > depth_; }

 private:
  std::vector<std::string>::const_iterator begin_, end_;
  size_t depth_ = 0;
};

// The length of the longest end of `text`, shorter than `limit`, that properly begins an entry.
size_t LongestOpenEnd(std::string_view text, const std::vector<std::string>& sorted, size_t limit) {
  for (size_t begin = text.size() < limit ? 0 : text.size() - limit + 1; begin < text.size();
       ++begin) {
    PrefixRange range(sorted);
    size_t at = begin;
    while (at < text.size() && range.Narrow(text[at])) ++at;
    if (at == text.size() && range.Longer()) return text.size() - begin;
  }
  return 0;
}

}  // namespace

SpecialSpellings::SpecialSpellings(const Tokenizer& tokenizer) {
  for (TokenId id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.IsSpecial(id)) spellings_.emplace_back(tokenizer.TokenBytes(id));
  }
  std::erase(spellings_, std::string());
  // Bytes in order, as unsigned: what char_traits<char> compares by.
  std::ranges::sort(spellings_);
  const auto repeated = std::ranges::unique(spellings_);
  spellings_.erase(repeated.begin(), repeated.end());
  for (const std::string& spelling : spellings_) {
    starts_[static_cast<unsigned char>(spelling.front())] = true;
    longest_ = std::max(longest_, spelling.size());
    reversed_.emplace_back(spelling.rbegin(), spelling.rend());
  }
  std::ranges::sort(reversed_);
}

std::vector<TextSpan> SpecialSpellings::FindWhole(std::string_view text) const {
  std::vector<TextSpan> spans;
  for (size_t begin = 0; begin < text.size();) {
    if (!starts_[static_cast<unsigned char>(text[begin])]) {
      ++begin;
      continue;
    }
    PrefixRange range(spellings_);
    size_t found = 0;
    for (size_t at = begin; at < text.size() && range.Narrow(text[at]); ++at) {
      if (range.Complete()) found = at + 1;
    }
    if (found > 0) {
      spans.push_back({begin, found});
      begin = found;
    } else {
      ++begin;
    }
  }
  return spans;
}

std::vector<TextSpan> SpecialSpellings::FindFragments(std::string_view text,
                                                      const std::vector<TextSpan>& whole) const {
  std::vector<TextSpan> spans;
  if (text.empty() || spellings_.empty()) return spans;
  if (whole.empty() && text.size() < longest_ &&
      std::ranges::any_of(spellings_, [&](const std::string& spelling) {
        return spelling.size() > text.size() && spelling.find(text) != std::string::npos;
      })) {
    spans.push_back({0, text.size()});
    return spans;
  }
  const size_t from = whole.empty() ? 0 : whole.back().end;
  const size_t to = whole.empty() ? text.size() : whole.front().begin;
  const std::string_view head = text.substr(0, std::min(to, longest_));
  const std::string backwards(head.rbegin(), head.rend());
  const size_t start = LongestOpenEnd(backwards, reversed_, longest_);
  if (start > 0) spans.push_back({0, start});
  const size_t end = LongestOpenEnd(text.substr(from), spellings_, longest_);
  // What the start has taken already is protected.
  const size_t end_begin = std::max(text.size() - end, start);
  if (end > 0 && end_begin < text.size()) spans.push_back({end_begin, text.size()});
  return spans;
}

}  // namespace jikji
