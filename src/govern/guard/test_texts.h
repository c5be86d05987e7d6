// For tests: what the guard must find, each in the ways that people and programs write it.
#ifndef JIKJI_GOVERN_GUARD_TEST_TEXTS_H_
#define JIKJI_GOVERN_GUARD_TEST_TEXTS_H_

#include <fmt/format.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "govern/guard/pii.h"

namespace jikji::guard {

struct TestText {
  std::string text;
  std::vector<PiiKind> kinds;  // in order
};

inline const std::vector<TestText>& TestTexts() {
  using enum PiiKind;
  static const std::vector<TestText> texts = {
      {"주민등록번호는900101-1234567입니다", {kResidentNumber}},
      {"제 번호는 971013-9019902 입니다", {kResidentNumber}},
      {"850505 - 2345678, 850505 2345678", {kResidentNumber, kResidentNumber}},
      {"born 0412013999999.", {kResidentNumber}},
      {"외국인 등록 850101-5123456", {kForeignerNumber}},
      {"사업자 124-81-00998 과 220-81-62517", {kBusinessNumber, kBusinessNumber}},
      {"사업자등록번호: 1248100998", {kBusinessNumber}},
      {"법인등록번호 130111-0006246", {kCorporateNumber}},
      {"여권 M12345678, 새 여권 M123A4567.", {kPassport, kPassport}},
      {"면허 11-12-345678-90", {kDriverLicence}},
      {"운전면허 서울 12-345678-90", {kDriverLicence}},
      {"010-1234-5678로 연락", {kMobile}},
      {"전화01012345678번", {kMobile}},
      {"+82 10 1234 5678 / 011-234-5678 / 010)1234-5678 / +82-(0)10-1234-5678",
       {kMobile, kMobile, kMobile, kMobile}},
      {"신한은행 110-123-456789로 입금", {kAccount}},
      {"3333-01-1234567 (카카오뱅크)", {kAccount}},
      {"계좌번호 12345678901234", {kAccount}},
      {"카드 4111-1111-1111-1111", {kCard}},
      {"card 5555555555554444 or 3782-822463-10005", {kCard, kCard}},
      {"메일은hong.gildong@example.co.kr입니다", {kEmail}},
      {"a@b.co, x_1%y+z-w@mail.server-1.example.com", {kEmail, kEmail}},
      {"01012345678@example.com", {kMobile, kEmail}},
      {"1-900101-1234567", {kResidentNumber}},
      {"1)010-1234-5678(2명), 2(011-234-5678. 3명)", {kMobile, kMobile}},
      // Nothing to find.
      {"991301-1234567 000000-0000000", {}},
      {"4111-1111-1111-1112", {}},
      {"2024-01-02 12:34:56, 제12조제3항, 1,234,567,890원", {}},
      {"19001011234567890123456789", {}},
      {"@Override pkg@1.2.3 git@", {}},
      {"12345678901234 개", {}},
      {"안녕하세요. 반갑습니다!", {}},
      {"", {}},
  };
  return texts;
}

// The ways of writing that must not change the verdict.
struct Spelling {
  const char* name;
  std::function<std::string(char32_t)> of;
};

inline const std::vector<Spelling>& Spellings() {
  const auto plain = [](char32_t c) {
    std::string out;
    AppendUtf8(c, out);
    return out;
  };
  static const std::vector<Spelling> spellings = {
      {"plain", plain},
      {"full-width",
       [plain](char32_t c) { return plain(c > ' ' && c < 127 ? c - '!' + 0xFF01 : c); }},
      {"other dashes and spaces",
       [plain](char32_t c) {
         return plain(c == '-' ? 0x2013 : c == ' ' ? 0x3000 : c);
       }},
      {"escapes",
       [plain](char32_t c) {
         return c < 0x10000 ? fmt::format("\\u{:04X}", static_cast<uint32_t>(c)) : plain(c);
       }},
      {"zero width between",
       [plain](char32_t c) { return c < 128 ? plain(c) + "\u200B" : plain(c); }},
      {"mathematical digits",
       [plain](char32_t c) { return plain(c >= '0' && c <= '9' ? c - '0' + 0x1D7CE : c); }},
  };
  return spellings;
}

inline std::string Spell(std::string_view text, const Spelling& spelling) {
  std::string out;
  while (!text.empty()) {
    const Utf8Char character = DecodeUtf8(text);
    out += spelling.of(character.code_point);
    text.remove_prefix(character.length);
  }
  return out;
}

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_TEST_TEXTS_H_
