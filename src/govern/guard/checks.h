// Check digits and ranges of Korean identifiers and payment cards. `digits` are '0' to '9'.
#ifndef JIKJI_GOVERN_GUARD_CHECKS_H_
#define JIKJI_GOVERN_GUARD_CHECKS_H_

#include <string_view>

namespace jikji::guard {

// 13 digits: do the first six name a day (of some century)?
bool HasBirthDate(std::string_view digits);

// 13 digits, as issued until October 2020.
bool ResidentChecksum(std::string_view digits);
bool ForeignerChecksum(std::string_view digits);
// 13 digits, corporate registration; a registry's number is not 0.
bool CorporateChecksum(std::string_view digits);
// 10 digits, business registration; likewise.
bool BusinessChecksum(std::string_view digits);

// ISO/IEC 7812-1, annex B.
bool LuhnChecksum(std::string_view digits);
// Is there a card scheme whose numbers begin like this and are this long?
bool IsCardRange(std::string_view digits);

// 01[016789] and seven or eight digits; 010 takes eight.
bool IsMobile(std::string_view digits);

// The region code that a driver's licence begins with.
bool IsLicenceRegion(std::string_view two_digits);

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_CHECKS_H_
