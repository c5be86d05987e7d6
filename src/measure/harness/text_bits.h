// Bits per byte of a text: what it would take to store it with the model as the coder. Comparable
// between models of any tokenizer, unlike perplexity.
//
// The text is one document; each token is scored once, in lm-evaluation-harness's rolling windows.
// Its bits are put down to the stretch of kStretchBytes of the text in which it begins: stretches
// are the same for every model, so two of them can be compared piece by piece.
#ifndef JIKJI_MEASURE_HARNESS_TEXT_BITS_H_
#define JIKJI_MEASURE_HARNESS_TEXT_BITS_H_

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "measure/harness/metric.h"
#include "measure/harness/scorer.h"

namespace jikji::measure {

inline constexpr size_t kStretchBytes = 1024;  // some paragraphs: nearly independent of the next

// A text to be measured: plain or `.zst`, without a byte order mark. An error where a line is not
// UTF-8, which names it, and where there is nothing.
Result<std::string> ReadText(const std::filesystem::path& file);

// `window` tokens are read at a time, at least 2, at most the engine's context. The metric,
// "bits_per_byte", has the bits and the bytes of each stretch.
Result<Metric> TextBits(Scorer& scorer, std::string_view text, size_t window,
                        const ShowProgress& progress = {});

}  // namespace jikji::measure

#endif  // JIKJI_MEASURE_HARNESS_TEXT_BITS_H_
