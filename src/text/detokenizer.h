// Tokens to text as they come, in whole characters (promise 5).
//
// What Push returned, added up, followed by Finish, equals Tokenizer::Decode of all the ids. A
// delta never ends inside a character: bytes that may still become one are held back.
#ifndef JIKJI_TEXT_DETOKENIZER_H_
#define JIKJI_TEXT_DETOKENIZER_H_

#include <memory>
#include <string>

#include "text/tokenizer.h"

namespace jikji {

class Detokenizer {
 public:
  explicit Detokenizer(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = true);

  // The text that is now certain: maybe empty, always valid UTF-8.
  std::string Push(TokenId id);
  // What is left: U+FFFD for a character that never came to its end.
  std::string Finish();

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool skip_special_;
  bool at_start_ = true;
  std::string held_;
};

}  // namespace jikji

#endif  // JIKJI_TEXT_DETOKENIZER_H_
