#include "model/decoder_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <string>

#include "model/families/family.h"
#include "model/layer_parts.h"
#include "model/tensor_roles.h"

namespace jikji {
namespace {

// GGUF's `llama` architecture keeps each head's rows as pairs to be rotated, (0, half), (1, half +
// 1) and so on one after the other; we rotate halves. Which stored row becomes row i.
std::vector<int32_t> HalvesFromPairs(int64_t rows, int64_t head_dim) {
  std::vector<int32_t> order(static_cast<size_t>(rows));
  const int64_t half = head_dim / 2;
  for (int64_t row = 0; row < rows; ++row) {
    const int64_t head = row / head_dim, at = row % head_dim;
    order[static_cast<size_t>(row)] =
        static_cast<int32_t>(head * head_dim + 2 * (at % half) + at / half);
  }
  return order;
}

bool IsRotated(TensorRole role) {
  using enum TensorRole;
  return role == kQuery || role == kKey || role == kQueryBias || role == kKeyBias;
}

// Tensors that files carry and no decoder reads: tables that are computed, and a second copy of a
// tied head.
bool MayBeIgnored(std::string_view name, const DecoderSpec& spec) {
  return name.ends_with("rotary_emb.inv_freq") || name == "rope_freqs.weight" ||
         (spec.tied_head && (name == "lm_head.weight" || name == "output.weight"));
}

class Loader {
 public:
  Loader(const Checkpoint& checkpoint, const DecoderSpec& spec, const Family& family)
      : checkpoint_(checkpoint), spec_(spec), family_(family) {}

  Result<DecoderWeights> Load(const std::function<void(double)>& progress) {
    out_.layers.resize(spec_.layers.size());
    const std::vector<TensorNeed> needs = TensorsOf(spec_);
    // Shapes first: a wrong file should say so before gigabytes are repacked.
    uint64_t total = 0;
    for (const TensorNeed& need : needs) {
      JIKJI_ASSIGN(const uint64_t bytes, Check(need));
      total += bytes;
    }
    for (const TensorView& tensor : checkpoint_.tensors()) {
      if (!used_.contains(tensor.name) && !MayBeIgnored(tensor.name, spec_)) {
        return Fail(ErrorCode::kUnsupported,
                    fmt::format("`{}` has no place in a {} model as its configuration describes it",
                                tensor.name, spec_.family),
                    File());
      }
    }
    uint64_t done = 0;
    for (const TensorNeed& need : needs) {
      const TensorView& tensor = *checkpoint_.Find(Name(need));
      JIKJI_RETURN_IF_ERROR(Place(need, tensor));
      done += tensor.data.size();
      if (progress) {
        progress(static_cast<double>(done) / static_cast<double>(total));
      }
    }
    if (spec_.tied_head) out_.head = out_.embedding;
    return std::move(out_);
  }

 private:
  std::string File() const { return checkpoint_.path().string(); }
  std::string Name(const TensorNeed& need) const {
    return TensorName(family_, checkpoint_.format(), need.role, need.layer);
  }

  // The tensor's bytes.
  Result<uint64_t> Check(const TensorNeed& need) {
    const std::string name = Name(need);
    const TensorView* tensor = checkpoint_.Find(name);
    if (tensor == nullptr) {
      return Fail(ErrorCode::kMalformed,
                  fmt::format("no tensor `{}`, which a {} model of this configuration needs", name,
                              spec_.family),
                  File());
    }
    if (tensor->shape != need.shape) {
      return Fail(ErrorCode::kMalformed,
                  fmt::format("`{}` is [{}]; the configuration makes it [{}]", name,
                              fmt::join(tensor->shape, ", "), fmt::join(need.shape, ", ")),
                  File());
    }
    used_.insert(name);
    return tensor->data.size();
  }

  Result<> Place(const TensorNeed& need, const TensorView& tensor) {
    std::vector<int32_t> order;
    if (family_.interleaved_in_gguf && checkpoint_.format() == CheckpointFormat::kGguf &&
        IsRotated(need.role)) {
      order = HalvesFromPairs(need.shape[0], spec_.head_dim);
    }
    if (need.shape.size() == 1) {
      JIKJI_ASSIGN(std::vector<float> values, UnpackTensor(tensor));
      if (!order.empty()) {
        std::vector<float> ordered;
        ordered.reserve(values.size());
        for (const int32_t from : order) ordered.push_back(values[static_cast<size_t>(from)]);
        values.swap(ordered);
      }
      *Vector(need) = std::move(values);
      return {};
    }
    JIKJI_ASSIGN(*Matrix(need), kernels::WeightMatrix::Prepare(tensor, memory_, pool_, order));
    checkpoint_.Release(tensor);
    return {};
  }

  std::vector<float>* Vector(const TensorNeed& need) {
    if (need.role == TensorRole::kFinalNorm) return &out_.final_norm;
    return VectorOf(out_.layers[static_cast<size_t>(need.layer)], need.role);
  }

  kernels::WeightMatrix* Matrix(const TensorNeed& need) {
    if (need.role == TensorRole::kEmbedding) return &out_.embedding;
    if (need.role == TensorRole::kHead) return &out_.head;
    return &ProjectionOf(out_.layers[static_cast<size_t>(need.layer)], need.role)->weight;
  }

  const Checkpoint& checkpoint_;
  const DecoderSpec& spec_;
  const Family& family_;
  kernels::WeightMemory memory_;
  ThreadPool pool_{UsableCores()};
  DecoderWeights out_;
  std::set<std::string, std::less<>> used_;
};

}  // namespace

Result<DecoderWeights> LoadWeights(const Checkpoint& checkpoint, const DecoderSpec& spec,
                                   const std::function<void(double)>& progress) {
  const Family* family = FamilyNamed(spec.family);
  if (family == nullptr) {
    return Fail(ErrorCode::kUnsupported, fmt::format("no family `{}`", spec.family));
  }
  return Loader(checkpoint, spec, *family).Load(progress);
}

}  // namespace jikji
