#include "hub/bom/bom.h"
#include "hub/small_file.h"

namespace jikji::hub {
Result<BomSource> ReadBomSource(Hub& hub, Database& database, const Repository& repository,
                                const Commit& commit, const std::string& url) {
  BomSource out{repository, commit, {}, nullptr, {}, {}};
  JIKJI_ASSIGN(out.files, hub.ListingOf(database, commit.tree));
  out.card = CardIn(hub, *out.files);
  JIKJI_ASSIGN(out.lineage, KeptLineage(database, repository.id, commit.oid));
  if (out.lineage.empty()) {
    for (const std::string& base : out.card.All("base_model")) {
      Ancestor ancestor;
      ancestor.base = base;
      ancestor.relation = out.card.First("base_model_relation");
      ancestor.english = "the card says so";
      ancestor.korean = "카드에 적혀 있습니다";
      out.lineage.push_back(std::move(ancestor));
    }
  }
  out.download = url + "/" + repository.name + "/tree/" + commit.oid;
  return out;
}

}  // namespace jikji::hub
