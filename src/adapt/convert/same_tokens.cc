#include "adapt/convert/same_tokens.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string_view>
#include <utility>

namespace jikji {
namespace {

constexpr std::string_view kProbes[] = {
    "",
    " ",
    "안녕하세요. 반갑습니다!",
    "  직지심체요절은 1377년에  금속활자로 찍은 책이다.\n\n그러나 남은 것은 하권뿐이다.\t끝",
    "The quick brown fox doesn't jump; it's I'LL and WE'VE over 1234567 lazy dogs.",
    "def f(x):\n    return {'a': x ** 2, \"b\": [1, 22, 333, 4444]}\n\n\n# 끝\r\n",
    "3.141592, 100,000원, 2026-11-24T09:30:00Z, 50%, ₩12,345",
    "漢字と仮名、Ελληνικά, кириллица, עברית, العربية",
    "😀👩‍👩‍👧‍👦 e\u0301 \u00a0\u200b\u3000ﬁ ½ ²",
    "http://example.com/a/b?c=d&e=f#g ///// ----- ===== \"\"\" ''' <|x|> <x> [INST]",
    "ㅋㅋㅋㅋ ㅠㅠ 뷁쀍 값어치 닭이 앉아 있었습니다만",
    "   \n  \n\t\t x   y    z     ",
};

std::string Ids(const std::vector<TokenId>& ids) { return fmt::format("{}", fmt::join(ids, " ")); }

}  // namespace

Result<> ExpectSameTokens(const Tokenizer& a, const Tokenizer& b) {
  for (const std::string_view text : kProbes) {
    for (const bool special : {false, true}) {
      const EncodeOptions options = {.add_special = special};
      const auto ids_a = a.Encode(text, options), ids_b = b.Encode(text, options);
      if (ids_a != ids_b) {
        return Fail(
            ErrorCode::kUnsupported,
            fmt::format("the tokenizer cannot be carried over: `{}` would become {}, not {}", text,
                        Ids(ids_b), Ids(ids_a)));
      }
    }
  }
  for (TokenId id = 0; id < a.vocab_size(); ++id) {
    if (a.TokenBytes(id) != b.TokenBytes(id) || a.IsSpecial(id) != b.IsSpecial(id)) {
      return Fail(ErrorCode::kUnsupported,
                  fmt::format("the tokenizer cannot be carried over: token {} would become `{}`, "
                              "not `{}`",
                              id, b.TokenBytes(id), a.TokenBytes(id)));
    }
  }
  return {};
}

}  // namespace jikji
