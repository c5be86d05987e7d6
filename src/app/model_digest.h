// What a model is, in one line: for receipts, and for whoever must show which weights answered.
#ifndef JIKJI_APP_MODEL_DIGEST_H_
#define JIKJI_APP_MODEL_DIGEST_H_

#include <span>
#include <string>
#include <vector>

#include "app/engine_settings.h"
#include "base/error.h"

namespace jikji {

// Each is "sha256:" and the digest of a list: for each file that a model is made of (weights,
// configurations, tokenizer, template), by name, `NAME SHA256` and a line feed. `wanted` as
// FindModel takes it; an adapter's folder is taken like a model's.
struct ModelDigests {
  std::string model;
  std::vector<std::string> adapters;  // in the order given
};
Result<ModelDigests> DigestAll(const std::string& wanted, std::span<const NamedAdapter> adapters);

}  // namespace jikji

#endif  // JIKJI_APP_MODEL_DIGEST_H_
