// Where a model keeps its chat template.
#ifndef JIKJI_MODEL_TEMPLATE_SOURCE_H_
#define JIKJI_MODEL_TEMPLATE_SOURCE_H_

#include <filesystem>
#include <string>

#include "base/error.h"
#include "tensor/checkpoint.h"

namespace jikji {

struct TemplateSource {
  std::string text;   // empty where the model has none
  std::string where;  // the file, and the key in it
};

// chat_template.jinja, else `chat_template` of tokenizer_config.json (a string, or a list of
// {name, template} of which "default" is taken) or of chat_template.json; in GGUF
// `tokenizer.chat_template`.
Result<TemplateSource> FindTemplate(const Checkpoint& checkpoint);
// Of a folder, whatever else is in it.
Result<TemplateSource> FindTemplate(const std::filesystem::path& folder);

}  // namespace jikji

#endif  // JIKJI_MODEL_TEMPLATE_SOURCE_H_
