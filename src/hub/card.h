// The card of a model: what the front matter of README.md declares.
//
// The part of YAML that cards are written in: scalars, lists in either form, and nested blocks,
// which are passed over. Nothing is executed, no tag or anchor is followed.
#ifndef JIKJI_HUB_CARD_H_
#define JIKJI_HUB_CARD_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::hub {

struct Card {
  // Top-level keys to their values; a scalar is a list of one. Nested blocks have no values.
  std::map<std::string, std::vector<std::string>> fields;
  std::string body;  // the text behind the front matter

  std::string First(std::string_view key) const;
  std::vector<std::string> All(std::string_view key) const;
};

// A text without front matter is a card that declares nothing. kMalformed where the front matter
// does not end or is not what cards are written in.
Result<Card> ParseCard(std::string_view text);

// A thing to mend in a card, in both languages.
struct CardProblem {
  std::string english;
  std::string korean;
};
struct CardReport {
  std::vector<CardProblem> errors;  // a commit with these is refused
  std::vector<CardProblem> warnings;
};
// The licence is a known one (or `other` with its name), base models are called OWNER/NAME, their
// relation is one that there is.
CardReport CheckCard(std::string_view text);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_CARD_H_
