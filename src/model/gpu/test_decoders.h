// For tests: a golden model on a device, here the emulated one, and on the processor.
#ifndef JIKJI_MODEL_GPU_TEST_DECODERS_H_
#define JIKJI_MODEL_GPU_TEST_DECODERS_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include "kernels/gpu/gpu_test.h"
#include "model/golden_models.h"
#include "model/gpu/gpu_decoder.h"

namespace jikji {

inline constexpr GpuLimits kLimits = {.rows = 70, .slices = 8, .pages = 8};
inline constexpr int32_t kPageTokens = 8;

// Half a unit of BF16's last place, relative.
inline constexpr double kRounding = 0x1p-9;

// On a device every vector that a product reads is rounded to BF16: four in a layer, and the
// head's. Each rounding moves its vector by at most kRounding of the largest value; added up as if
// none ever cancelled another, that is how far the largest logit may move.
inline double Tolerance(const DecoderSpec& spec) {
  return kRounding * static_cast<double>(4 * spec.layers.size() + 1);
}

// Where the model is then: weights as they are in a folder, or of `dtype` in a GGUF file.
inline std::filesystem::path WriteModel(const GoldenModel& model, DType dtype,
                                        const std::filesystem::path& folder) {
  if (dtype == DType::kF32) {
    EXPECT_TRUE(WriteFolder(model, folder, AllAs(dtype)));
    return folder;
  }
  EXPECT_TRUE(WriteGguf(model, folder / "model.gguf", MatricesAs(dtype)));
  return folder / "model.gguf";
}

// A golden model on both.
struct OnBoth {
  TemporaryFolder folder;
  std::shared_ptr<device::Device> device;
  std::unique_ptr<Decoder> processor, gpu;

  explicit OnBoth(const GoldenModel& model, DType dtype = DType::kF32,
                  std::shared_ptr<device::Device> on = kernels::gpu::TestDevice(),
                  GpuLimits limits = {})
      : device(std::move(on)) {
    limits.rows = kLimits.rows;
    limits.slices = kLimits.slices;
    limits.pages = kLimits.pages;
    const auto path = WriteModel(model, dtype, folder.path());
    auto on_processor = LoadDecoder(path);
    EXPECT_TRUE(on_processor) << on_processor.error().ToString();
    processor = std::move(*on_processor);
    auto checkpoint = Checkpoint::Open(path);
    EXPECT_TRUE(checkpoint);
    auto loaded = LoadGpuDecoder(device, *checkpoint, processor->spec(), limits);
    EXPECT_TRUE(loaded) << loaded.error().ToString();
    gpu = std::move(*loaded);
  }
};

inline std::vector<int32_t> AllRows(size_t count) {
  std::vector<int32_t> rows(count);
  std::iota(rows.begin(), rows.end(), 0);
  return rows;
}

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_TEST_DECODERS_H_
