// tokenizer.json from memory, for what has the text already.
#ifndef JIKJI_TEXT_TOKENIZER_JSON_H_
#define JIKJI_TEXT_TOKENIZER_JSON_H_

#include <memory>
#include <string_view>

#include "base/error.h"
#include "text/tokenizer.h"

namespace jikji {

// `config` is tokenizer_config.json, which names BOS and EOS; empty where there is none. `name` and
// `config_name` stand for the documents in errors.
Result<std::shared_ptr<const Tokenizer>> ParseTokenizerJson(
    std::string_view json, std::string_view name, std::string_view config = {},
    std::string_view config_name = "tokenizer_config.json");

}  // namespace jikji

#endif  // JIKJI_TEXT_TOKENIZER_JSON_H_
