// Loss and gradients of every family against PyTorch's (tests/goldens/train): all weights, and LoRA
// and DoRA adapters.
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cmath>
#include <map>

#include "adapt/train/trainable_decoder.h"
#include "base/json.h"
#include "model/golden_models.h"
#include "model/spec_reader.h"

namespace jikji::train {
namespace {

namespace json = boost::json;

const json::object& Goldens() {
  static const json::value file =
      *ParseJsonFile(std::string(JIKJI_SOURCE_DIR) + "/tests/goldens/train/gradients.json");
  return file.as_object();
}

// The model's own checkpoint in a folder that stays as long as this.
struct OnDisk {
  explicit OnDisk(const std::string& name) {
    GoldenModel model = GoldenNamed(name);
    FillWeights(model);
    EXPECT_TRUE(WriteFolder(model, folder.path(), AllAs(DType::kF32)));
    checkpoint = *Checkpoint::Open(folder.path());
    spec = *SpecFromConfig(ParseJson(model.config)->as_object(), "config.json");
  }
  TemporaryFolder folder;
  std::shared_ptr<const Checkpoint> checkpoint;
  DecoderSpec spec;
};

Batch BatchOf(const json::object& golden) {
  Batch batch;
  for (const json::value& item : golden.at("documents").as_array()) {
    Document document;
    for (const json::value& token : item.at("tokens").as_array()) {
      document.tokens.push_back(token.to_number<int32_t>());
    }
    for (const json::value& trained : item.at("trained").as_array()) {
      document.trained.push_back(trained.to_number<int>() != 0);
    }
    batch.Append(document);
  }
  return batch;
}

// As make.py's `weights` for an adapter: exponent −2, magnitudes about 1.
void FillAdapters(const std::string& model, Parameters& parameters) {
  GoldenModel adapters;
  adapters.name = model;
  constexpr std::string_view kPrefix = "base_model.model.";
  for (const Parameter& p : parameters.list()) {
    adapters.tensors.push_back({.name = p.name.substr(kPrefix.size()),
                                .gguf_name = {},
                                .shape = p.shape,
                                .exponent = -2,
                                .offset = p.shape.size() == 1 ? 1 : 0,
                                .values = {}});
  }
  FillWeights(adapters);
  for (size_t i = 0; i < adapters.tensors.size(); ++i) {
    std::ranges::copy(adapters.tensors[i].values, parameters.value(i).begin());
  }
}

void ExpectGradients(const json::object& golden, Parameters& parameters) {
  const json::object& tensors = golden.at("tensors").as_object();
  ASSERT_EQ(tensors.size(), parameters.list().size());
  for (size_t i = 0; i < parameters.list().size(); ++i) {
    const std::string& name = parameters.list()[i].name;
    SCOPED_TRACE(name);
    ASSERT_TRUE(tensors.contains(name));
    const json::object& wanted = tensors.at(name).as_object();
    const double largest = wanted.at("max").to_number<double>();
    double squares = 0.0;
    for (const float g : parameters.gradient(i)) squares += double{g} * g;
    const double norm = wanted.at("norm").to_number<double>();
    // Nothing depends on a key's bias: softmax takes out what all keys share. What is left is
    // rounding.
    if (name.ends_with("k_proj.bias") && largest < 1e-5) continue;
    EXPECT_NEAR(std::sqrt(squares), norm, 1e-4 * norm);
    const json::array& at = wanted.at("at").as_array();
    for (size_t s = 0; s < at.size(); ++s) {
      EXPECT_NEAR(parameters.gradient(i)[at[s].to_number<size_t>()],
                  wanted.at("value").as_array()[s].to_number<double>(), 1e-4 * largest);
    }
  }
}

TEST(GradientsGolden, EveryFamilyAgreesWithPyTorch) {
  const json::object& lora = Goldens().at("lora").as_object();
  ThreadPool pool(2);
  for (const json::value& item : Goldens().at("models").as_array()) {
    const json::object& golden = item.as_object();
    const std::string name(golden.at("name").as_string());
    const json::string& kind = golden.at("kind").as_string();
    SCOPED_TRACE(name + " " + std::string(kind));
    const OnDisk disk(name);
    const Batch batch = BatchOf(golden);
    const auto count = static_cast<double>(batch.target_count());
    for (const bool recompute : {false, true}) {
      ModelOptions options{.lora = {}, .base_type = {}, .recompute = recompute};
      if (kind != "full") {
        options.lora = LoraOptions{.rank = lora.at("rank").to_number<int64_t>(),
                                   .alpha = lora.at("alpha").to_number<double>()};
        options.lora->dora = kind == "dora";
      }
      auto model = TrainableDecoder::Load(disk.checkpoint, disk.spec, options);
      ASSERT_TRUE(model) << model.error().ToString();
      if (options.lora) FillAdapters(name, (*model)->parameters());
      const double loss = (*model)->AddGradients(batch, static_cast<float>(1.0 / count), pool);
      EXPECT_NEAR(loss / count, golden.at("loss").to_number<double>(), 1e-5);
      EXPECT_EQ(loss, (*model)->Loss(batch, pool));
      ExpectGradients(golden, (*model)->parameters());
    }
  }
}

}  // namespace
}  // namespace jikji::train
