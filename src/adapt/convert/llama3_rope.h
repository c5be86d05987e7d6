// Llama 3's stretched rotary embedding, which config.json writes as a formula's parameters and GGUF
// as the formula's results: the divisor of each frequency (`rope_freqs.weight`).
#ifndef JIKJI_ADAPT_CONVERT_LLAMA3_ROPE_H_
#define JIKJI_ADAPT_CONVERT_LLAMA3_ROPE_H_

#include <optional>
#include <span>
#include <vector>

#include "model/decoder_spec.h"

namespace jikji {

// [head_dim / 2]. `rope.scaling` is kLlama3.
std::vector<float> Llama3Divisors(const RopeSpec& rope, int64_t head_dim);

// Parameters whose divisors are these; nullopt where none are. Looks among what models use: factors
// 1 and 4 of the wavelengths, original contexts of a power of two.
std::optional<RopeSpec> Llama3Parameters(const RopeSpec& with_divisors, int64_t head_dim);

}  // namespace jikji

#endif  // JIKJI_ADAPT_CONVERT_LLAMA3_ROPE_H_
