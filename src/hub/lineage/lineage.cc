#include "hub/lineage/lineage.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "adapt/convert/convert.h"
#include "base/file.h"
#include "base/json.h"
#include "hub/lineage/lay_out.h"
#include "hub/lineage/rerun.h"
#include "hub/small_file.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::array<std::string_view, 3> kStandings = {"claimed", "consistent", "proved"};

// The model of a folder: the folder itself, or the GGUF files in it.
std::vector<fs::path> ModelsIn(const Listing& listing, const fs::path& folder) {
  const bool weights = std::ranges::any_of(
      listing, [](const auto& item) { return item.first.ends_with(".safetensors"); });
  if (weights && listing.contains("config.json")) return {folder};
  std::vector<fs::path> out;
  for (const auto& [path, file] : listing) {
    if (path.ends_with(".gguf")) out.push_back(folder / path);
  }
  return out;
}

void Say(Ancestor& ancestor, Standing standing, std::string english, std::string korean) {
  ancestor.standing = standing;
  ancestor.english = std::move(english);
  ancestor.korean = std::move(korean);
}

// One model with its card, laid out, while its bases are looked at.
class Finder {
 public:
  Finder(Hub& hub, Database& database, ThreadPool& pool, fs::path work)
      : hub_(hub), database_(database), pool_(pool), work_(std::move(work)) {}

  Result<std::vector<Ancestor>> Run(const Commit& commit) {
    JIKJI_ASSIGN(const auto listing, hub_.ListingOf(database_, commit.tree));
    const fs::path model = work_ / "model";
    JIKJI_RETURN_IF_ERROR(LayOut(hub_, *listing, model));
    const Card card = CardIn(hub_, *listing);
    std::vector<Ancestor> out;
    const auto add = [&](const std::string& base) {
      if (std::ranges::find(out, base, &Ancestor::base) != out.end()) return;
      Ancestor ancestor;
      ancestor.base = base;
      ancestor.relation = card.First("base_model_relation");
      out.push_back(std::move(ancestor));
    };
    for (const std::string& base : card.All("base_model")) add(base);
    std::optional<LineageRecipe> recipe;
    if (listing->contains(kRecipeFile)) {
      JIKJI_ASSIGN(const std::string text, ReadFile(model / kRecipeFile, 1u << 20));
      JIKJI_ASSIGN(recipe, ParseLineageRecipe(text));
      for (const auto& [base, revision] : recipe->from) add(base);
    }
    const std::vector<fs::path> models = ModelsIn(*listing, model);
    for (Ancestor& ancestor : out) JIKJI_RETURN_IF_ERROR(Compare(models, recipe, ancestor));
    if (recipe) Prove(*recipe, model, out);
    return out;
  }

 private:
  // Says claimed or consistent. An error only where the hub itself fails.
  Result<> Compare(const std::vector<fs::path>& models, const std::optional<LineageRecipe>& recipe,
                   Ancestor& ancestor) {
    const auto base = FindRepository(database_, "model", ancestor.base);
    if (!base) {
      Say(ancestor, Standing::kClaimed, "it is not on this hub", "이 허브에 없습니다");
      return {};
    }
    std::string revision = "main";
    if (recipe && recipe->from.contains(ancestor.base)) revision = recipe->from.at(ancestor.base);
    const auto tip = ResolveRevision(database_, base->id, revision);
    if (!tip) {
      Say(ancestor, Standing::kClaimed, "it has no revision `" + revision + "`",
          "리비전 `" + revision + "`이(가) 없습니다");
      return {};
    }
    ancestor.commit = tip->oid;
    JIKJI_ASSIGN(const auto listing, hub_.ListingOf(database_, tip->tree));
    const fs::path folder = work_ / "bases" / ancestor.base;
    JIKJI_RETURN_IF_ERROR(LayOut(hub_, *listing, folder));
    const std::vector<fs::path> bases = ModelsIn(*listing, folder);
    if (models.empty() || bases.empty()) {
      Say(ancestor, Standing::kClaimed, "there are no weights to compare",
          "비교할 가중치가 없습니다");
      return {};
    }
    auto compared = CompareFiles(models, bases.front());
    if (!compared) {
      Say(ancestor, Standing::kClaimed, "they cannot be compared: " + compared.error().ToString(),
          "비교할 수 없습니다: " + compared.error().ToString());
      return {};
    }
    ancestor.comparison = *compared;
    const bool alike = compared->alike >= kConsistentShare;
    Say(ancestor, alike ? Standing::kConsistent : Standing::kClaimed,
        fmt::format("{} of {} tensors are its own; {:.0f} % of the weights point where its do",
                    compared->same, compared->tensors, 100 * compared->alike),
        fmt::format("텐서 {1}개 중 {0}개가 그대로이고, 가중치의 {2:.0f}%가 같은 방향입니다",
                    compared->same, compared->tensors, 100 * compared->alike));
    return {};
  }

  // Of several files, the one that is least alike.
  Result<Comparison> CompareFiles(const std::vector<fs::path>& models, const fs::path& base) {
    std::optional<Comparison> least;
    for (const fs::path& model : models) {
      const bool file = model.extension() == ".gguf";
      JIKJI_ASSIGN(const fs::path left, file ? Result<fs::path>(model) : AsFile(model, base));
      JIKJI_ASSIGN(const fs::path right, file ? AsFile(base, model) : Result<fs::path>(base));
      JIKJI_ASSIGN(const auto a, Checkpoint::Open(left));
      JIKJI_ASSIGN(const auto b, Checkpoint::Open(right));
      JIKJI_ASSIGN(const Comparison compared, CompareModels(*a, *b));
      if (!least || compared.alike < least->alike) least = compared;
    }
    return *least;
  }

  // A folder as GGUF, whose names and orders differ, where `other` is one.
  Result<fs::path> AsFile(const fs::path& path, const fs::path& other) {
    if (path.extension() == ".gguf" || other.extension() != ".gguf") return path;
    const fs::path out = work_ / fmt::format("converted-{}.gguf", converted_++);
    JIKJI_RETURN_IF_ERROR(Convert(path, out, {}, pool_));
    return out;
  }

  // Readers see paths of the repositories, not where they are laid out.
  std::string WithoutFolder(std::string text) const {
    for (const fs::path& folder : {work_ / "bases", fs::path(work_)}) {
      const std::string prefix = folder.string() + "/";
      for (size_t at; (at = text.find(prefix)) != std::string::npos;) text.erase(at, prefix.size());
    }
    return text;
  }

  void Prove(const LineageRecipe& recipe, const fs::path& model, std::vector<Ancestor>& lineage) {
    const auto same = MakesTheSame(recipe, model, work_ / "bases", work_ / "again", pool_);
    for (Ancestor& ancestor : lineage) {
      if (!recipe.from.contains(ancestor.base)) continue;
      if (!same) {
        const std::string why = WithoutFolder(same.error().ToString());
        ancestor.english += "; its recipe cannot be followed: " + why;
        ancestor.korean += "; 레시피를 따를 수 없습니다: " + why;
      } else if (*same) {
        Say(ancestor, Standing::kProved,
            "its recipe was run again and gave the same weights, bit for bit",
            "레시피를 다시 실행해 같은 가중치를 비트까지 얻었습니다");
      } else {
        ancestor.english += "; its recipe gives other weights";
        ancestor.korean += "; 레시피로는 다른 가중치가 나옵니다";
      }
    }
  }

  Hub& hub_;
  Database& database_;
  ThreadPool& pool_;
  fs::path work_;
  int converted_ = 0;
};

}  // namespace

std::string_view StandingName(Standing standing) {
  return kStandings[static_cast<size_t>(standing)];
}

Result<std::vector<Ancestor>> FindLineage(Hub& hub, Database& database,
                                          const Repository& repository, const Commit& commit,
                                          ThreadPool& pool) {
  JIKJI_ASSIGN(const WorkFolder work, WorkFolder::Make(hub));
  JIKJI_ASSIGN(std::vector<Ancestor> lineage, Finder(hub, database, pool, work.path()).Run(commit));
  JIKJI_RETURN_IF_ERROR(
      database.Run("INSERT INTO lineages (repository, oid, found) VALUES ($1, $2, $3) ON CONFLICT "
                   "(repository, oid) DO UPDATE SET found = excluded.found",
                   {repository.id, commit.oid, json::serialize(JsonOf(lineage))}));
  return lineage;
}

Result<std::vector<Ancestor>> KeptLineage(Database& database, int64_t repository,
                                          const std::string& commit) {
  JIKJI_ASSIGN(const SqlRows rows,
               database.Run("SELECT found FROM lineages WHERE repository = $1 AND oid = $2",
                            {repository, commit}));
  std::vector<Ancestor> out;
  if (rows.empty()) return out;
  JIKJI_ASSIGN(const json::value found, ParseJson(rows.Text(0, 0), "lineages"));
  for (const json::value& item : found.as_array()) {
    Ancestor ancestor;
    const auto text = [&](std::string_view key) { return std::string(item.at(key).as_string()); };
    ancestor.base = text("base");
    ancestor.relation = text("relation");
    ancestor.commit = text("commit");
    ancestor.english = text("why");
    ancestor.korean = text("why_ko");
    const auto standing = std::ranges::find(kStandings, text("standing"));
    if (standing != kStandings.end()) {
      ancestor.standing = static_cast<Standing>(standing - kStandings.begin());
    }
    out.push_back(std::move(ancestor));
  }
  return out;
}

json::array JsonOf(const std::vector<Ancestor>& lineage) {
  json::array out;
  for (const Ancestor& ancestor : lineage) {
    json::object item{{"base", ancestor.base},     {"relation", ancestor.relation},
                      {"commit", ancestor.commit}, {"standing", StandingName(ancestor.standing)},
                      {"why", ancestor.english},   {"why_ko", ancestor.korean}};
    if (ancestor.comparison) {
      item["tensors"] = ancestor.comparison->tensors;
      item["same"] = ancestor.comparison->same;
      item["alike"] = ancestor.comparison->alike;
      item["least_cosine"] = ancestor.comparison->least_cosine;
    }
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace jikji::hub
