// Adapters in a device's memory, f32, and what they make of a step's projections; an embedding and
// a head of an adapter's own, in the type that they have in its file.
#ifndef JIKJI_MODEL_GPU_GPU_ADAPTERS_H_
#define JIKJI_MODEL_GPU_GPU_ADAPTERS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/error.h"
#include "device/arena.h"
#include "kernels/gpu/adapter.h"
#include "kernels/gpu/ops.h"
#include "model/decoder_spec.h"
#include "model/gpu/gpu_cut.h"
#include "model/gpu/gpu_limits.h"
#include "model/peft_adapter.h"
#include "model/weight_sources.h"

namespace jikji {

// Bytes that an adapter takes on a device: A of every matrix, and of B and DoRA's gains the rows
// that the cut gives to the projection. kUnsupported: with a cut, one that has a vocabulary of its
// own.
Result<uint64_t> GpuAdapterBytes(const PeftAdapter& adapter, const GpuCut& cut = {});

// One that is the base's has no rows.
struct GpuVocabulary {
  kernels::gpu::DeviceMatrix embedding, head;
};

class GpuAdapters {
 public:
  // Bytes of the table of all projections of all adapters.
  static uint64_t TableBytes(const DecoderSpec& spec, const GpuLimits& limits);

  // `table`: TableBytes of the device's memory.
  GpuAdapters(const DecoderSpec& spec, const GpuLimits& limits, const GpuCut& cut,
              std::byte* table);

  // Its number. kInvalidArgument beyond the limits. `base`: the base's weights, of whose rows
  // DoRA's gains are; not needed afterwards.
  Result<int32_t> Add(device::Device& device, const PeftAdapter& adapter,
                      std::span<const WeightSource> base);

  // Of a layer's projection; an address on the device.
  const kernels::gpu::AdapterPart* PartsOf(size_t layer, TensorRole projection) const;

  // By an adapter's number.
  std::span<const GpuVocabulary> vocabularies() const { return vocabularies_; }

 private:
  size_t IndexOf(size_t layer, TensorRole projection) const;

  GpuLimits limits_;
  GpuCut cut_;
  int64_t most_vocab_;
  std::byte* table_;
  std::vector<kernels::gpu::AdapterPart> parts_;  // as in the table: [layer][projection][adapter]
  std::vector<GpuVocabulary> vocabularies_;
  std::vector<device::Arena> memory_;  // of each adapter
};

}  // namespace jikji

#endif  // JIKJI_MODEL_GPU_GPU_ADAPTERS_H_
