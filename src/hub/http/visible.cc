#include "hub/http/visible.h"

#include <algorithm>

namespace jikji::hub {
namespace {

constexpr size_t kModelsPerPage = 100;

}  // namespace

HttpResult<VisiblePage> ListVisible(Call& call, const FormFields& query,
                                    const std::function<bool(const Visible&)>& wanted) {
  JIKJI_ASSIGN(size_t limit, NumberOf(query, "limit", kModelsPerPage, 1000));
  limit = std::max<size_t>(1, limit);
  std::string after = FieldOf(query, "cursor");
  VisiblePage page;
  bool more = true;
  // Those that the caller may not see, or does not want, make a page need further look-ups.
  while (more && page.items.size() < limit) {
    JIKJI_ASSIGN(const std::vector<Repository> found,
                 ListRepositories(call.database, call.kind, FieldOf(query, "search"),
                                  FieldOf(query, "author"), after, limit + 1));
    more = found.size() > limit;
    for (const Repository& repository : found) {
      if (page.items.size() == limit) {
        more = true;
        break;
      }
      after = repository.name;
      if (!MaySee(call.account, repository)) continue;
      JIKJI_ASSIGN(const Commit tip, ResolveRevision(call.database, repository.id, "main"));
      JIKJI_ASSIGN(const auto listing, call.hub.ListingOf(call.database, tip.tree));
      Visible item{repository, tip, CardIn(call.hub, *listing)};
      if (wanted(item)) page.items.push_back(std::move(item));
    }
  }
  if (more) page.next = after;
  return page;
}

}  // namespace jikji::hub
