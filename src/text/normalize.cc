#include "text/normalize.h"

#include <utf8proc.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/utf8.h"
#include "text/unicode_table.h"

namespace jikji {
namespace {

// Beyond so many code points what is done is written at the next place where normalisation never
// looks back, which keeps the memory of a long text small.
constexpr size_t kSliceCodes = 1 << 14;

// Canonical decompositions have at most 4 code points, compatible ones 18.
constexpr utf8proc_ssize_t kMaxParts = 32;

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

// Takes characters, decomposes and orders them, composes, and writes.
//
// utf8proc's own ordering (in utf8proc_decompose) costs the square of a run of combining marks, and
// who sends a text chooses its runs: here each run is sorted. A code point waits with its combining
// class in its upper byte, so that sorting looks nothing up.
class Slice {
 public:
  Slice(NormalForm form, std::string& out)
      : options_(static_cast<utf8proc_option_t>(FormOptions(form))),
        composes_(form == NormalForm::kNfc || form == NormalForm::kNfkc),
        out_(out) {}

  void Take(char32_t code) {
    if (code < 0x80) return TakePart(code, 0, true);
    utf8proc_int32_t parts[kMaxParts];
    int boundary = 0;
    const utf8proc_ssize_t count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(code),
                                                           parts, kMaxParts, options_, &boundary);
    if (count < 1 || count > kMaxParts) return TakePart(code, 0, true);  // cannot be
    for (utf8proc_ssize_t i = 0; i < count; ++i) {
      const auto part = static_cast<char32_t>(parts[i]);
      const auto combining_class =
          static_cast<uint32_t>(utf8proc_get_property(parts[i])->combining_class);
      TakePart(part, combining_class, (table_.Flags(part) & kNfcMaybe) == 0);
    }
  }

  void Flush() {
    EndRun();
    auto left = static_cast<utf8proc_ssize_t>(codes_.size());
    if (composes_) {  // in one pass: each code point meets the last starter only
      for (utf8proc_int32_t& code : codes_) code &= kCodeMask;
      left = utf8proc_normalize_utf32(codes_.data(), left, options_);
    }
    for (utf8proc_ssize_t i = 0; i < left; ++i) {
      AppendUtf8(static_cast<char32_t>(codes_[static_cast<size_t>(i)] & kCodeMask), out_);
    }
    codes_.clear();
    run_ = 0;
  }

 private:
  static constexpr utf8proc_int32_t kCodeMask = 0x1FFFFF;
  static uint32_t ClassOf(utf8proc_int32_t code) { return static_cast<uint32_t>(code) >> 24; }

  // `free`: nothing before it matters to what becomes of it and of what follows.
  void TakePart(char32_t code, uint32_t combining_class, bool free) {
    if (combining_class == 0) {
      EndRun();
      if (free && codes_.size() >= kSliceCodes) Flush();
    }
    codes_.push_back(static_cast<utf8proc_int32_t>(combining_class << 24 | code));
    if (combining_class == 0) run_ = codes_.size();
  }

  void EndRun() {
    const auto begin = codes_.begin() + static_cast<std::ptrdiff_t>(run_);
    const auto lower = [](utf8proc_int32_t a, utf8proc_int32_t b) {
      return ClassOf(a) < ClassOf(b);
    };
    if (!std::is_sorted(begin, codes_.end(), lower)) std::stable_sort(begin, codes_.end(), lower);
    run_ = codes_.size();
  }

  const utf8proc_option_t options_;
  const bool composes_;
  std::string& out_;
  const UnicodeTable& table_ = UnicodeTable::Get();
  std::vector<utf8proc_int32_t> codes_;
  size_t run_ = 0;  // where the run of combining marks at the end begins
};

}  // namespace

std::string Normalize(std::string_view text, NormalForm form) {
  if (!IsValidUtf8(text)) return Normalize(ReplaceInvalidUtf8(text), form);
  std::string out;
  out.reserve(text.size());
  Slice slice(form, out);
  while (!text.empty()) {
    const CharAt c = FirstChar(text);
    slice.Take(c.code);
    text.remove_prefix(c.length);
  }
  slice.Flush();
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
