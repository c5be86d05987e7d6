#include "adapt/merge/merge.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cmath>
#include <random>

#include "adapt/merge/methods.h"
#include "base/file.h"
#include "base/json.h"
#include "model/golden_models.h"
#include "tensor/checkpoint.h"

namespace jikji {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Vectors = std::vector<std::vector<float>>;

TEST(MergeMethodsTest, Linear) {
  const Vectors x = {{1, 2}, {3, 6}};
  EXPECT_THAT(MergeLinear(x, std::vector{1.0, 3.0}, true), ElementsAre(2.5f, 5.0f));
  EXPECT_THAT(MergeLinear(x, std::vector{1.0, 3.0}, false), ElementsAre(10.0f, 20.0f));
  EXPECT_THAT(MergeLinear(x, std::vector{1.0, -1.0}, true), ElementsAre(-2.0f, -4.0f));
}

TEST(MergeMethodsTest, SlerpTurnsAtConstantLength) {
  const std::vector<float> a = {1, 0}, b = {0, 1};
  const auto half = MergeSlerp(a, b, 0.5);
  EXPECT_FLOAT_EQ(half[0], std::sqrt(0.5f));
  EXPECT_FLOAT_EQ(half[1], std::sqrt(0.5f));
  EXPECT_THAT(MergeSlerp(a, b, 0), ElementsAre(1.0f, 0.0f));
  const std::vector<float> twice = {2, 0}, none = {0, 0};
  EXPECT_THAT(MergeSlerp(a, twice, 0.5), ElementsAre(1.5f, 0.0f));
  EXPECT_THAT(MergeSlerp(a, none, 0.5), ElementsAre(0.5f, 0.0f));
}

TEST(MergeMethodsTest, TaskArithmeticAddsDifferences) {
  const std::vector<float> base = {1, 1};
  const Vectors x = {{2, 1}, {1, 3}};
  const Difference parts[] = {{.weight = 0.5}, {.weight = 2}};
  EXPECT_THAT(MergeDifferences(base, x, parts, {}), ElementsAre(1.5f, 5.0f));
  EXPECT_THAT(MergeDifferences(base, x, parts, {.lambda = 0.5}), ElementsAre(1.25f, 3.0f));
}

TEST(MergeMethodsTest, TiesTrimsElectsAndAverages) {
  const std::vector<float> base = {0, 0, 0, 0};
  const Vectors x = {{4, 1, -2, 3}, {2, 3, 5, -1}};
  const Difference parts[] = {{.weight = 1, .density = 0.75}, {.weight = 1, .density = 0.75}};
  const DifferenceMerge ties = {
      .keep = DifferenceMerge::Keep::kLargest, .elect_signs = true, .normalize = true};
  // Trimmed: {4, 0, -2, 3} and {2, 3, 5, 0}; in the third place the second wins alone.
  EXPECT_THAT(MergeDifferences(base, x, parts, ties), ElementsAre(3.0f, 3.0f, 5.0f, 3.0f));
}

TEST(MergeMethodsTest, DareKeepsItsShareAndItsMean) {
  const std::vector<float> base(100'000, 1.0f);
  const Vectors x = {std::vector<float>(base.size(), 2.0f)};
  const Difference parts[] = {{.weight = 1, .density = 0.25}};
  const DifferenceMerge dare = {.keep = DifferenceMerge::Keep::kRandom, .seed = 9};
  const auto merged = MergeDifferences(base, x, parts, dare);
  const auto kept = std::ranges::count(merged, 5.0f), dropped = std::ranges::count(merged, 1.0f);
  EXPECT_EQ(kept + dropped, std::ssize(merged));
  // Four standard deviations of a binomial distribution.
  EXPECT_NEAR(static_cast<double>(kept), 25'000, 4 * std::sqrt(100'000 * 0.25 * 0.75));
  EXPECT_EQ(MergeDifferences(base, x, parts, dare), merged);
}

TEST(MergeRecipeTest, ReadsGradientsAndFilters) {
  const auto recipe = ParseMergeRecipe(R"(
merge_method: slerp
base_model: a
slices:
  - sources:
      - {model: a, layer_range: [0, 4]}
      - {model: b, layer_range: [0, 4]}
parameters:
  t:
    - filter: self_attn
      value: [0, 0.5, 1]
    - value: 0.25
dtype: bfloat16
)",
                                       "r.yaml");
  ASSERT_TRUE(recipe) << recipe.error().ToString();
  const MergeParameter& t = recipe->parameters.at("t");
  EXPECT_EQ(t.At("model.layers.1.self_attn.q_proj.weight", 0.25), 0.25);
  EXPECT_EQ(t.At("model.layers.1.self_attn.q_proj.weight", 1), 1);
  EXPECT_EQ(t.At("model.norm.weight", 1), 0.25);
  EXPECT_EQ(recipe->dtype, DType::kBF16);
}

TEST(MergeRecipeTest, SaysWhatIsWrongAndWhere) {
  const std::pair<const char*, const char*> cases[] = {
      {"merge_method: ties\nmodels: []\n", "must be a list of models"},
      {"merge_method: karcher\nmodels: [{model: a}]\n", "`karcher` is not supported"},
      {"models: [{model: a}]\n", "`merge_method` is missing"},
      {"merge_method: ties\n", "neither `models` nor `slices`"},
      {"merge_method: ties\nmodels: [{model: a, wieght: 1}]\n", "`wieght` is not supported"},
      {"merge_method: ties\nmodels: [{model: a, parameters: {weight: x}}]\n", "must be a number"},
      {"merge_method: ties\nmodels: [{model: a, parameters: {density: 2}}]\n", "1 at most"},
      {"merge_method: ties\nmodels: [{model: a, parameters: {density: [1, 0]}}]\n", "over 0"},
      {"merge_method: [ties\n", ""},
      {"", "must be a mapping"},
  };
  for (const auto& [yaml, message] : cases) {
    const auto recipe = ParseMergeRecipe(yaml, "r.yaml");
    ASSERT_FALSE(recipe) << yaml;
    EXPECT_THAT(recipe.error().message, HasSubstr(message));
    EXPECT_THAT(recipe.error().where, HasSubstr("r.yaml:"));
  }
}

class MergeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    GoldenModel model = GoldenNamed("llama");
    for (const char* name : {"a", "b", "c"}) {
      fs::create_directory(place_.path() / name);
      model.name = name;
      FillWeights(model);
      ASSERT_TRUE(WriteFolder(model, place_.path() / name, AllAs(DType::kF32)));
    }
  }
  Result<MergeReport> Merge(const std::string& yaml, uint64_t seed = 1) {
    fs::remove_all(place_.path() / "out");
    JIKJI_ASSIGN(const MergeRecipe recipe, ParseMergeRecipe(yaml, "r.yaml"));
    ThreadPool pool(2);
    return MergeModels(recipe, place_.path(), place_.path() / "out", seed, pool);
  }
  std::vector<float> Values(const char* model, const std::string& tensor) {
    const auto checkpoint = Checkpoint::Open(place_.path() / model);
    EXPECT_TRUE(checkpoint) << checkpoint.error().ToString();
    const TensorView* view = (*checkpoint)->Find(tensor);
    EXPECT_NE(view, nullptr) << tensor;
    return view == nullptr ? std::vector<float>() : *UnpackTensor(*view);
  }
  TemporaryFolder place_;
};

TEST_F(MergeTest, EveryMethodGivesAModel) {
  const std::string name = "model.layers.1.mlp.up_proj.weight";
  const auto a = Values("a", name), b = Values("b", name), c = Values("c", name);
  for (const char* method : {"linear", "task_arithmetic", "ties", "dare_ties", "dare_linear"}) {
    const auto done = Merge(std::string("merge_method: ") + method +
                            "\nbase_model: a\nmodels:\n"
                            "  - {model: b, parameters: {weight: 0.5, density: 0.5}}\n"
                            "  - {model: c, parameters: {weight: 0.5, density: 0.5}}\n");
    ASSERT_TRUE(done) << method << ": " << done.error().ToString();
    ASSERT_TRUE(LoadDecoder(place_.path() / "out")) << method;
    const auto out = Values("out", name);
    if (method == std::string("linear")) {
      EXPECT_FLOAT_EQ(out[7], (b[7] + c[7]) / 2);
    }
    if (method == std::string("task_arithmetic")) {
      EXPECT_NEAR(out[7], (b[7] + c[7]) / 2, 1e-6);
    }
    EXPECT_NE(out, a) << method;
  }
}

// tests/goldens/merge: every method as NumPy computes it.
TEST_F(MergeTest, EveryMethodIsAsRecomputed) {
  const boost::json::value goldens =
      *ParseJsonFile(std::string(JIKJI_SOURCE_DIR) + "/tests/goldens/merge/merges.json");
  for (const boost::json::value& golden : goldens.at("merges").as_array()) {
    const std::string yaml(golden.at("recipe").as_string());
    SCOPED_TRACE(yaml);
    const auto done = Merge(yaml, goldens.at("seed").to_number<uint64_t>());
    ASSERT_TRUE(done) << done.error().ToString();
    for (const auto& [name, wanted] : golden.at("tensors").as_object()) {
      const auto out = Values("out", name);
      double squares = 0;
      for (const float value : out) squares += double{value} * value;
      const double norm = wanted.at("norm").to_number<double>();
      EXPECT_NEAR(std::sqrt(squares), norm, 1e-6 * norm) << name;
      const boost::json::array& at = wanted.at("at").as_array();
      for (size_t i = 0; i < at.size(); ++i) {
        // Differences of f32 are rounded once; values are of the size of 1.
        EXPECT_NEAR(out[at[i].to_number<size_t>()],
                    wanted.at("value").as_array()[i].to_number<double>(), 1e-6)
            << name << " at " << at[i];
      }
    }
  }
}

TEST_F(MergeTest, SlerpAtItsEndsIsTheModels) {
  for (const char* t : {"0", "1"}) {
    ASSERT_TRUE(Merge(std::string("merge_method: slerp\nbase_model: a\nmodels: [{model: a}, "
                                  "{model: b}]\nparameters: {t: ") +
                      t + "}\n"));
    for (const char* name : {"lm_head.weight", "model.norm.weight"}) {
      const auto wanted = Values(*t == '0' ? "a" : "b", name), out = Values("out", name);
      for (size_t i = 0; i < out.size(); ++i) ASSERT_NEAR(out[i], wanted[i], 1e-6);
    }
  }
}

TEST_F(MergeTest, PassthroughStacksLayers) {
  const auto done = Merge(
      "merge_method: passthrough\nslices:\n"
      "  - sources: [{model: a, layer_range: [0, 2]}]\n"
      "  - sources: [{model: b, layer_range: [1, 3]}]\n");
  ASSERT_TRUE(done) << done.error().ToString();
  EXPECT_EQ(done->layers, 4);
  const auto part = std::string(".self_attn.k_proj.weight");
  EXPECT_EQ(Values("out", "model.layers.1" + part), Values("a", "model.layers.1" + part));
  EXPECT_EQ(Values("out", "model.layers.2" + part), Values("b", "model.layers.1" + part));
  EXPECT_EQ(Values("out", "model.layers.3" + part), Values("b", "model.layers.2" + part));
  EXPECT_EQ(Values("out", "lm_head.weight"), Values("b", "lm_head.weight"));
  EXPECT_TRUE(LoadDecoder(place_.path() / "out"));
}

TEST_F(MergeTest, WhatCannotBeMergedIsSaid) {
  EXPECT_THAT(Merge("merge_method: ties\nmodels: [{model: b}]\n").error().message,
              HasSubstr("needs a `base_model`"));
  EXPECT_THAT(Merge("merge_method: slerp\nbase_model: a\nmodels: [{model: b}, {model: c}]\n")
                  .error()
                  .message,
              HasSubstr("one of them the `base_model`"));
  EXPECT_THAT(Merge("merge_method: linear\nmodels: [{model: b}, {model: c}]\n").error().message,
              HasSubstr("linear needs a `weight`"));
  EXPECT_THAT(Merge("merge_method: slerp\nbase_model: a\nmodels: [{model: a}, {model: c}]\n")
                  .error()
                  .message,
              HasSubstr("slerp needs a `t`"));
  EXPECT_THAT(Merge("merge_method: passthrough\nslices: [{sources: [{model: a, layer_range: [0, "
                    "9]}]}]\n")
                  .error()
                  .message,
              HasSubstr("has 3 layers, not 9"));
  const auto linear = [&](const char* of_b, const char* of_c, const char* more = "") {
    return Merge(
        std::string("merge_method: linear\nmodels:\n  - {model: b, parameters: {weight: ") + of_b +
        "}}\n  - {model: c, parameters: {weight: " + of_c + "}}\n" + more);
  };
  EXPECT_THAT(linear("1", "-1").error().message, HasSubstr("add up to 0"));
  EXPECT_TRUE(linear("1", "-1", "parameters: {normalize: false}\n"));
  EXPECT_THAT(linear("1e300", "1", "parameters: {normalize: false}\n").error().message,
              HasSubstr("not finite"));
  EXPECT_FALSE(fs::exists(place_.path() / "out"));
  fs::create_directory(place_.path() / "d");
  ASSERT_TRUE(WriteFolder(GoldenNamed("qwen3"), place_.path() / "d", AllAs(DType::kF32)));
  EXPECT_THAT(Merge("merge_method: linear\nmodels: [{model: a}, {model: d}]\n").error().message,
              HasSubstr("cannot be merged"));
}

}  // namespace
}  // namespace jikji
