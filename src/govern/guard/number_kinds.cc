#include <algorithm>
#include <initializer_list>
#include <string>

#include "govern/guard/checks.h"
#include "govern/guard/number.h"

namespace jikji::guard {
namespace {

// Do the first groups have these sizes? (A group is a whole run, so no digit follows the last.)
bool Grouped(const Number& number, std::initializer_list<size_t> sizes) {
  if (number.group_count < sizes.size()) return false;
  size_t i = 0;
  return std::ranges::all_of(sizes, [&](size_t size) { return number.groups[i++].size == size; });
}

// Is it one separator each between the first `count` groups?
bool SinglySeparated(const Number& number, size_t count) {
  return std::all_of(number.groups.begin(), number.groups.begin() + static_cast<long>(count) - 1,
                     [](const Number::Group& group) { return group.separators == 1; });
}

// Do the first `count` groups stand for themselves, not as a part of a longer dashed number?
bool Stands(const Number& number, const NumberPlace& place, size_t count) {
  return !place.after_dashed_digit && !number.groups[count - 1].hyphenated;
}

NumberMatch Match(const Number& number, PiiKind kind, Confidence confidence, size_t groups,
                  bool takes_before = false) {
  return {kind, confidence, number.groups[groups - 1].end, takes_before};
}

Confidence SureIf(bool sure) { return sure ? Confidence::kSure : Confidence::kLikely; }

// Residents, foreigners and corporations: six digits and seven.
std::optional<NumberMatch> Registration(const Number& number, const NumberPlace& place) {
  const bool parted = IsRegistrationShape(number);
  if (!parted && !Grouped(number, {13})) return std::nullopt;
  const size_t groups = parted ? 2 : 1;
  const std::string_view digits = number.Digits(groups);
  const char century = digits[6];
  if (HasBirthDate(digits)) {
    if (century >= '1' && century <= '4') {
      return Match(number, PiiKind::kResidentNumber, SureIf(ResidentChecksum(digits)), groups);
    }
    if (century >= '5' && century <= '8') {
      return Match(number, PiiKind::kForeignerNumber, SureIf(ForeignerChecksum(digits)), groups);
    }
  }
  // A corporation's seventh digit is 0; so is that of a woman born before 1900. No number of the
  // 1800s was issued without a checksum.
  const bool named = (parted && number.groups[0].dashed) || place.corporate_words;
  if (century == '0' && named && CorporateChecksum(digits)) {
    return Match(number, PiiKind::kCorporateNumber, SureIf(place.corporate_words), groups);
  }
  if ((century == '9' || century == '0') && HasBirthDate(digits) && ResidentChecksum(digits)) {
    return Match(number, PiiKind::kResidentNumber, Confidence::kSure, groups);
  }
  if (named && CorporateChecksum(digits) && Stands(number, place, groups)) {
    return Match(number, PiiKind::kCorporateNumber, SureIf(place.corporate_words), groups);
  }
  return std::nullopt;
}

std::optional<NumberMatch> Passport(const Number& number, const NumberPlace& place) {
  constexpr std::string_view kLetters = "MSRODmsrod";
  if (!place.alone || place.before >= 128 ||
      kLetters.find(static_cast<char>(place.before)) == std::string_view::npos ||
      !Grouped(number, {8}) || !Stands(number, place, 1)) {
    return std::nullopt;
  }
  return Match(number, PiiKind::kPassport, Confidence::kLikely, 1, true);
}

std::optional<NumberMatch> Licence(const Number& number, const NumberPlace& place) {
  const auto licence = [&](size_t groups) {
    return Match(number, PiiKind::kDriverLicence, SureIf(place.licence_words), groups);
  };
  if (Grouped(number, {2, 2, 6, 2}) && IsLicenceRegion(number.Digits(1)) &&
      SinglySeparated(number, 4) && Stands(number, place, 4)) {
    return licence(4);
  }
  if (!place.licence_words) return std::nullopt;
  if (Grouped(number, {12}) && IsLicenceRegion(number.Digits(1).substr(0, 2)) &&
      Stands(number, place, 1)) {
    return licence(1);
  }
  // Until 2011 the region was written out: 서울 12-345678-90.
  if (Grouped(number, {2, 6, 2}) && SinglySeparated(number, 3) && Stands(number, place, 3)) {
    return licence(3);
  }
  return std::nullopt;
}

std::optional<NumberMatch> Card(const Number& number, const NumberPlace& place) {
  size_t groups = 0;
  if (number.group_count > 0 && number.groups[0].size >= 13) groups = 1;
  if (Grouped(number, {4, 6, 4}) || Grouped(number, {4, 6, 5})) groups = 3;
  if (Grouped(number, {4, 4, 4, 4})) groups = Grouped(number, {4, 4, 4, 4, 3}) ? 5 : 4;
  if (groups == 0 || !SinglySeparated(number, groups) || !Stands(number, place, groups)) {
    return std::nullopt;
  }
  const std::string_view digits = number.Digits(groups);
  if (!IsCardRange(digits) || !LuhnChecksum(digits)) return std::nullopt;
  return Match(number, PiiKind::kCard, Confidence::kSure, groups);
}

std::optional<NumberMatch> Mobile(const Number& number, const NumberPlace& place) {
  // +82 (0)10-1234-5678 has the most groups.
  for (size_t groups = std::min<size_t>(number.group_count, 5); groups > 0; --groups) {
    std::string_view digits = number.Digits(groups);
    if (number.groups[groups - 1].size < 4 || digits.size() > 15) continue;
    const size_t country = digits.starts_with("0082") ? 4 : digits.starts_with("82") ? 2 : 0;
    std::string national(digits.substr(country));
    if (country > 0 && !national.starts_with('0')) national.insert(0, 1, '0');
    // A year or a part of a longer number that happens to end in the right digits is none.
    const size_t first = number.groups[0].size;
    const bool begins = first == 3 || first >= 7 || (country > 0 && first >= country);
    if (begins && IsMobile(national) && Stands(number, place, groups)) {
      return Match(number, PiiKind::kMobile, Confidence::kSure, groups,
                   country > 0 && place.before == '+');
    }
  }
  return std::nullopt;
}

std::optional<NumberMatch> Business(const Number& number, const NumberPlace& place) {
  const bool parted = Grouped(number, {3, 2, 5}) && SinglySeparated(number, 3);
  if (!parted && !(Grouped(number, {10}) && place.business_words)) return std::nullopt;
  const size_t groups = parted ? 3 : 1;
  if (!Stands(number, place, groups) || !BusinessChecksum(number.Digits(groups))) {
    return std::nullopt;
  }
  return Match(number, PiiKind::kBusinessNumber, SureIf(place.business_words), groups);
}

// How many of the first groups are joined by one separator each, all dashes or all spaces; 0 if
// the last of them goes on like that past what was read.
size_t JoinedGroups(const Number& number, bool dashed) {
  for (size_t i = 0; i < number.group_count; ++i) {
    const Number::Group& group = number.groups[i];
    if (group.separators != 1 || group.dashed != dashed) return i + 1;
  }
  return 0;
}

}  // namespace

bool IsRegistrationShape(const Number& number) { return Grouped(number, {6, 7}); }

std::optional<size_t> AccountShape(const Number& number, const NumberPlace& place) {
  if (number.group_count == 0 || place.after_dashed_digit) return std::nullopt;
  for (const bool dashed : {true, false}) {
    const size_t groups = JoinedGroups(number, dashed);
    if (groups == 0 || groups > 4) continue;
    const size_t digits = number.Digits(groups).size();
    if (digits >= 10 && digits <= 14 && number.groups[0].size >= 2) {
      return number.groups[groups - 1].end;
    }
  }
  return std::nullopt;
}

std::optional<NumberMatch> ClassifyNumber(const Number& number, const NumberPlace& place) {
  if (number.group_count == 0) return std::nullopt;
  if (auto match = Registration(number, place)) return match;
  if (auto match = Passport(number, place)) return match;
  if (auto match = Licence(number, place)) return match;
  if (auto match = Card(number, place)) return match;
  if (auto match = Mobile(number, place)) return match;
  if (auto match = Business(number, place)) return match;
  if (place.account_words) {
    if (const auto end = AccountShape(number, place)) {
      return NumberMatch{PiiKind::kAccount, Confidence::kLikely, *end, false};
    }
  }
  return std::nullopt;
}

}  // namespace jikji::guard
