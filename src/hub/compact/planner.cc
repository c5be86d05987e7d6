#include "hub/compact/planner.h"

#include <algorithm>
#include <ranges>

#include "store/checksum.h"

namespace jikji::hub {
namespace {

uint64_t LayoutOf(const std::vector<TensorPlace>& tensors) {
  uint64_t hash = 0;
  for (const TensorPlace& tensor : tensors) {
    const uint64_t both[] = {tensor.kind, tensor.length};
    hash = Xxh64({reinterpret_cast<const char*>(both), sizeof(both)}, hash);
  }
  return hash;
}

// Parts of a recipe, in order; what follows on from the last is joined to it.
class Parts {
 public:
  explicit Parts(CompactRecipe& recipe) : recipe_(recipe) {}

  void AddOwn(uint64_t length, uint8_t width) { Add({length, kNoSource, 0, width}, false); }
  // `same`: these are likely its very bytes.
  void Add(uint64_t length, uint8_t width, const Digest& source, uint64_t offset, bool same) {
    auto found = std::ranges::find(recipe_.sources, source);
    if (found == recipe_.sources.end()) {
      if (recipe_.sources.size() == kMaxCompactSources) return AddOwn(length, width);
      found = recipe_.sources.insert(found, source);
    }
    Add({length, static_cast<uint32_t>(found - recipe_.sources.begin()), offset, width}, same);
  }
  uint64_t end() const { return end_; }

 private:
  void Add(CompactPart part, bool same) {
    if (part.length == 0) return;
    end_ += part.length;
    if (!recipe_.parts.empty() && same == same_) {
      CompactPart& last = recipe_.parts.back();
      const bool goes_on =
          last.source == part.source && last.width == part.width && last.length % last.width == 0 &&
          (part.source == kNoSource || last.source_offset + last.length == part.source_offset);
      if (goes_on) {
        last.length += part.length;
        return;
      }
    }
    same_ = same;
    recipe_.parts.push_back(part);
  }

  CompactRecipe& recipe_;
  uint64_t end_ = 0;
  bool same_ = false;
};

}  // namespace

void Planner::AddPlain(const WeightFile& file, const std::vector<TensorPlace>& tensors) {
  const size_t number = plain_.size();
  plain_.push_back({file.digest, {}});
  by_digest_[file.digest] = number;
  by_repository_[file.repository].push_back(number);
  by_layout_[LayoutOf(tensors)].push_back(number);
  for (const TensorPlace& tensor : tensors) {
    plain_.back().by_kind.emplace(tensor.kind, tensor);
    by_looks_.emplace(tensor.looks, Found{number, tensor.offset});
  }
}

void Planner::AddCompact(const WeightFile& file, const std::vector<Digest>& sources) {
  for (const Digest& source : sources) {
    const auto found = by_digest_.find(source);
    if (found == by_digest_.end()) continue;
    Files& files = by_repository_[file.repository];
    if (std::ranges::find(files, found->second) == files.end()) files.push_back(found->second);
  }
}

CompactRecipe Planner::Alone(const WeightFile& file, const std::vector<TensorPlace>& tensors) {
  CompactRecipe out{file.digest, file.size, {}, {}};
  Parts parts(out);
  for (const TensorPlace& tensor : tensors) {
    parts.AddOwn(tensor.offset - parts.end(), 1);
    parts.AddOwn(tensor.length, tensor.width);
  }
  parts.AddOwn(file.size - parts.end(), 1);
  return out;
}

CompactRecipe Planner::RecipeFrom(const WeightFile& file, const std::vector<TensorPlace>& tensors,
                                  const Files& bases) const {
  CompactRecipe out{file.digest, file.size, {}, {}};
  Parts parts(out);
  for (const TensorPlace& tensor : tensors) {
    parts.AddOwn(tensor.offset - parts.end(), 1);
    if (const auto same = by_looks_.find(tensor.looks); same != by_looks_.end()) {
      parts.Add(tensor.length, tensor.width, plain_[same->second.file].digest, same->second.offset,
                true);
      continue;
    }
    uint64_t length = 0;
    for (const size_t base : bases | std::views::reverse) {  // the newest first
      const auto near = plain_[base].by_kind.find(tensor.kind);
      if (near == plain_[base].by_kind.end()) continue;
      length = std::min(tensor.length, near->second.length);
      parts.Add(length, tensor.width, plain_[base].digest, near->second.offset, false);
      break;
    }
    parts.AddOwn(tensor.length - length, tensor.width);
  }
  parts.AddOwn(file.size - parts.end(), 1);
  if (out.parts.size() > kMaxCompactParts) out.sources.clear();
  return out;
}

std::vector<CompactRecipe> Planner::Recipes(const WeightFile& file,
                                            const std::vector<TensorPlace>& tensors) const {
  std::vector<Files> ways;
  Files named;
  for (const int64_t base : file.bases) {
    if (const auto found = by_repository_.find(base); found != by_repository_.end()) {
      named.insert(named.end(), found->second.begin(), found->second.end());
    }
  }
  if (!named.empty()) ways.push_back(std::move(named));
  if (const auto own = by_repository_.find(file.repository); own != by_repository_.end()) {
    ways.push_back(own->second);
  }
  const auto alike = by_layout_.find(LayoutOf(tensors));
  ways.push_back(alike == by_layout_.end() ? Files() : Files{alike->second.front()});
  std::vector<CompactRecipe> out;
  for (const Files& way : ways) {
    CompactRecipe recipe = RecipeFrom(file, tensors, way);
    if (!recipe.sources.empty() && std::ranges::find(out, recipe) == out.end()) {
      out.push_back(std::move(recipe));
    }
  }
  return out;
}

}  // namespace jikji::hub
