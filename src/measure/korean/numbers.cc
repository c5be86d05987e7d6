#include "measure/korean/numbers.h"

#include <algorithm>
#include <array>
#include <vector>

#include "measure/korean/hangul.h"

namespace jikji::measure {
namespace {

constexpr uint64_t kGroup = 10000;
constexpr std::array<std::string_view, 4> kGroupUnits = {"", "만", "억", "조"};
constexpr std::array<std::string_view, 4> kSmallUnits = {"", "십", "백", "천"};
constexpr std::array<std::string_view, 10> kDigitWords = {"영", "일", "이", "삼", "사",
                                                          "오", "육", "칠", "팔", "구"};

// The groups of four digits, highest first, zero ones left out: value and unit.
std::vector<std::pair<uint64_t, size_t>> Groups(uint64_t number) {
  std::vector<std::pair<uint64_t, size_t>> groups;
  for (size_t unit = 0; number > 0; ++unit, number /= kGroup) {
    if (number % kGroup != 0) groups.insert(groups.begin(), {number % kGroup, unit});
  }
  return groups;
}

std::string GroupInWords(uint64_t group) {
  std::string words;
  uint64_t place = 1000;
  for (size_t unit = 4; unit-- > 0; place /= 10) {
    const uint64_t digit = group / place % 10;
    if (digit == 0) continue;
    if (digit > 1 || unit == 0) words += kDigitWords[digit];
    words += kSmallUnits[unit];
  }
  return words;
}

template <size_t n>
std::optional<size_t> Find(const std::array<std::string_view, n>& list, char32_t code) {
  const auto found = std::ranges::find(list, FromCodePoint(code));
  if (found == list.end()) return std::nullopt;
  return static_cast<size_t>(found - list.begin());
}

// Reads one number from left to right: digits or a word for one, a unit up to 천, a unit of 만 and
// above.
class Reader {
 public:
  // False where `code` cannot stand here.
  bool Take(char32_t code) {
    if (code == ' ') {
      gap_ = pending_ != kNone;
      return true;
    }
    if (code >= '0' && code <= '9') return Digit(code - '0');
    if (const auto digit = Find(kDigitWords, code)) return Word(*digit);
    if (const auto unit = Find(kSmallUnits, code)) return SmallUnit(*unit);
    if (const auto unit = Find(kGroupUnits, code)) return GroupUnit(*unit);
    return false;
  }

  std::optional<uint64_t> End() {
    if (!any_) return std::nullopt;
    if (!CloseDigits()) return std::nullopt;
    return total_ + group_;
  }

 private:
  static constexpr uint64_t kNone = ~uint64_t{0};

  bool Digit(uint64_t digit) {
    if (word_ || gap_) return false;
    any_ = true;
    if (pending_ == kNone) pending_ = 0;
    // A number without units may be as long as all groups together.
    if (pending_ > kMostKoreanNumber / 10) return false;
    pending_ = pending_ * 10 + digit;
    return true;
  }

  bool Word(uint64_t digit) {
    if (pending_ != kNone) return false;
    if (digit == 0 && any_) return false;  // 영 stands alone
    any_ = word_ = true;
    pending_ = digit;
    return true;
  }

  bool SmallUnit(size_t unit) {
    static constexpr std::array<uint64_t, 4> kValues = {1, 10, 100, 1000};
    if (kValues[unit] >= small_) return false;
    const uint64_t count = pending_ == kNone ? 1 : pending_;
    if (count == 0 || count > 9) return false;
    group_ += count * kValues[unit];
    small_ = kValues[unit];
    any_ = true;
    Reset();
    return true;
  }

  bool GroupUnit(size_t unit) {
    if (unit >= group_unit_) return false;
    uint64_t value = 1;
    for (size_t i = 0; i < unit; ++i) value *= kGroup;
    if (group_ == 0 && pending_ == kNone) {
      if (unit != 1 || any_) return false;  // 만 alone may head a number; 억 and 조 are counted
      group_ = 1;
    } else if (!CloseDigits()) {
      return false;
    }
    if (group_ == 0 || group_ >= kGroup) return false;
    total_ += group_ * value;
    group_ = 0;
    small_ = kGroup;
    group_unit_ = unit;
    any_ = true;
    return true;
  }

  // What stands without a unit is ones: below the unit before it.
  bool CloseDigits() {
    if (pending_ == kNone) return true;
    const bool alone = group_ == 0 && group_unit_ == kGroupUnits.size();
    if (!alone && (pending_ >= kGroup || pending_ >= small_)) return false;
    if (!alone && pending_ == 0) return false;
    group_ += pending_;
    Reset();
    return true;
  }

  void Reset() {
    pending_ = kNone;
    word_ = gap_ = false;
  }

  uint64_t total_ = 0;
  uint64_t group_ = 0;                      // of the group at hand, so far
  uint64_t pending_ = kNone;                // digits whose unit has not come
  uint64_t small_ = kGroup;                 // the last unit up to 천: the next must be below
  size_t group_unit_ = kGroupUnits.size();  // likewise of 만 and above
  bool word_ = false;                       // `pending_` was a word
  bool gap_ = false;                        // a space stands behind `pending_`
  bool any_ = false;
};

// "1,234,567": commas before each three digits; false where one stands elsewhere.
bool DropCommas(std::string& text) {
  if (!text.contains(',')) return true;
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      out += text[i];
      continue;
    }
    const auto digit = [&](size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '9';
    };
    const bool three = digit(i + 1) && digit(i + 2) && digit(i + 3) && !digit(i + 4);
    if (i == 0 || !digit(i - 1) || !three) return false;
  }
  text = out;
  return true;
}

}  // namespace

std::string NumberWithUnits(uint64_t number) {
  if (number == 0) return "0";
  std::string text;
  for (const auto& [group, unit] : Groups(number)) {
    if (!text.empty()) text += ' ';
    text += std::to_string(group);
    text += kGroupUnits[unit];
  }
  return text;
}

std::string NumberInWords(uint64_t number) {
  if (number == 0) return "영";
  std::string text;
  for (const auto& [group, unit] : Groups(number)) {
    const bool bare = text.empty() && group == 1 && unit == 1;
    if (!text.empty()) text += ' ';
    if (!bare) text += GroupInWords(group);
    text += kGroupUnits[unit];
  }
  return text;
}

std::optional<uint64_t> ParseKoreanNumber(std::string_view text) {
  std::string plain(text);
  if (!DropCommas(plain)) return std::nullopt;
  Reader reader;
  for (const char32_t code : CodePoints(plain)) {
    if (!reader.Take(code)) return std::nullopt;
  }
  return reader.End();
}

}  // namespace jikji::measure
