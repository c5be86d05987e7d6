// Any bytes as tokenizer.json: an error or a tokenizer that encodes and decodes what it is given.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.h"
#include "text/detokenizer.h"
#include "text/tokenizer_json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const auto tokenizer = jikji::ParseTokenizerJson(json, "fuzz");
  if (!tokenizer) {
    if (tokenizer.error().message.empty()) std::abort();
    return 0;
  }
  static constexpr std::string_view kText =
      " Hello, 안녕하세요  \n\n\t각\xE1\x84\x80\xE1\x85\xA1 123456 <s>I'LL</s> \xF0\x9F\x98\x80 "
      "abab\xFF";
  for (const bool special : {false, true}) {
    const auto ids =
        (*tokenizer)->Encode(kText, {.add_special = special, .parse_special = special});
    jikji::Detokenizer detokenizer(*tokenizer, special);
    std::string all;
    for (const jikji::TokenId id : ids) {
      if (id < 0 || id >= (*tokenizer)->vocab_size()) std::abort();
      all += detokenizer.Push(id);
      if (!jikji::IsValidUtf8(all)) std::abort();
    }
    all += detokenizer.Finish();
    if (all != (*tokenizer)->Decode(ids, special)) std::abort();
  }
  return 0;
}
