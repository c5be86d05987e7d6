// What a model is, in one line: for receipts, and for whoever must show which weights answered.
#ifndef JIKJI_APP_MODEL_DIGEST_H_
#define JIKJI_APP_MODEL_DIGEST_H_

#include <string>

#include "base/error.h"

namespace jikji {

// "sha256:" and the digest of a list: for each file that a model is made of (weights,
// configurations, tokenizer, template), by name, `NAME SHA256` and a line feed. `wanted` as
// FindModel takes it.
Result<std::string> DigestModel(const std::string& wanted);

}  // namespace jikji

#endif  // JIKJI_APP_MODEL_DIGEST_H_
