// What the privacy guard looks for: kinds of personal and business identifiers, and one finding.
#ifndef JIKJI_GOVERN_GUARD_PII_H_
#define JIKJI_GOVERN_GUARD_PII_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace jikji::guard {

enum class PiiKind : uint8_t {
  kResidentNumber,   // 주민등록번호
  kForeignerNumber,  // 외국인등록번호
  kPassport,         // 여권번호
  kDriverLicence,    // 운전면허번호
  kCard,             // 신용·체크카드 번호
  kAccount,          // 은행 계좌번호
  kMobile,           // 휴대전화 번호
  kEmail,            // 전자우편 주소
  kBusinessNumber,   // 사업자등록번호
  kCorporateNumber,  // 법인등록번호
};
inline constexpr size_t kPiiKinds = 10;

struct PiiKindName {
  std::string_view key;  // in policies, logs and metrics
  std::string_view english;
  std::string_view korean;
};
const PiiKindName& NameOf(PiiKind kind);
std::optional<PiiKind> FindPiiKind(std::string_view key);

// How sure a finding is. Numbers of residents issued since October 2020 carry no checksum, so a
// right one raises the confidence and a wrong one does not lower it.
enum class Confidence : uint8_t { kLikely, kSure };

// Bytes [begin, end) of a text, at borders of characters.
struct Finding {
  PiiKind kind = PiiKind::kResidentNumber;
  Confidence confidence = Confidence::kLikely;
  uint64_t begin = 0;
  uint64_t end = 0;

  bool operator==(const Finding&) const = default;
};

}  // namespace jikji::guard

#endif  // JIKJI_GOVERN_GUARD_PII_H_
