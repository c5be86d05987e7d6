// Whether the tokenizer that lies in an adapter's folder is one for the adapter's tokens.
#ifndef JIKJI_MODEL_ADAPTER_TOKENIZER_H_
#define JIKJI_MODEL_ADAPTER_TOKENIZER_H_

#include "base/error.h"
#include "model/peft_adapter.h"
#include "text/tokenizer.h"

namespace jikji {

// An error where `own` has more tokens than the adapter knows, or where the adapter reads the
// base's embedding and an ordinary token of `own` spells something else than the base's of that
// number: it would then be taught by one text and asked by another. Special tokens may be renamed,
// and tokens may be missing at the end, as they often are.
Result<> CheckAdapterTokenizer(const Tokenizer& own, const Tokenizer& base,
                               const PeftAdapter& adapter);

}  // namespace jikji

#endif  // JIKJI_MODEL_ADAPTER_TOKENIZER_H_
