// What a caller may see of a hub, as lists and pages show it: repositories with their cards.
#ifndef JIKJI_HUB_HTTP_VISIBLE_H_
#define JIKJI_HUB_HTTP_VISIBLE_H_

#include <functional>
#include <string>
#include <vector>

#include "hub/card.h"
#include "hub/http/call.h"

namespace jikji::hub {

// The card that a revision holds; an empty one where there is none that can be read.
Card CardOf(const Call& call, const Listing& listing);

struct Visible {
  Repository repository;
  Commit tip;
  Card card;
};
struct VisiblePage {
  std::vector<Visible> items;
  std::string next;  // `cursor` of the next page; empty: this is the last
};
// Of call.kind, by name. `query` may hold `search`, `author`, `cursor` and `limit`.
HttpResult<VisiblePage> ListVisible(Call& call, const FormFields& query,
                                    const std::function<bool(const Visible&)>& wanted);

}  // namespace jikji::hub

#endif  // JIKJI_HUB_HTTP_VISIBLE_H_
