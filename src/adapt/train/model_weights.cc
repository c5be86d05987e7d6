#include "adapt/train/model_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/random.h"
#include "model/families/family.h"
#include "model/layer_parts.h"
#include "model/peft_adapter.h"
#include "model/tensor_roles.h"

namespace jikji::train {
namespace {

Vector* VectorOf(ModelWeights& w, const TensorNeed& need) {
  if (need.role == TensorRole::kFinalNorm) return &w.final_norm;
  return jikji::VectorOf(w.layers[static_cast<size_t>(need.layer)], need.role);
}

Linear* LinearOf(ModelWeights& w, const TensorNeed& need) {
  return ProjectionOf(w.layers[static_cast<size_t>(need.layer)], need.role);
}

Matrix* MatrixOf(ModelWeights& w, const TensorNeed& need) {
  if (need.role == TensorRole::kEmbedding) return &w.embedding;
  if (need.role == TensorRole::kHead) return &w.head;
  return &LinearOf(w, need)->weight;
}

// Named as in a folder of Hugging Face's, with the numbers of their parameters.
class Builder {
 public:
  Builder(std::shared_ptr<const Checkpoint> checkpoint, const DecoderSpec& spec,
          const ModelOptions& options)
      : spec_(spec), options_(options), out_(std::make_unique<ModelWeights>()) {
    out_->checkpoint = std::move(checkpoint);
    out_->layers.resize(spec.layers.size());
  }

  Result<std::unique_ptr<ModelWeights>> Build() {
    family_ = FamilyNamed(spec_.family);
    if (family_ == nullptr) {
      return Fail(ErrorCode::kUnsupported, fmt::format("no family `{}`", spec_.family));
    }
    needs_ = TensorsOf(spec_);
    JIKJI_RETURN_IF_ERROR(CheckShapes());
    std::vector<size_t> numbers;
    for (const TensorNeed& need : needs_) {
      if (!options_.lora) {
        std::vector<int64_t> shape = need.shape;
        shape[0] -= FirstTrainedRow(need, spec_, options_);
        if (shape[0] > 0) numbers.push_back(out_->parameters.Add(Name(need), std::move(shape)));
      } else if (Adapts(need)) {
        const int64_t rank = options_.lora->rank;
        numbers.push_back(out_->parameters.Add(PeftTensorName(Name(need), "lora_A.weight"),
                                               {rank, need.shape[1]}));
        out_->parameters.Add(PeftTensorName(Name(need), "lora_B.weight"), {need.shape[0], rank});
        if (options_.lora->dora) {
          out_->parameters.Add(PeftTensorName(Name(need), "lora_magnitude_vector"),
                               {need.shape[0]});
        }
      }
    }
    if (numbers.empty()) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("nothing is trained: of {} tokens none is new", spec_.vocab));
    }
    JIKJI_RETURN_IF_ERROR(out_->parameters.Allocate());
    Random random(options_.seed);
    ThreadPool pool(1);
    size_t next = 0;
    for (const TensorNeed& need : needs_) {
      if (!options_.lora && FirstTrainedRow(need, spec_, options_) < need.shape[0]) {
        JIKJI_RETURN_IF_ERROR(PlaceTrained(need, numbers[next++], random));
        continue;
      }
      JIKJI_RETURN_IF_ERROR(PlaceFrozen(need));
      if (options_.lora && Adapts(need)) PlaceAdapter(need, numbers[next++], random, pool);
    }
    if (spec_.tied_head) out_->head = out_->embedding;
    return std::move(out_);
  }

 private:
  std::string Name(const TensorNeed& need) const {
    return TensorName(*family_, CheckpointFormat::kHuggingFace, need.role, need.layer);
  }

  bool Adapts(const TensorNeed& need) const {
    return need.layer >= 0 && need.shape.size() == 2 &&
           std::ranges::find(options_.lora->targets, need.role) != options_.lora->targets.end();
  }

  Result<> CheckShapes() const {
    if (out_->checkpoint == nullptr) return {};
    const std::string file = out_->checkpoint->path().string();
    if (out_->checkpoint->format() != CheckpointFormat::kHuggingFace) {
      return Fail(ErrorCode::kUnsupported,
                  "training takes a folder with config.json and safetensors; `jikji adapt convert` "
                  "makes one of a GGUF file",
                  file);
    }
    for (const TensorNeed& need : needs_) {
      const TensorView* tensor = out_->checkpoint->Find(Name(need));
      if (tensor == nullptr) {
        return Fail(ErrorCode::kMalformed, fmt::format("no tensor `{}`", Name(need)), file);
      }
      if (tensor->shape != need.shape) {
        return Fail(ErrorCode::kMalformed,
                    fmt::format("`{}` is [{}]; the configuration makes it [{}]", Name(need),
                                fmt::join(tensor->shape, ", "), fmt::join(need.shape, ", ")),
                    file);
      }
    }
    return {};
  }

  Result<> PlaceTrained(const TensorNeed& need, size_t number, Random& random) {
    const std::span<float> value = out_->parameters.value(number);
    const int64_t first = FirstTrainedRow(need, spec_, options_);
    if (out_->checkpoint != nullptr) {
      const TensorView& tensor = *out_->checkpoint->Find(Name(need));
      JIKJI_RETURN_IF_ERROR(
          UnpackRows(tensor, first, need.shape.size() == 1 ? 1 : need.shape[0] - first, value));
    } else if (need.shape.size() == 2) {
      random.FillNormal(value, 0.02);
    } else {
      std::ranges::fill(value, Name(need).ends_with(".bias") ? 0.0f : 1.0f);
    }
    if (need.shape.size() == 1) {
      *VectorOf(*out_, need) = {value, out_->parameters.gradient(number)};
    } else if (first > 0) {
      TensorView frozen = *out_->checkpoint->Find(Name(need));
      frozen.data = frozen.data.first(frozen.data.size() / static_cast<uint64_t>(need.shape[0]) *
                                      static_cast<uint64_t>(first));
      frozen.shape[0] = first;
      *MatrixOf(*out_, need) =
          Matrix::FrozenThenTrained(frozen, value, out_->parameters.gradient(number));
    } else {
      *MatrixOf(*out_, need) =
          Matrix::InF32(value, out_->parameters.gradient(number), need.shape[1]);
    }
    return {};
  }

  Result<> PlaceFrozen(const TensorNeed& need) {
    const TensorView& tensor = *out_->checkpoint->Find(Name(need));
    if (need.shape.size() == 1) {
      JIKJI_ASSIGN(std::vector<float> values, UnpackTensor(tensor));
      *VectorOf(*out_, need) = {out_->frozen.emplace_back(std::move(values)), {}};
      return {};
    }
    // The embedding stays as it is: it is small work, and what is read most exactly.
    const bool quantise = options_.base_type && need.layer >= 0;
    if (quantise) {
      JIKJI_ASSIGN(*MatrixOf(*out_, need), Matrix::FrozenAs(tensor, *options_.base_type));
      out_->checkpoint->Release(tensor);  // of two copies the small one stays
    } else {
      *MatrixOf(*out_, need) = Matrix::Frozen(tensor);
    }
    return {};
  }

  // A uniform within 1/√in, B zero: at first the adapter adds nothing (PEFT's default).
  void PlaceAdapter(const TensorNeed& need, size_t a, Random& random, ThreadPool& pool) {
    const LoraOptions& lora = *options_.lora;
    Parameters& p = out_->parameters;
    random.FillUniform(p.value(a), 1.0 / std::sqrt(static_cast<double>(need.shape[1])));
    Linear& linear = *LinearOf(*out_, need);
    linear.adapter =
        Adapter{.a = Matrix::InF32(p.value(a), p.gradient(a), need.shape[1]),
                .b = Matrix::InF32(p.value(a + 1), p.gradient(a + 1), lora.rank),
                .scale = static_cast<float>(lora.alpha / static_cast<double>(lora.rank)),
                .magnitude = {}};
    if (!lora.dora) return;
    // At first that of the rows themselves: the adapter changes nothing.
    linear.weight.SumNorms(linear.adapter->a, linear.adapter->b, linear.adapter->scale,
                           p.value(a + 2).data(), pool);
    linear.adapter->magnitude = {p.value(a + 2), p.gradient(a + 2)};
  }

  const DecoderSpec& spec_;
  const ModelOptions& options_;
  const Family* family_ = nullptr;
  std::vector<TensorNeed> needs_;
  std::unique_ptr<ModelWeights> out_;
};

}  // namespace

Result<std::unique_ptr<ModelWeights>> LoadModelWeights(std::shared_ptr<const Checkpoint> checkpoint,
                                                       const DecoderSpec& spec,
                                                       const ModelOptions& options) {
  return Builder(std::move(checkpoint), spec, options).Build();
}

Result<std::unique_ptr<ModelWeights>> NewModelWeights(const DecoderSpec& spec,
                                                      const ModelOptions& options) {
  if (options.lora || options.stage != Stage::kAll) {
    return Fail(ErrorCode::kInvalidArgument, "an adapter, or a stage, needs a model to begin with");
  }
  return Builder(nullptr, spec, options).Build();
}

}  // namespace jikji::train
