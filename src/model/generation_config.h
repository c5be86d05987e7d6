// What a model's makers say about generating with it: defaults of sampling, and ids that end a
// turn.
#ifndef JIKJI_MODEL_GENERATION_CONFIG_H_
#define JIKJI_MODEL_GENERATION_CONFIG_H_

#include <cstdint>
#include <set>

#include "base/error.h"
#include "model/config_fields.h"
#include "model/model.h"
#include "text/tokenizer.h"

namespace jikji {

// From the fields of generation_config.json. Values outside what sampling can mean are errors.
Result<GenerationDefaults> ReadGenerationDefaults(const ConfigFields& config);

// Adds `key` (an id or a list of ids, or nothing) to `stops`; ids must be below `vocab`.
Result<> AddStopIds(const ConfigFields& config, std::string_view key, int64_t vocab,
                    std::set<TokenId>& stops);

// Adds the special tokens of this tokenizer that chat formats end a turn, or a text, with: a
// checkpoint's configuration often names only one of them.
void AddEnders(const Tokenizer& tokenizer, std::set<TokenId>& stops);

}  // namespace jikji

#endif  // JIKJI_MODEL_GENERATION_CONFIG_H_
