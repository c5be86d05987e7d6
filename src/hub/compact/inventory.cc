#include "hub/compact/inventory.h"

#include <algorithm>
#include <map>
#include <set>

#include "hub/names.h"
#include "hub/small_file.h"

namespace jikji::hub {
namespace {

bool HoldsWeights(std::string_view path) {
  return path.ends_with(".safetensors") || path.ends_with(".gguf");
}

struct Forms {
  std::map<std::string, std::vector<std::string>> sources;
  std::set<std::string> needed;
};

Result<Forms> ReadForms(Database& database) {
  JIKJI_ASSIGN(const SqlRows rows, database.Run("SELECT digest, source FROM compact_blobs"));
  Forms out;
  for (size_t row = 0; row < rows.size(); ++row) {
    out.sources[rows.Text(row, 0)].push_back(rows.Text(row, 1));
    out.needed.insert(rows.Text(row, 1));
  }
  return out;
}

}  // namespace

Result<std::vector<WeightFile>> ListWeights(Hub& hub, Database& database, uint64_t least_bytes) {
  JIKJI_ASSIGN(const Forms forms, ReadForms(database));
  JIKJI_ASSIGN(const SqlRows named,
               database.Run("SELECT id, folded FROM repositories WHERE kind = 'model'"));
  std::map<std::string, int64_t, std::less<>> by_name;
  for (size_t row = 0; row < named.size(); ++row) by_name[named.Text(row, 1)] = named.Int(row, 0);
  JIKJI_ASSIGN(const SqlRows commits,
               database.Run("SELECT c.tree, c.repository, r.name FROM commits c JOIN repositories "
                            "r ON r.id = c.repository ORDER BY c.created_at, c.repository"));
  std::vector<WeightFile> out;
  std::set<std::string> trees;
  std::set<Digest> seen;
  for (size_t row = 0; row < commits.size(); ++row) {
    if (!trees.insert(commits.Text(row, 0)).second) continue;
    JIKJI_ASSIGN(const auto listing, hub.ListingOf(database, commits.Text(row, 0)));
    std::vector<int64_t> bases;
    bool read = false;  // the card, for the first file that is new
    for (const auto& [path, file] : *listing) {
      if (!HoldsWeights(path) || file.size < least_bytes) continue;
      if (!seen.insert(file.digest).second) continue;
      if (!read) {
        for (const std::string& base : CardIn(hub, *listing).All("base_model")) {
          const auto found = by_name.find(Folded(base));
          if (found != by_name.end()) bases.push_back(found->second);
        }
        read = true;
      }
      const std::string hex = HexOf(file.digest);
      const auto made = forms.sources.find(hex);
      out.push_back({file.digest, file.size, path, commits.Int(row, 1), commits.Text(row, 2), bases,
                     made == forms.sources.end() ? std::vector<std::string>() : made->second,
                     forms.needed.contains(hex)});
    }
  }
  std::ranges::stable_partition(out, [](const WeightFile& file) { return file.bases.empty(); });
  return out;
}

}  // namespace jikji::hub
