// A low-rank adapter as PEFT keeps it (adapter_config.json, adapter_model.safetensors): LoRA (Hu et
// al. 2021) or DoRA (Liu et al. 2024) of projections of a decoder's layers, and an embedding and a
// head of its own, where they were trained too or the vocabulary was extended.
//
// Contract: what Open returns was checked against the base: each matrix belongs to a projection
// that the base has, has its partner, and fits it. What would change the answers and is not done
// here (trained biases or norms, ranks that differ, other methods) is an error, never left out.
// Non-goals: multiplying with it (decoder_adapter.h), writing one (adapt/weights).
#ifndef JIKJI_MODEL_PEFT_ADAPTER_H_
#define JIKJI_MODEL_PEFT_ADAPTER_H_

#include <boost/json/fwd.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/file.h"
#include "base/thread_pool.h"
#include "model/decoder_spec.h"
#include "model/tensor_roles.h"
#include "tensor/tensor.h"

namespace jikji {

// What adapter_config.json says of the arithmetic.
struct PeftConfig {
  int64_t rank = 0;
  double alpha = 0;
  bool rank_stabilised = false;  // rsLoRA (Kalajdzievski 2023): by √rank
  bool dora = false;
  bool saves_embedding = false, saves_head = false;  // whole, as `modules_to_save` names them

  // What the product is multiplied by.
  float scale() const;
};

// `where` stands for the file in errors.
Result<PeftConfig> ReadPeftConfig(const boost::json::object& config, std::string_view where);

// One adapted projection.
struct AdaptedMatrix {
  TensorRole role = TensorRole::kQuery;
  int32_t layer = 0;
  TensorView a;          // [rank, in]
  TensorView b;          // [out, rank]
  TensorView magnitude;  // [out], of DoRA; else without data
};

struct PeftAdapter {
  std::filesystem::path path;
  PeftConfig config;
  std::vector<AdaptedMatrix> matrices;  // in the order that TensorsOf has
  TensorView embedding, head;           // [vocab, hidden] of its own; else without data
  int64_t vocab = 0;                    // tokens that it knows: its own rows, or the base's
  MappedFile file;                      // what the views look at

  static Result<PeftAdapter> Open(const std::filesystem::path& folder, const DecoderSpec& base);
};

// "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", as PEFT has it, of the base's
// "model.layers.0.self_attn.q_proj.weight". `part` is "lora_A.weight", "lora_B.weight" or
// "lora_magnitude_vector".
std::string PeftTensorName(std::string_view base_name, std::string_view part);

// The projections that an adapter may have: "q_proj" and so on, as PEFT's target_modules has them.
struct AdapterTarget {
  std::string_view module;
  TensorRole role;
};
std::span<const AdapterTarget> AdapterTargets();

// An adapted matrix's part in f32, and what it makes of the base's rows.
class LowRankRows {
 public:
  static Result<LowRankRows> Unpack(const AdaptedMatrix& matrix, float scale);

  // row += scale · b[r] · a; `row` is the base's row r.
  void Add(int64_t r, std::span<float> row) const;
  // What DoRA multiplies row r with, given the row after Add; 1 without DoRA.
  float Gain(int64_t r, std::span<const float> row) const;
  // Gain of every row of a base of [rows, cols]; `base_row` writes its row r, on any thread.
  std::vector<float> Gains(int64_t rows, int64_t cols,
                           const std::function<void(int64_t r, std::span<float> row)>& base_row,
                           ThreadPool& pool) const;

 private:
  int64_t rank_ = 0;
  float scale_ = 1;
  std::vector<float> a_, b_, magnitude_;
};

}  // namespace jikji

#endif  // JIKJI_MODEL_PEFT_ADAPTER_H_
