#include "govern/guard/checks.h"

#include <array>
#include <cstddef>

namespace jikji::guard {
namespace {

int Digit(std::string_view digits, size_t i) { return digits[i] - '0'; }

int Number(std::string_view digits) {
  int number = 0;
  for (const char digit : digits) number = number * 10 + (digit - '0');
  return number;
}

// Weights 2 to 9, then 2 to 5, over the first twelve digits.
int RegistrationSum(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < 12; ++i) sum += Digit(digits, i) * static_cast<int>(2 + i % 8);
  return sum;
}

}  // namespace

bool HasBirthDate(std::string_view digits) {
  // 29 for February: which century, and so which leap years, another digit tells.
  constexpr std::array kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const int month = Number(digits.substr(2, 2));
  const int day = Number(digits.substr(4, 2));
  return month >= 1 && month <= 12 && day >= 1 && day <= kDays[static_cast<size_t>(month - 1)];
}

bool ResidentChecksum(std::string_view digits) {
  return (11 - RegistrationSum(digits) % 11) % 10 == Digit(digits, 12);
}

bool ForeignerChecksum(std::string_view digits) {
  return (13 - RegistrationSum(digits) % 11) % 10 == Digit(digits, 12);
}

bool CorporateChecksum(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < 12; ++i) sum += Digit(digits, i) * static_cast<int>(1 + i % 2);
  return digits[0] != '0' && (10 - sum % 10) % 10 == Digit(digits, 12);
}

bool BusinessChecksum(std::string_view digits) {
  constexpr std::array kWeights = {1, 3, 7, 1, 3, 7, 1, 3, 5};
  int sum = Digit(digits, 8) * 5 / 10;
  for (size_t i = 0; i < kWeights.size(); ++i) sum += Digit(digits, i) * kWeights[i];
  return digits[0] != '0' && (10 - sum % 10) % 10 == Digit(digits, 9);
}

bool LuhnChecksum(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int digit = Digit(digits, digits.size() - 1 - i);
    if (i % 2 == 1) digit = digit * 2 > 9 ? digit * 2 - 9 : digit * 2;
    sum += digit;
  }
  return sum % 10 == 0;
}

bool IsCardRange(std::string_view digits) {
  const size_t length = digits.size();
  if (length < 13 || length > 19) return false;
  const int two = Number(digits.substr(0, 2));
  const int three = Number(digits.substr(0, 3));
  const int four = Number(digits.substr(0, 4));
  switch (digits[0]) {
    case '2':  // Mastercard, second range
      return length == 16 && four >= 2221 && four <= 2720;
    case '3':  // American Express; Diners Club; JCB
      if (two == 34 || two == 37) return length == 15;
      if (two == 36 || two == 38 || (three >= 300 && three <= 305)) return length == 14;
      return length == 16 && four >= 3528 && four <= 3589;
    case '4':  // Visa
      return length == 13 || length == 16 || length == 19;
    case '5':  // Mastercard
      return length == 16 && two >= 51 && two <= 55;
    case '6':  // UnionPay; Discover
      if (two == 62) return length >= 16;
      return length == 16 && (four == 6011 || two == 65 || (three >= 644 && three <= 649));
    case '9':  // issued in Korea, for use in Korea
      return length == 16;
    default:
      return false;
  }
}

bool IsMobile(std::string_view digits) {
  if (digits.size() != 10 && digits.size() != 11) return false;
  if (digits[0] != '0' || digits[1] != '1') return false;
  if (digits[2] == '0') return digits.size() == 11;
  return digits[2] == '1' || (digits[2] >= '6' && digits[2] <= '9');
}

bool IsLicenceRegion(std::string_view two_digits) {
  const int region = Number(two_digits);
  return (region >= 11 && region <= 26) || region == 28;
}

}  // namespace jikji::guard
