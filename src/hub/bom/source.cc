#include "base/file.h"
#include "hub/bom/bom.h"

namespace jikji::hub {
namespace {

constexpr uint64_t kMaxCardBytes = 4u << 20;

}  // namespace

Result<BomSource> ReadBomSource(Hub& hub, Database& database, const Repository& repository,
                                const Commit& commit, const std::string& url) {
  BomSource out{repository, commit, {}, nullptr, {}, {}};
  JIKJI_ASSIGN(out.files, hub.ListingOf(database, commit.tree));
  const auto card = out.files->find("README.md");
  if (card != out.files->end() && card->second.size <= kMaxCardBytes) {
    JIKJI_ASSIGN(const OpenFile file, hub.blobs().OpenBlob(card->second.digest));
    std::string text(file.size(), '\0');
    JIKJI_RETURN_IF_ERROR(file.Read(0, text));
    out.card = ParseCard(text).value_or(Card{});
  }
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
