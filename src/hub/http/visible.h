// What a caller may see of a hub, as lists and pages show it: repositories with their cards.
#ifndef JIKJI_HUB_HTTP_VISIBLE_H_
#define JIKJI_HUB_HTTP_VISIBLE_H_

#include <functional>
#include <string>
#include <vector>

#include "hub/http/call.h"
#include "hub/small_file.h"

namespace jikji::hub {

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
