// The pre-tokenizers that GGUF files name in `tokenizer.ggml.pre`, as llama.cpp defines them.
#ifndef JIKJI_TEXT_GGUF_PRE_H_
#define JIKJI_TEXT_GGUF_PRE_H_

#include <memory>
#include <string_view>

#include "base/error.h"
#include "text/splitter.h"

namespace jikji {

struct GgufPre {
  std::unique_ptr<Splitter> splitter;
  bool whole_pieces = false;  // a piece that is a token needs no merges
  bool add_bos = false;       // where the file does not say
};

// kUnsupported for a name that is not known: a wrong guess would feed the model wrong tokens.
Result<GgufPre> MakeGgufPre(std::string_view name);

}  // namespace jikji

#endif  // JIKJI_TEXT_GGUF_PRE_H_
