// The normalizers of tokenizer.json: steps that rewrite a text before it is cut.
#ifndef JIKJI_TEXT_NORMALIZER_H_
#define JIKJI_TEXT_NORMALIZER_H_

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "text/normalize.h"
#include "text/regex.h"

namespace jikji {

struct PrependStep {
  std::string prefix;  // not put before an empty text
};
struct ReplaceStep {
  std::string pattern;
  std::string content;
};
struct ReplaceRegexStep {
  std::shared_ptr<const Regex> regex;
  std::string content;
};
struct LowercaseStep {};
struct StripAccentsStep {};  // drops marks
struct StripStep {           // drops white space at the ends
  bool left = false;
  bool right = false;
};
using NormalizerStep = std::variant<NormalForm, PrependStep, ReplaceStep, ReplaceRegexStep,
                                    LowercaseStep, StripAccentsStep, StripStep>;

// Applies the steps in order. `text` is well-formed UTF-8.
std::string ApplyNormalizer(const std::vector<NormalizerStep>& steps, std::string_view text);

}  // namespace jikji

#endif  // JIKJI_TEXT_NORMALIZER_H_
