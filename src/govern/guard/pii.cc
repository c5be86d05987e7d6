#include "govern/guard/pii.h"

namespace jikji::guard {
namespace {

constexpr std::array<PiiKindName, kPiiKinds> kNames = {{
    {"resident_number", "a resident registration number", "주민등록번호"},
    {"foreigner_number", "a foreigner registration number", "외국인등록번호"},
    {"passport", "a passport number", "여권번호"},
    {"driver_licence", "a driver's licence number", "운전면허번호"},
    {"card", "a payment card number", "카드번호"},
    {"account", "a bank account number", "계좌번호"},
    {"mobile", "a mobile phone number", "휴대전화번호"},
    {"email", "an e-mail address", "이메일 주소"},
    {"business_number", "a business registration number", "사업자등록번호"},
    {"corporate_number", "a corporate registration number", "법인등록번호"},
}};

}  // namespace

const PiiKindName& NameOf(PiiKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<PiiKind> FindPiiKind(std::string_view key) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i].key == key) return static_cast<PiiKind>(i);
  }
  return std::nullopt;
}

}  // namespace jikji::guard
