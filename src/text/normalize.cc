#include "text/normalize.h"

#include <utf8proc.h>

#include <cstdint>
#include <cstring>

#include "base/utf8.h"
#include "text/unicode_table.h"

namespace jikji {
namespace {

// utf8proc grows its buffer by the decomposition; slices keep the memory of a long text small. A
// slice may begin only where normalisation never looks back: at an ASCII character.
constexpr size_t kSliceBytes = 1 << 16;

size_t SliceEnd(std::string_view text) {
  if (text.size() <= kSliceBytes) return text.size();
  size_t end = kSliceBytes;
  while (end < text.size() && (text[end] & 0x80) != 0) ++end;
  return end;
}

int FormOptions(NormalForm form) {
  switch (form) {
    case NormalForm::kNfc:
      return UTF8PROC_STABLE | UTF8PROC_COMPOSE;
    case NormalForm::kNfd:
      return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE;
    case NormalForm::kNfkc:
      return UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT;
    case NormalForm::kNfkd:
      return UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT;
  }
  return UTF8PROC_STABLE | UTF8PROC_COMPOSE;
}

}  // namespace

std::string Normalize(std::string_view text, NormalForm form) {
  if (!IsValidUtf8(text)) return Normalize(ReplaceInvalidUtf8(text), form);
  const auto options = static_cast<utf8proc_option_t>(FormOptions(form));
  std::string out;
  out.reserve(text.size());
  std::basic_string<utf8proc_int32_t> codes;
  while (!text.empty()) {
    const std::string_view slice = text.substr(0, SliceEnd(text));
    text.remove_prefix(slice.size());
    const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(slice.data());
    const auto size = static_cast<utf8proc_ssize_t>(slice.size());
    const utf8proc_ssize_t count = utf8proc_decompose(bytes, size, nullptr, 0, options);
    if (count < 0) {  // cannot be: the text is well formed
      out += slice;
      continue;
    }
    codes.resize(static_cast<size_t>(count));
    utf8proc_decompose(bytes, size, codes.data(), count, options);
    const utf8proc_ssize_t left = utf8proc_normalize_utf32(codes.data(), count, options);
    for (utf8proc_ssize_t i = 0; i < left; ++i) {
      AppendUtf8(static_cast<char32_t>(codes[static_cast<size_t>(i)]), out);
    }
  }
  return out;
}

bool IsSurelyNfc(std::string_view text) {
  const UnicodeTable& table = UnicodeTable::Get();
  size_t i = 0;
  while (i < text.size()) {
    if (static_cast<uint8_t>(text[i]) < 0x80) {
      ++i;
      uint64_t word;
      while (i + sizeof word <= text.size()) {
        std::memcpy(&word, text.data() + i, sizeof word);
        if ((word & 0x8080808080808080ull) != 0) break;
        i += sizeof word;
      }
      continue;
    }
    const Utf8Char c = DecodeUtf8(text.substr(i));
    if (!c.valid || (table.Flags(c.code_point) & kNfcMaybe) != 0) return false;
    i += c.length;
  }
  return true;
}

std::string NormalizeNfc(std::string_view text) {
  if (IsSurelyNfc(text)) return std::string(text);
  return Normalize(text, NormalForm::kNfc);
}

}  // namespace jikji
