#include "text/normalizer.h"

#include <utf8proc.h>

#include <utility>

#include "base/utf8.h"
#include "text/unicode_table.h"

namespace jikji {
namespace {

struct Apply {
  std::string text;

  void operator()(NormalForm form) {
    if (form == NormalForm::kNfc && IsSurelyNfc(text)) return;
    text = Normalize(text, form);
  }

  void operator()(const PrependStep& step) {
    if (!text.empty()) text.insert(0, step.prefix);
  }

  void operator()(const ReplaceStep& step) {
    if (step.pattern.empty()) return;
    std::string out;
    size_t from = 0;
    for (size_t at = text.find(step.pattern); at != std::string::npos;
         at = text.find(step.pattern, from)) {
      out.append(text, from, at - from);
      out += step.content;
      from = at + step.pattern.size();
    }
    if (from == 0) return;
    out.append(text, from);
    text = std::move(out);
  }

  void operator()(const ReplaceRegexStep& step) {
    std::string out;
    size_t from = 0;
    step.regex->ForEachMatch(text, [&](size_t begin, size_t end) {
      out.append(text, from, begin - from);
      out += step.content;
      from = end;
    });
    if (from == 0) return;
    out.append(text, from);
    text = std::move(out);
  }

  void operator()(LowercaseStep) {
    std::string out;
    out.reserve(text.size());
    for (std::string_view rest = text; !rest.empty();) {
      const CharAt c = FirstChar(rest);
      rest.remove_prefix(c.length);
      AppendUtf8(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c.code))),
                 out);
    }
    text = std::move(out);
  }

  void operator()(StripAccentsStep) {
    const UnicodeTable& table = UnicodeTable::Get();
    std::string out;
    out.reserve(text.size());
    for (std::string_view rest = text; !rest.empty();) {
      const CharAt c = FirstChar(rest);
      if ((table.Flags(c.code) & kMark) == 0) {
        out += rest.substr(0, c.length);
      }
      rest.remove_prefix(c.length);
    }
    text = std::move(out);
  }

  void operator()(const StripStep& step) {
    const UnicodeTable& table = UnicodeTable::Get();
    std::string_view rest = text;
    while (step.left && !rest.empty()) {
      const CharAt c = FirstChar(rest);
      if ((table.Flags(c.code) & kSpace) == 0) break;
      rest.remove_prefix(c.length);
    }
    while (step.right && !rest.empty()) {
      size_t last = rest.size() - 1;
      while ((rest[last] & 0xC0) == 0x80) --last;
      if ((table.Flags(FirstChar(rest.substr(last)).code) & kSpace) == 0) break;
      rest = rest.substr(0, last);
    }
    text = std::string(rest);
  }
};

}  // namespace

std::string ApplyNormalizer(const std::vector<NormalizerStep>& steps, std::string_view text) {
  Apply apply{std::string(text)};
  for (const NormalizerStep& step : steps) std::visit(apply, step);
  return std::move(apply.text);
}

}  // namespace jikji
