#include "hub/compact/compact.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "hub/compact/inventory.h"
#include "hub/compact/planner.h"
#include "hub/compact/restore.h"
#include "hub/compact/tensor_places.h"
#include "hub/transact.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

// Smaller files cost more in being looked at than they give.
constexpr uint64_t kLeastBytes = 64u << 10;

// A file that gives less than a tenth stays as it is, and is read without being decoded.
//
// The same is asked beyond what it would give without a source: the exponents of any two models
// look alike, and a base must be more than that to be kept for another.
bool IsWorth(uint64_t stored, uint64_t bytes) { return stored <= bytes / 10 * 9; }

uint64_t BytesAt(const fs::path& path) {
  std::error_code gone;
  const uint64_t bytes = fs::file_size(path, gone);
  return gone ? 0 : bytes;
}

// Gives the compact file its name, if all it was made from is still there and plain, and the blob
// is still needed and no source of others.
Result<bool> Publish(Database& database, const BlobStore& blobs, const CompactRecipe& recipe,
                     const BlobStore::Packed& packed) {
  const std::string hex = HexOf(recipe.digest);
  bool may = false;
  bool renamed = false;  // a second attempt has nothing left to rename
  JIKJI_RETURN_IF_ERROR(Transact(database, [&]() -> Result<> {
    JIKJI_ASSIGN(const SqlRows fit,
                 database.Run("SELECT 1 FROM blobs WHERE digest = $1 AND digest NOT IN (SELECT "
                              "digest FROM compact_blobs) AND digest NOT IN (SELECT source FROM "
                              "compact_blobs)",
                              {hex}));
    may = !fit.empty();
    for (const Digest& source : recipe.sources) {
      JIKJI_ASSIGN(const SqlRows plain,
                   database.Run("SELECT 1 FROM blobs WHERE digest = $1 AND digest NOT IN (SELECT "
                                "digest FROM compact_blobs)",
                                {HexOf(source)}));
      may = may && !plain.empty();
    }
    if (!may) return {};
    for (const Digest& source : recipe.sources) {
      JIKJI_RETURN_IF_ERROR(database.Run(
          "INSERT INTO compact_blobs (digest, source) VALUES ($1, $2)", {hex, HexOf(source)}));
    }
    if (!renamed) JIKJI_RETURN_IF_ERROR(blobs.PublishCompact(packed, recipe.digest));
    renamed = true;
    return {};
  }));
  return may;
}

// The plain file of a blob that is compact, unless it was pushed again meanwhile.
Result<> RemovePlain(Database& database, const BlobStore& blobs, const Digest& digest) {
  return Transact(database, [&]() -> Result<> {
    JIKJI_ASSIGN(const SqlRows compact,
                 database.Run("SELECT 1 FROM compact_blobs WHERE digest = $1", {HexOf(digest)}));
    return compact.empty() ? Result<>() : blobs.Remove({digest, false, 0});
  });
}

// Of a blob that stands in both forms: the compact one if it gives the blob, else the plain one,
// which somebody has put in its place.
Result<> KeepOneForm(Database& database, const BlobStore& blobs, const Digest& digest) {
  if (blobs.CheckCompact(digest)) return RemovePlain(database, blobs, digest);
  return Transact(database, [&]() -> Result<> {
    JIKJI_RETURN_IF_ERROR(
        database.Run("DELETE FROM compact_blobs WHERE digest = $1", {HexOf(digest)}));
    return blobs.Remove({digest, true, 0});
  });
}

class Compactor {
 public:
  Compactor(Hub& hub, Database& database, const CompactOptions& options, ThreadPool& pool)
      : hub_(hub), blobs_(hub.blobs()), database_(database), options_(options), pool_(pool) {}

  Result<CompactReport> Run() {
    if (!options_.dry_run) {
      JIKJI_ASSIGN(report_.restored, RestoreOrphans(database_, blobs_, report_.failed));
    }
    JIKJI_ASSIGN(const auto files, ListWeights(hub_, database_, kLeastBytes));
    report_.files = files.size();
    for (size_t i = 0; i < files.size(); ++i) {
      if (options_.progress) options_.progress(i, files.size());
      const auto taken = Take(files[i]);
      if (taken) continue;
      // One that is damaged is no reason to leave the others as they are.
      if (taken.error().code != ErrorCode::kIo) return std::unexpected(taken.error());
      report_.failed.push_back(files[i].model + " " + files[i].path + ": " +
                               taken.error().ToString());
    }
    return std::move(report_);
  }

 private:
  Result<> Take(const WeightFile& file) {
    std::error_code ignored;
    report_.bytes += file.size;
    if (!file.sources.empty()) {
      const uint64_t stored = BytesAt(blobs_.CompactPathOf(file.digest));
      report_.stored += stored;
      report_.stored_now += stored;
      // Where a program was killed between the two names.
      if (!options_.dry_run && fs::exists(blobs_.PathOf(file.digest), ignored)) {
        JIKJI_RETURN_IF_ERROR(KeepOneForm(database_, blobs_, file.digest));
      }
      std::vector<Digest> sources;
      for (const std::string& source : file.sources) {
        JIKJI_ASSIGN(sources.emplace_back(), ParseDigest(source));
      }
      planner_.AddCompact(file, sources);
      return {};
    }
    report_.stored += file.size;
    report_.stored_now += file.size;
    const auto tensors = TensorPlaces(blobs_, file.digest, file.path);
    if (!tensors) return {};  // no format that is understood, or it has just gone
    if (!file.is_source) {
      JIKJI_ASSIGN(const auto recipe,
                   BestOf(planner_.Recipes(file, *tensors), Planner::Alone(file, *tensors)));
      if (recipe) {
        const auto done = Make(file, *recipe);
        if (!done && done.error().code == ErrorCode::kNotFound) return {};  // collected meanwhile
        JIKJI_RETURN_IF_ERROR(done);
        if (*done) return {};
      }
    }
    planner_.AddPlain(file, *tensors);
    return {};
  }

  // By their samples, which is worth it and takes least.
  Result<std::optional<CompactRecipe>> BestOf(std::vector<CompactRecipe> recipes,
                                              const CompactRecipe& alone) {
    std::optional<CompactRecipe> best;
    if (recipes.empty()) return best;
    const auto without = blobs_.Estimate(alone, pool_);
    if (!without && without.error().code == ErrorCode::kNotFound) return best;
    if (!without) return std::unexpected(without.error());
    const uint64_t most = std::min(*without, alone.size);
    uint64_t least = UINT64_MAX;
    for (CompactRecipe& recipe : recipes) {
      const auto stored = blobs_.Estimate(recipe, pool_);
      if (!stored && stored.error().code == ErrorCode::kNotFound) continue;  // collected meanwhile
      if (!stored) return std::unexpected(stored.error());
      if (*stored >= least || !IsWorth(*stored, most)) continue;
      least = *stored;
      best = std::move(recipe);
    }
    return best;
  }

  Result<bool> Make(const WeightFile& file, const CompactRecipe& recipe) {
    CompactSizes sizes;
    if (options_.dry_run) {
      JIKJI_ASSIGN(sizes, blobs_.Measure(recipe, pool_));
      if (!IsWorth(sizes.stored, file.size)) return false;
    } else {
      JIKJI_ASSIGN(const auto packed, blobs_.Pack(recipe, pool_));
      sizes = packed.sizes;
      bool done = false;
      if (IsWorth(sizes.stored, file.size)) {
        auto published = Publish(database_, blobs_, recipe, packed);
        if (!published) unlink(packed.path.c_str());
        JIKJI_RETURN_IF_ERROR(published);
        done = *published;
      }
      if (!done) {
        unlink(packed.path.c_str());
        return false;
      }
      JIKJI_RETURN_IF_ERROR(RemovePlain(database_, blobs_, file.digest));
    }
    planner_.AddCompact(file, recipe.sources);
    report_.stored_now -= file.size - sizes.stored;
    report_.compacted.push_back(
        {file.model, file.path, file.digest, file.size, sizes.stored, sizes.shared});
    return true;
  }

  Hub& hub_;
  const BlobStore& blobs_;
  Database& database_;
  const CompactOptions& options_;
  ThreadPool& pool_;
  Planner planner_;
  CompactReport report_;
};

}  // namespace

Result<CompactReport> CompactHub(Hub& hub, const CompactOptions& options, ThreadPool& pool) {
  JIKJI_ASSIGN(const Hub::Session session, hub.Connect());
  return Compactor(hub, *session, options, pool).Run();
}

}  // namespace jikji::hub
