#include "adapt/merge/merge.h"

#include <fmt/format.h>

#include <boost/json.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "adapt/merge/methods.h"
#include "adapt/weights/hf_model.h"
#include "adapt/weights/model_folder.h"
#include "base/file.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

// Weights whose sum is nearer to 0 have no shares of it.
constexpr double kLeastTotal = 1e-8;

// FNV-1a: what DARE keeps must not change with the machine or the program's version.
uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0xCBF29CE484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return hash;
}

// One tensor of the new model: whose it is in each source, and where it lies.
struct Place {
  TensorRole role;
  int32_t layer;  // of the new model
  double depth;   // 0 to 1
  const MergeSlice* slice;
  std::vector<int32_t> layers;  // of each of the slice's sources
};

class Merger {
 public:
  Merger(const MergeRecipe& recipe, const fs::path& models, uint64_t seed)
      : recipe_(recipe), folder_(models), seed_(seed) {}

  Result<MergeReport> Run(const fs::path& out, ThreadPool& pool,
                          const std::function<void(double)>& progress) {
    JIKJI_RETURN_IF_ERROR(OpenModels());
    JIKJI_RETURN_IF_ERROR(CheckCounts());
    const HfModel& like = *base_;
    JIKJI_ASSIGN(const std::vector<Place> places, PlaceTensors());
    std::vector<PlannedTensor> plan;
    for (const Place& place : places) {
      JIKJI_ASSIGN(PlannedTensor tensor, PlanTensor(place));
      plan.push_back(std::move(tensor));
    }
    JIKJI_ASSIGN(ModelFolder folder, ModelFolder::Create(out));
    json::object config = like.config;
    config["num_hidden_layers"] = layers_;
    if (layers_ != static_cast<int64_t>(like.spec.layers.size())) config.erase("layer_types");
    if (recipe_.dtype) SetTorchType(config, *recipe_.dtype);
    JIKJI_RETURN_IF_ERROR(CopyOtherFiles(like.path, folder));
    JIKJI_RETURN_IF_ERROR(folder.WriteJson("config.json", config));
    JIKJI_RETURN_IF_ERROR(folder.WriteWeights(plan, kShardBytes, pool, progress));
    JIKJI_RETURN_IF_ERROR(folder.Finish());
    return MergeReport{static_cast<int64_t>(plan.size()), layers_};
  }

 private:
  Result<const HfModel*> Open(const std::string& name) {
    if (const auto found = models_.find(name); found != models_.end()) return &found->second;
    // An absolute path stays what it is.
    JIKJI_ASSIGN(HfModel model, HfModel::Open(folder_ / name));
    return &models_.emplace(name, std::move(model)).first->second;
  }

  Result<> OpenModels() {
    const std::string& first = recipe_.slices[0].sources[0].model;
    JIKJI_ASSIGN(base_, Open(recipe_.base_model.empty() ? first : recipe_.base_model));
    for (const MergeSlice& slice : recipe_.slices) {
      for (const MergeSource& source : slice.sources) {
        JIKJI_ASSIGN(const HfModel* model, Open(source.model));
        const DecoderSpec& a = model->spec;
        const DecoderSpec& b = base_->spec;
        if (a.family != b.family || a.hidden != b.hidden || a.vocab != b.vocab ||
            a.intermediate != b.intermediate || a.heads != b.heads || a.kv_heads != b.kv_heads ||
            a.head_dim != b.head_dim || a.tied_head != b.tied_head || a.qkv_bias != b.qkv_bias) {
          return Fail(ErrorCode::kInvalidArgument,
                      fmt::format("`{}` is not of the shape of `{}`: they cannot be merged",
                                  source.model, base_->path.string()));
        }
      }
    }
    return {};
  }

  bool TakesDifferences() const {
    return recipe_.method != "linear" && recipe_.method != "slerp" &&
           recipe_.method != "passthrough";
  }

  Result<> CheckCounts() const {
    if (TakesDifferences() && recipe_.base_model.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("{} needs a `base_model`", recipe_.method));
    }
    for (const MergeSlice& slice : recipe_.slices) {
      const size_t count = slice.sources.size();
      if (recipe_.method == "passthrough" && count != 1) {
        return Fail(ErrorCode::kInvalidArgument, "passthrough takes one source a slice");
      }
      const bool base_among = !recipe_.base_model.empty() &&
                              (slice.sources[0].model == recipe_.base_model ||
                               (count == 2 && slice.sources[1].model == recipe_.base_model));
      if (recipe_.method == "slerp" && (count != 2 || !base_among)) {
        return Fail(ErrorCode::kInvalidArgument,
                    "slerp takes two models, one of them the `base_model`");
      }
    }
    return {};
  }

  Result<std::vector<Place>> PlaceTensors() {
    std::vector<std::vector<std::pair<int64_t, int64_t>>> ranges;
    layers_ = 0;
    for (const MergeSlice& slice : recipe_.slices) {
      auto& of_slice = ranges.emplace_back();
      for (const MergeSource& source : slice.sources) {
        JIKJI_ASSIGN(const HfModel* model, Open(source.model));
        const auto all = static_cast<int64_t>(model->spec.layers.size());
        const auto range = source.layers.value_or(std::pair<int64_t, int64_t>(0, all));
        if (range.second > all) {
          return Fail(ErrorCode::kInvalidArgument,
                      fmt::format("`{}` has {} layers, not {}", source.model, all, range.second));
        }
        of_slice.push_back(range);
        if (range.second - range.first != of_slice[0].second - of_slice[0].first) {
          return Fail(
              ErrorCode::kInvalidArgument,
              fmt::format("the sources of a slice have not equally many layers: {} and {}",
                          of_slice[0].second - of_slice[0].first, range.second - range.first));
        }
      }
      layers_ += of_slice[0].second - of_slice[0].first;
    }
    DecoderSpec spec = base_->spec;
    spec.layers.resize(static_cast<size_t>(layers_));
    std::vector<Place> places;
    for (const TensorNeed& need : TensorsOf(spec)) {
      if (need.layer < 0) {
        const bool behind = need.role != TensorRole::kEmbedding;
        const MergeSlice& slice = behind ? recipe_.slices.back() : recipe_.slices.front();
        places.push_back({need.role, -1, behind ? 1.0 : 0.0, &slice,
                          std::vector<int32_t>(slice.sources.size(), -1)});
        continue;
      }
      int64_t within = need.layer;
      size_t s = 0;
      while (within >= ranges[s][0].second - ranges[s][0].first) {
        within -= ranges[s][0].second - ranges[s][0].first;
        ++s;
      }
      const int64_t count = ranges[s][0].second - ranges[s][0].first;
      Place place{need.role,
                  need.layer,
                  count > 1 ? static_cast<double>(within) / static_cast<double>(count - 1) : 0.0,
                  &recipe_.slices[s],
                  {}};
      for (const auto& range : ranges[s]) {
        place.layers.push_back(static_cast<int32_t>(range.first + within));
      }
      places.push_back(std::move(place));
    }
    return places;
  }

  // As ParameterOf, of one that has no default.
  Result<double> RequiredOf(std::string_view key, const MergeSource* source, const Place& place,
                            std::string_view tensor) const {
    const double value = ParameterOf(key, source, place, tensor, std::nan(""));
    if (!std::isnan(value)) return value;
    return Fail(ErrorCode::kInvalidArgument,
                fmt::format("{} needs a `{}`, and `{}` has none", recipe_.method, key, tensor));
  }

  // The innermost that says something: the source, the slice, the whole recipe.
  double ParameterOf(std::string_view key, const MergeSource* source, const Place& place,
                     std::string_view tensor, double absent) const {
    for (const MergeParameters* level : {source == nullptr ? nullptr : &source->parameters,
                                         &place.slice->parameters, &recipe_.parameters}) {
      if (level == nullptr) continue;
      const auto found = level->find(key);
      if (found == level->end()) continue;
      if (const auto value = found->second.At(tensor, place.depth)) return *value;
    }
    return absent;
  }

  Result<PlannedTensor> PlanTensor(const Place& place) {
    PlannedTensor planned;
    planned.spec.name = base_->NameOf(place.role, place.layer);
    std::vector<const TensorView*> views;
    for (size_t i = 0; i < place.layers.size(); ++i) {
      JIKJI_ASSIGN(const HfModel* model, Open(place.slice->sources[i].model));
      JIKJI_ASSIGN(const TensorView* view, model->Find(place.role, place.layers[i]));
      if (!views.empty() && view->shape != views[0]->shape) {
        return Fail(ErrorCode::kInvalidArgument, "has another shape in one of the models",
                    planned.spec.name);
      }
      views.push_back(view);
    }
    planned.spec.dtype = recipe_.dtype.value_or(views[0]->dtype);
    planned.spec.shape = views[0]->shape;
    planned.source = *views[0];  // of which `make` takes the place
    if (recipe_.method == "passthrough" &&
        ParameterOf("scale", &place.slice->sources[0], place, planned.spec.name, 1.0) == 1.0) {
      return planned;
    }
    const TensorView* base = nullptr;
    if (TakesDifferences()) {
      JIKJI_ASSIGN(base, base_->Find(place.role, place.layer));
      if (base->shape != planned.spec.shape) {
        return Fail(ErrorCode::kInvalidArgument, "has another shape in the base model",
                    planned.spec.name);
      }
    }
    planned.make = [this, place, views, base, name = planned.spec.name] {
      return Compute(place, views, base, name);
    };
    return planned;
  }

  Result<std::vector<float>> Compute(const Place& place,
                                     const std::vector<const TensorView*>& views,
                                     const TensorView* base, const std::string& name) const {
    const std::vector<MergeSource>& sources = place.slice->sources;
    std::vector<std::vector<float>> x;
    std::vector<Difference> parts;
    std::vector<double> weights;
    for (size_t i = 0; i < views.size(); ++i) {
      // The base among the models differs from itself by nothing.
      if (base != nullptr && sources[i].model == recipe_.base_model) continue;
      JIKJI_ASSIGN(std::vector<float> values, UnpackTensor(*views[i]));
      x.push_back(std::move(values));
      DropMappedPages(views[i]->data);
      double weight = 1;
      if (recipe_.method != "slerp" && recipe_.method != "passthrough") {
        JIKJI_ASSIGN(weight, RequiredOf("weight", &sources[i], place, name));
      }
      weights.push_back(weight);
      parts.push_back({weights.back(), ParameterOf("density", &sources[i], place, name, 1.0)});
    }
    const auto flag = [&](bool absent) {
      return ParameterOf("normalize", nullptr, place, name, absent ? 1 : 0) != 0;
    };
    const std::string& method = recipe_.method;
    if (method == "linear") {
      const bool normalize = flag(true);
      const double total = std::accumulate(weights.begin(), weights.end(), 0.0);
      if (normalize && std::abs(total) < kLeastTotal) {
        return Fail(ErrorCode::kInvalidArgument,
                    "the models' weights add up to 0, and are to be shares of their sum "
                    "(`normalize: false`: as they are)",
                    name);
      }
      return MergeLinear(x, weights, normalize);
    }
    if (method == "passthrough") {
      const double scale[] = {ParameterOf("scale", &sources[0], place, name, 1.0)};
      return MergeLinear(x, scale, false);
    }
    if (method == "slerp") {
      const bool base_first = sources[0].model == recipe_.base_model;
      JIKJI_ASSIGN(const double t, RequiredOf("t", nullptr, place, name));
      return MergeSlerp(x[base_first ? 0 : 1], x[base_first ? 1 : 0], t);
    }
    JIKJI_ASSIGN(const std::vector<float> from, UnpackTensor(*base));
    DropMappedPages(base->data);
    DifferenceMerge how;
    const bool ties = method == "ties";
    if (ties) how.keep = DifferenceMerge::Keep::kLargest;
    if (method.starts_with("dare")) how.keep = DifferenceMerge::Keep::kRandom;
    how.elect_signs = ties || method == "dare_ties";
    how.normalize = flag(ties);
    how.lambda = ParameterOf("lambda", nullptr, place, name, 1.0);
    how.seed = seed_ ^ HashOf(name);
    return MergeDifferences(from, x, parts, how);
  }

  const MergeRecipe& recipe_;
  fs::path folder_;
  uint64_t seed_;
  std::map<std::string, HfModel> models_;
  const HfModel* base_ = nullptr;
  int64_t layers_ = 0;
};

}  // namespace

Result<MergeReport> MergeModels(const MergeRecipe& recipe, const fs::path& models,
                                const fs::path& out, uint64_t seed, ThreadPool& pool,
                                const std::function<void(double)>& progress) {
  return Merger(recipe, models, seed).Run(out, pool, progress);
}

}  // namespace jikji
