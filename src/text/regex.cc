#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <utility>

namespace jikji {
namespace {

// Generous for the patterns of tokenizers, whose backtracking is linear; small enough that a
// hostile text costs seconds at most, since after the first failure a text is not searched again.
constexpr uint32_t kMatchLimit = 50'000'000;
constexpr size_t kMaxPattern = 1 << 16;
constexpr size_t kJitStack = 8 << 20;

// White_Space, as the inside of a character class.
constexpr std::string_view kSpaces =
    R"(\x09-\x0d\x20\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
// Alphabetic, marks, decimal digits and connectors; of No only the circled letters are alphabetic.
constexpr std::string_view kWords = R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24b6}-\x{24e9})";

std::string ErrorText(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

Result<std::string> Unsupported(std::string_view what) {
  return Fail(ErrorCode::kUnsupported, fmt::format("a pattern with {} is not supported", what));
}

}  // namespace

Result<std::string> TranslatePattern(std::string_view pattern) {
  std::string out;
  bool in_class = false;
  size_t class_begin = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\') {
      if (++i == pattern.size()) return Unsupported("a lone backslash at its end");
      switch (pattern[i]) {
        case 's':
          out += in_class ? std::string(kSpaces) : fmt::format("[{}]", kSpaces);
          break;
        case 'S':
          // In a class PCRE2's \S lacks U+180E alone.
          out += in_class ? R"(\S\x{180e})" : fmt::format("[^{}]", kSpaces);
          break;
        case 'w':
          out += in_class ? std::string(kWords) : fmt::format("[{}]", kWords);
          break;
        case 'W':
          if (in_class) return Unsupported(R"(\W in a class)");
          out += fmt::format("[^{}]", kWords);
          break;
        case 'h':
        case 'H':
        case 'b':
        case 'B':
          return Unsupported(fmt::format(R"(\{})", pattern[i]));
        default:
          out += '\\';
          out += pattern[i];
      }
      continue;
    }
    if (in_class) {
      if (c == '[' && !pattern.substr(i).starts_with("[:")) return Unsupported("a nested class");
      if (c == '&' && pattern.substr(i).starts_with("&&")) return Unsupported("&& in a class");
      if (c == ']' && i > class_begin) in_class = false;
      if (c == '[') {  // a POSIX class, taken whole
        const size_t end = pattern.find(":]", i);
        if (end == std::string_view::npos) return Unsupported("an open POSIX class");
        out += pattern.substr(i, end + 2 - i);
        i = end + 1;
        continue;
      }
    } else if (c == '[') {
      in_class = true;
      class_begin = i + 1;
      if (class_begin < pattern.size() && pattern[class_begin] == '^') ++class_begin;
    } else if (c == '$') {
      out += R"((?=\n|\z))";  // Oniguruma's: the end of a line
      continue;
    } else if (c == '^') {
      return Unsupported("the anchor ^");
    }
    out += c;
  }
  return out;
}

struct Regex::Program {
  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;
  ~Program() {
    pcre2_match_context_free(context);
    pcre2_code_free(code);
  }
};

Regex::Regex(std::unique_ptr<const Program> program) : program_(std::move(program)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::Compile(std::string_view pattern, std::string_view where) {
  if (pattern.size() > kMaxPattern) {
    return Fail(ErrorCode::kResourceExhausted, "the pattern is longer than 64 KiB",
                std::string(where));
  }
  auto translated = TranslatePattern(pattern);
  if (!translated) {
    translated.error().where = where;
    return std::unexpected(std::move(translated).error());
  }
  auto program = std::make_unique<Program>();
  int code = 0;
  PCRE2_SIZE offset = 0;
  program->code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated->data()), translated->size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &code, &offset, nullptr);
  if (program->code == nullptr) {
    return Fail(ErrorCode::kUnsupported,
                fmt::format("pattern not understood at byte {}: {}", offset, ErrorText(code)),
                std::string(where));
  }
  // Without JIT (a sandbox that forbids writable code) PCRE2 interprets: slower, same matches.
  pcre2_jit_compile(program->code, PCRE2_JIT_COMPLETE);
  program->context = pcre2_match_context_create(nullptr);
  if (program->context == nullptr) return Fail(ErrorCode::kResourceExhausted, "out of memory");
  pcre2_set_match_limit(program->context, kMatchLimit);
  pcre2_jit_stack_assign(
      program->context,
      [](void*) -> pcre2_jit_stack* {
        struct Stack {
          pcre2_jit_stack* stack = pcre2_jit_stack_create(32 << 10, kJitStack, nullptr);
          ~Stack() { pcre2_jit_stack_free(stack); }
        };
        static thread_local Stack stack;
        return stack.stack;
      },
      nullptr);
  return Regex(std::move(program));
}

void Regex::ForEachMatch(std::string_view text,
                         const std::function<void(size_t, size_t)>& found) const {
  struct Free {
    void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  };
  const std::unique_ptr<pcre2_match_data, Free> data(pcre2_match_data_create(1, nullptr));
  if (data == nullptr) return;
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  size_t at = 0;
  uint32_t options = PCRE2_NO_UTF_CHECK;
  while (at < text.size()) {
    // The output vector holds only the whole match: 0 says that there were groups too.
    const int count = pcre2_match(program_->code, subject, text.size(), at, options, data.get(),
                                  program_->context);
    if (count < 0) return;
    const PCRE2_SIZE* span = pcre2_get_ovector_pointer(data.get());
    if (span[1] > span[0]) {
      found(span[0], span[1]);
      at = span[1];
    } else {
      at = span[0] + 1;
      while (at < text.size() && (text[at] & 0xC0) == 0x80) ++at;
    }
  }
}

}  // namespace jikji
