#include "text/unigram.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "text/unicode_table.h"

namespace jikji {
namespace {

// What an unknown character costs beside the worst token, in SentencePiece and its followers.
constexpr double kUnknownPenalty = 10.0;

}  // namespace

Unigram::Unigram(UnigramParts parts) : parts_(std::move(parts)) {
  double lowest = std::numeric_limits<double>::infinity();
  token_at_.push_back(-1);
  for (TokenId id = 0; id < parts_.tokens.size(); ++id) {
    const auto index = static_cast<size_t>(id);
    lowest = std::min(lowest, parts_.scores[index]);
    if (index < parts_.not_in_text.size() && parts_.not_in_text[index]) continue;
    const std::string_view text = parts_.tokens[id];
    if (text.empty()) continue;
    uint32_t node = 0;
    for (const char c : text) {
      const uint64_t key = static_cast<uint64_t>(node) << 8 | static_cast<uint8_t>(c);
      const auto [edge, added] = edges_.emplace(key, static_cast<uint32_t>(token_at_.size()));
      if (added) token_at_.push_back(-1);
      node = edge->second;
    }
    token_at_[node] = id;
  }
  unknown_score_ = lowest - kUnknownPenalty;
}

void Unigram::EmitUnknown(std::string_view text, std::vector<TokenId>& out) const {
  const auto token = [&](char byte) { return parts_.byte_tokens[static_cast<uint8_t>(byte)]; };
  if (std::all_of(text.begin(), text.end(), [&](char byte) { return token(byte) >= 0; })) {
    for (const char byte : text) out.push_back(token(byte));
  } else if (parts_.unknown >= 0) {
    out.push_back(parts_.unknown);
  }
}

void Unigram::Encode(std::string_view piece, std::vector<TokenId>& out) const {
  std::vector<Node> best(piece.size() + 1);
  const auto reach = [&](size_t begin, size_t end, double score, TokenId token) {
    if (best[end].begin == UINT32_MAX || score > best[end].score) {
      best[end] = {score, static_cast<uint32_t>(begin), token};
    }
  };
  for (size_t begin = 0; begin < piece.size();) {
    const double score = best[begin].score;
    const size_t length = FirstChar(piece.substr(begin)).length;
    bool single = false;
    uint32_t node = 0;
    for (size_t end = begin; end < piece.size(); ++end) {
      const auto edge =
          edges_.find(static_cast<uint64_t>(node) << 8 | static_cast<uint8_t>(piece[end]));
      if (edge == edges_.end()) break;
      node = edge->second;
      const TokenId token = token_at_[node];
      if (token < 0) continue;
      reach(begin, end + 1, score + parts_.scores[static_cast<size_t>(token)],
            token == parts_.unknown ? kUnknown : token);
      single = single || end + 1 - begin == length;
    }
    if (!single) reach(begin, begin + length, score + unknown_score_, kUnknown);
    begin += length;
  }
  // Backwards along the best way; neighbouring unknown characters are one.
  struct Found {
    size_t begin;
    size_t end;
    TokenId token;
  };
  std::vector<Found> found;
  for (size_t end = piece.size(); end > 0;) {
    const Node& node = best[end];
    if (node.token == kUnknown && !found.empty() && found.back().token == kUnknown) {
      found.back().begin = node.begin;
    } else {
      found.push_back({node.begin, end, node.token});
    }
    end = node.begin;
  }
  for (size_t i = found.size(); i-- > 0;) {
    if (found[i].token == kUnknown) {
      EmitUnknown(piece.substr(found[i].begin, found[i].end - found[i].begin), out);
    } else {
      out.push_back(found[i].token);
    }
  }
}

}  // namespace jikji
