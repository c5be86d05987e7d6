// Whether two tokenizers are one: what a conversion is held to before it is believed.
#ifndef JIKJI_ADAPT_CONVERT_SAME_TOKENS_H_
#define JIKJI_ADAPT_CONVERT_SAME_TOKENS_H_

#include "base/error.h"
#include "text/tokenizer.h"

namespace jikji {

// An error that shows the first text of a probing set (Korean, English, code, numbers, spaces,
// emoji), or the first token of `a`, on which they differ. `b` may have more tokens than `a`.
// Normalisation is not probed: GGUF has none.
Result<> ExpectSameTokens(const Tokenizer& a, const Tokenizer& b);

}  // namespace jikji

#endif  // JIKJI_ADAPT_CONVERT_SAME_TOKENS_H_
