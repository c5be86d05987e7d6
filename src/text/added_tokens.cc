#include "text/added_tokens.h"

#include <algorithm>
#include <utility>

#include "text/unicode_table.h"

namespace jikji {
namespace {

CharAt LastChar(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (text[at] & 0xC0) == 0x80) --at;
  return FirstChar(text.substr(at));
}

bool IsWord(char32_t code) {
  return code == '_' || (UnicodeTable::Get().Flags(code) & (kLetter | kNumber | kMark)) != 0;
}

bool IsSpaceChar(char32_t code) { return (UnicodeTable::Get().Flags(code) & kSpace) != 0; }

}  // namespace

AddedTokenMatcher::AddedTokenMatcher(std::vector<AddedToken> tokens) : tokens_(std::move(tokens)) {
  std::erase_if(tokens_, [](const AddedToken& token) { return token.content.empty(); });
  uint32_t nodes = 1;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    uint32_t node = 0;
    for (const char c : tokens_[i].content) {
      const auto byte = static_cast<uint8_t>(c);
      const auto [edge, added] = edges_.emplace(static_cast<uint64_t>(node) << 8 | byte, nodes);
      if (added) ++nodes;
      node = edge->second;
    }
    first_[static_cast<uint8_t>(tokens_[i].content[0])] = true;
    token_at_.emplace(node, static_cast<uint32_t>(i));
  }
}

const AddedToken* AddedTokenMatcher::Match(std::string_view text, size_t at) const {
  const AddedToken* best = nullptr;
  uint32_t node = 0;
  for (; at < text.size(); ++at) {
    const auto edge =
        edges_.find(static_cast<uint64_t>(node) << 8 | static_cast<uint8_t>(text[at]));
    if (edge == edges_.end()) break;
    node = edge->second;
    if (const auto token = token_at_.find(node); token != token_at_.end()) {
      best = &tokens_[token->second];
    }
  }
  return best;
}

std::vector<AddedTokenMatcher::Part> AddedTokenMatcher::Split(std::string_view text,
                                                              bool parse_special) const {
  std::vector<Part> parts;
  size_t done = 0;
  size_t at = 0;
  while (at < text.size()) {
    if (!first_[static_cast<uint8_t>(text[at])]) {
      ++at;
      continue;
    }
    const AddedToken* token = Match(text, at);
    if (token == nullptr) {
      ++at;
      continue;
    }
    size_t begin = at;
    size_t end = at + token->content.size();
    at = end;
    if (token->special && !parse_special) continue;
    if (token->single_word && ((begin > 0 && IsWord(LastChar(text.substr(0, begin)).code)) ||
                               (end < text.size() && IsWord(FirstChar(text.substr(end)).code)))) {
      continue;
    }
    while (token->lstrip && begin > done) {
      const CharAt c = LastChar(text.substr(0, begin));
      if (!IsSpaceChar(c.code)) break;
      begin -= c.length;
    }
    while (token->rstrip && end < text.size()) {
      const CharAt c = FirstChar(text.substr(end));
      if (!IsSpaceChar(c.code)) break;
      end += c.length;
    }
    begin = std::max(begin, done);
    if (done < begin) parts.push_back({done, begin, -1});
    parts.push_back({begin, end, token->id});
    done = end;
    at = std::max(at, end);
  }
  if (done < text.size()) parts.push_back({done, text.size(), -1});
  return parts;
}

}  // namespace jikji
