#include "govern/guard/reference.h"

#include <algorithm>
#include <map>
#include <optional>
#include <regex>
#include <string>

#include "govern/guard/atom.h"
#include "govern/guard/checks.h"

namespace jikji::guard {
namespace {

// The text as one character per visible atom, and where each begins and ends.
struct Folded {
  std::string ascii;
  std::u32string lower;
  std::vector<size_t> begin, end;
};

Folded FoldText(std::string_view text) {
  Folded folded;
  for (size_t at = 0; at < text.size();) {
    Atom atom = AtomAt(text, at);
    if (atom.atom_class == AtomClass::kIncomplete) {
      // The text ends here: its bytes are other characters.
      atom = {.atom_class = AtomClass::kOther, .length = 1, .folded = 0};
    }
    char c = '#';
    switch (atom.atom_class) {
      case AtomClass::kDigit:
      case AtomClass::kLetter:
      case AtomClass::kNameMark:
      case AtomClass::kAt:
        c = static_cast<char>(atom.folded);
        break;
      case AtomClass::kDash:
        c = static_cast<char>(atom.folded);
        break;
      case AtomClass::kDot:
        c = '.';
        break;
      case AtomClass::kSpace:
        c = ' ';
        break;
      case AtomClass::kIgnorable:
        c = '~';
        break;
      default:
        break;
    }
    folded.ascii += c;
    folded.lower += atom.folded >= 'A' && atom.folded <= 'Z' ? atom.folded + 32 : atom.folded;
    folded.begin.push_back(at);
    folded.end.push_back(at + atom.length);
    at += atom.length;
  }
  return folded;
}

const std::regex& Compiled(const std::string& pattern) {
  static std::map<std::string, std::regex> compiled;
  return compiled.try_emplace(pattern, pattern).first->second;
}

std::string DigitsOf(const std::string& text) {
  std::string digits;
  std::ranges::copy_if(text, std::back_inserter(digits), IsDigit);
  return digits;
}

class Slow {
 public:
  explicit Slow(std::string_view text) : folded_(FoldText(text)), s_(folded_.ascii) {}

  std::vector<Finding> Run() {
    size_t i = 0;
    while (i < s_.size()) {
      size_t next = i + 1;
      if (IsDigit(s_[i]) && !IsDigit(Before(i))) {
        if (const auto end = Number(i)) next = *end;
      }
      if (s_[i] == '@') Email(i);
      i = next;
    }
    std::ranges::sort(findings_, {}, [](const Finding& f) { return std::pair(f.begin, f.kind); });
    return findings_;
  }

 private:
  // The place of the visible character before `i`; −1 if there is none.
  long PlaceBefore(size_t i) const {
    long at = static_cast<long>(i) - 1;
    for (int skipped = 0; at >= 0 && s_[static_cast<size_t>(at)] == '~' && skipped < kMaxIgnorables;
         ++skipped) {
      --at;
    }
    return at;
  }
  char Before(size_t i) const {
    const long at = PlaceBefore(i);
    return at < 0 ? '\0' : s_[static_cast<size_t>(at)];
  }

  // From `i` on: visible characters with their places, as far as zero width lets one read.
  std::string Visible(size_t i, std::vector<size_t>& places) const {
    std::string out;
    int skipped = 0;
    for (; i < s_.size() && out.size() < 64; ++i) {
      if (s_[i] == '~') {
        if (++skipped > kMaxIgnorables) break;
        continue;
      }
      skipped = 0;
      places.push_back(i);
      out += s_[i];
    }
    return out;
  }

  bool Words(size_t i, std::initializer_list<std::u32string_view> words) const {
    // Bounded by bytes too; the tests stay below that, but for escapes.
    size_t first = i;
    while (first > 0 && i - first < 40 && folded_.begin[i] - folded_.begin[first - 1] <= 256) {
      --first;
    }
    return Has(std::u32string_view(folded_.lower).substr(first, i - first), words);
  }
  static bool Has(std::u32string_view text, std::initializer_list<std::u32string_view> words) {
    return std::ranges::any_of(words, [&](auto word) { return text.find(word) != text.npos; });
  }
  bool AccountWords(size_t i, std::optional<size_t> after) const {
    const auto words = {U"계좌", U"은행", U"뱅크", U"입금",       U"송금",          U"이체",
                        U"예금", U"농협", U"수협", U"신협",       U"우체국",        U"새마을금고",
                        U"신한", U"토스", U"bank", U"account no", U"account number"};
    std::vector<std::u32string_view> views(words.begin(), words.end());
    const std::u32string_view all = folded_.lower;
    size_t first = i;
    while (first > 0 && i - first < 40 && folded_.begin[i] - folded_.begin[first - 1] <= 256) {
      --first;
    }
    const auto before = all.substr(first, i - first);
    const auto behind = after ? all.substr(*after, 12) : std::u32string_view();
    return std::ranges::any_of(views, [&](auto word) {
      return before.find(word) != before.npos || behind.find(word) != behind.npos;
    });
  }

  std::optional<size_t> Number(size_t i) {
    std::vector<size_t> places;
    const std::string v = Visible(i, places);
    const long before = PlaceBefore(i);
    const char lead = before < 0 ? '\0' : s_[static_cast<size_t>(before)];
    const char second = before < 0 ? '\0' : Before(static_cast<size_t>(before));
    const bool after_dashed = lead == '-' && IsDigit(second);
    const bool alone = !std::isalnum(static_cast<unsigned char>(second));
    const bool passport_lead = alone && lead != '\0' &&
                               std::string_view("MSRODmsrod").find(lead) != std::string_view::npos;

    const auto match = [&](const char* pattern) -> std::optional<std::string> {
      std::smatch found;
      if (!std::regex_search(v, found, Compiled("^(?:" + std::string(pattern) + ")(?![0-9])"))) {
        return std::nullopt;
      }
      return found.str();
    };
    const auto stands = [&](const std::string& text) {
      static const std::regex more("^-[0-9]");
      const std::string rest = v.substr(text.size());
      return !after_dashed && !std::regex_search(rest, more);
    };
    const auto report = [&](PiiKind kind, const std::string& text, bool with_lead = false) {
      const size_t last = places[text.size() - 1];
      const size_t begin = with_lead ? static_cast<size_t>(before) : i;
      findings_.push_back({kind, Confidence::kLikely, folded_.begin[begin], folded_.end[last]});
      return std::optional<size_t>(last + 1);
    };

    // The form of passports since 2021.
    if (passport_lead) {
      std::smatch found;
      if (std::regex_search(v, found, Compiled("^[0-9]{3}[A-Za-z][0-9]{4}(?![0-9A-Za-z])"))) {
        return report(PiiKind::kPassport, found.str(), true);
      }
    }
    const bool corporate = Words(i, {U"법인", U"corporate reg", U"corporation reg"});
    auto registration = match("[0-9]{6}[-(). ]{1,3}[0-9]{7}");
    const bool parted = registration.has_value();
    if (!registration) registration = match("[0-9]{13}");
    if (registration) {
      const std::string d = DigitsOf(*registration);
      const bool born = HasBirthDate(d);
      const bool dashed = parted && registration->find_first_of("-().") != std::string::npos;
      const bool company = CorporateChecksum(d) && (dashed || (corporate));
      if (born && d[6] >= '1' && d[6] <= '4') {
        return report(PiiKind::kResidentNumber, *registration);
      }
      if (born && d[6] >= '5' && d[6] <= '8') {
        return report(PiiKind::kForeignerNumber, *registration);
      }
      if (company && d[6] == '0') return report(PiiKind::kCorporateNumber, *registration);
      if (born && ResidentChecksum(d)) return report(PiiKind::kResidentNumber, *registration);
      if (company && stands(*registration)) {
        return report(PiiKind::kCorporateNumber, *registration);
      }
    }
    if (const auto old = match("[0-9]{8}"); old && passport_lead && stands(*old)) {
      return report(PiiKind::kPassport, *old, true);
    }
    const bool licence_words = Words(i, {U"면허", U"driver"});
    if (const auto licence = match("[0-9]{2}[-(). ][0-9]{2}[-(). ][0-9]{6}[-(). ][0-9]{2}");
        licence && IsLicenceRegion(v.substr(0, 2)) && stands(*licence)) {
      return report(PiiKind::kDriverLicence, *licence);
    }
    if (licence_words) {
      const auto whole = match("[0-9]{12}");
      if (whole && IsLicenceRegion(v.substr(0, 2)) && stands(*whole)) {
        return report(PiiKind::kDriverLicence, *whole);
      }
      if (const auto old = match("[0-9]{2}[-(). ][0-9]{6}[-(). ][0-9]{2}"); old && stands(*old)) {
        return report(PiiKind::kDriverLicence, *old);
      }
    }
    for (const char* pattern :
         {"[0-9]{4}[-(). ][0-9]{4}[-(). ][0-9]{4}[-(). ][0-9]{4}[-(). ][0-9]{3}",
          "[0-9]{4}[-(). ][0-9]{4}[-(). ][0-9]{4}[-(). ][0-9]{4}",
          "[0-9]{4}[-(). ][0-9]{6}[-(). ][0-9]{4,5}", "[0-9]{13,19}"}) {
      const auto card = match(pattern);
      if (!card) continue;
      const std::string d = DigitsOf(*card);
      if (IsCardRange(d) && LuhnChecksum(d) && stands(*card)) return report(PiiKind::kCard, *card);
      break;
    }
    // Groups of digits, longest first.
    for (int groups = 5; groups > 0; --groups) {
      std::string pattern = "[0-9]+";
      for (int k = 1; k < groups; ++k) pattern += "[-(). ]{1,3}[0-9]+";
      const auto mobile = match(pattern.c_str());
      if (!mobile) continue;
      const std::string d = DigitsOf(*mobile);
      if (d.size() > 15) continue;
      const size_t first = mobile->find_first_not_of("0123456789");
      const size_t head = first == std::string::npos ? mobile->size() : first;
      const size_t last = mobile->find_last_not_of("0123456789");
      const size_t tail = last == std::string::npos ? mobile->size() : mobile->size() - 1 - last;
      const size_t country = d.starts_with("0082") ? 4 : d.starts_with("82") ? 2 : 0;
      std::string national = d.substr(country);
      if (country > 0 && national[0] != '0') national = "0" + national;
      const bool begins = head == 3 || head >= 7 || (country > 0 && head >= country);
      if (tail >= 4 && begins && IsMobile(national) && stands(*mobile)) {
        return report(PiiKind::kMobile, *mobile, country > 0 && lead == '+');
      }
    }
    const bool business_words = Words(i, {U"사업자", U"등록번호", U"business reg", U"brn"});
    auto business = match("[0-9]{3}[-(). ][0-9]{2}[-(). ][0-9]{5}");
    if (!business && business_words) business = match("[0-9]{10}");
    if (business && BusinessChecksum(DigitsOf(*business)) && stands(*business)) {
      return report(PiiKind::kBusinessNumber, *business);
    }
    if (!after_dashed) {
      for (const char* separator : {"[-().]", " "}) {
        // The longest chain of groups with one such separator each between them.
        std::smatch found;
        const std::string chain = "^[0-9]+(?:" + std::string(separator) + "[0-9]+)*";
        if (!std::regex_search(v, found, Compiled(chain))) continue;
        const std::string text = found.str();
        const size_t digits = DigitsOf(text).size();
        const size_t groups = 1 + static_cast<size_t>(std::ranges::count_if(
                                      text, [](char c) { return !IsDigit(c); }));
        const size_t head = std::min(text.find_first_not_of("0123456789"), text.size());
        if (groups > 4 || digits < 10 || digits > 14 || head < 2) continue;
        const size_t end = places[text.size() - 1] + 1;
        if (AccountWords(i, end)) return report(PiiKind::kAccount, text);
        break;
      }
    }
    return std::nullopt;
  }

  void Email(size_t at) {
    size_t begin = at;
    size_t atoms = 0;
    int skipped = 0;
    bool named = false;
    for (long i = static_cast<long>(at) - 1; i >= 0 && atoms < 20; --i) {
      const char c = s_[static_cast<size_t>(i)];
      if (c == '~' && ++skipped <= kMaxIgnorables) continue;
      if (!std::isalnum(static_cast<unsigned char>(c)) &&
          std::string_view("._%+-").find(c) == std::string_view::npos) {
        break;
      }
      named |= std::isalnum(static_cast<unsigned char>(c)) != 0;
      begin = static_cast<size_t>(i);
      skipped = 0;
      ++atoms;
    }
    if (!named) return;
    std::vector<size_t> places;
    const std::string v = Visible(at + 1, places);
    std::smatch found;
    const std::string eleven = v.substr(0, 11);
    static const std::regex whole(
        "^(?=[A-Za-z0-9])(?:[A-Za-z0-9-]*?\\.[A-Za-z0-9.-]*?|[A-Za-z0-9-]*?\\.)[A-Za-z]{2}");
    static const std::regex cut("^[A-Za-z][A-Za-z0-9-]{10}$");
    std::smatch long_domain;
    size_t length = 0;
    if (std::regex_search(eleven, found, whole)) length = static_cast<size_t>(found.length());
    if (length == 0 && std::regex_search(eleven, long_domain, cut)) length = 11;
    if (length == 0) return;
    findings_.push_back({PiiKind::kEmail, Confidence::kLikely, folded_.begin[begin],
                         folded_.end[places[length - 1]]});
  }

  const Folded folded_;
  const std::string& s_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> FindPiiSlowly(std::string_view text) { return Slow(text).Run(); }

}  // namespace jikji::guard
