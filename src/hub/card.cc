#include "hub/card.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "hub/names.h"

namespace jikji::hub {
namespace {

constexpr size_t kMaxCard = 4u << 20;
constexpr size_t kMaxItems = 10'000;

// The identifiers that cards use (SPDX in lower case, and those of well-known model licences).
constexpr std::array<std::string_view, 62> kLicences = {"afl-3.0",
                                                        "agpl-3.0",
                                                        "apache-2.0",
                                                        "apple-amlr",
                                                        "artistic-2.0",
                                                        "bigcode-openrail-m",
                                                        "bigscience-bloom-rail-1.0",
                                                        "bigscience-openrail-m",
                                                        "bsd",
                                                        "bsd-2-clause",
                                                        "bsd-3-clause",
                                                        "bsd-3-clause-clear",
                                                        "bsl-1.0",
                                                        "c-uda",
                                                        "cc",
                                                        "cc-by-2.0",
                                                        "cc-by-2.5",
                                                        "cc-by-3.0",
                                                        "cc-by-4.0",
                                                        "cc-by-nc-2.0",
                                                        "cc-by-nc-3.0",
                                                        "cc-by-nc-4.0",
                                                        "cc-by-nc-nd-3.0",
                                                        "cc-by-nc-nd-4.0",
                                                        "cc-by-nc-sa-3.0",
                                                        "cc-by-nc-sa-4.0",
                                                        "cc-by-nd-4.0",
                                                        "cc-by-sa-3.0",
                                                        "cc-by-sa-4.0",
                                                        "cc0-1.0",
                                                        "cdla-permissive-1.0",
                                                        "cdla-permissive-2.0",
                                                        "creativeml-openrail-m",
                                                        "deepfloyd-if-license",
                                                        "ecl-2.0",
                                                        "epl-1.0",
                                                        "epl-2.0",
                                                        "eupl-1.1",
                                                        "eupl-1.2",
                                                        "exaone",
                                                        "gemma",
                                                        "gfdl",
                                                        "gpl",
                                                        "gpl-2.0",
                                                        "gpl-3.0",
                                                        "isc",
                                                        "kogl-type1",
                                                        "lgpl",
                                                        "lgpl-2.1",
                                                        "lgpl-3.0",
                                                        "llama2",
                                                        "llama3",
                                                        "llama3.1",
                                                        "llama3.2",
                                                        "llama3.3",
                                                        "mit",
                                                        "mpl-2.0",
                                                        "openrail",
                                                        "other",
                                                        "unknown",
                                                        "unlicense",
                                                        "wtfpl"};

constexpr std::array<std::string_view, 4> kRelations = {"adapter", "merge", "quantized",
                                                        "finetune"};

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r") + 1 - first);
}

std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line.ends_with('\r') ? line.substr(0, line.size() - 1) : line;
}

// A scalar without its quotes and its comment.
std::string Scalar(std::string_view text) {
  text = Trim(text);
  if (text.size() >= 2 && (text.front() == '"' || text.front() == '\'')) {
    const size_t end = text.find(text.front(), 1);
    if (end != std::string_view::npos) return std::string(text.substr(1, end - 1));
  }
  return std::string(Trim(text.substr(0, text.find(" #"))));
}

std::vector<std::string> InlineList(std::string_view text) {
  std::vector<std::string> out;
  text = text.substr(1, text.rfind(']') - 1);
  while (!text.empty() && out.size() < kMaxItems) {
    const size_t comma = std::min(text.find(','), text.size());
    if (std::string item = Scalar(text.substr(0, comma)); !item.empty()) {
      out.push_back(std::move(item));
    }
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

bool IsKey(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

Result<> ParseFields(std::string_view text, Card& card) {
  std::vector<std::string>* list = nullptr;  // of the key whose block this is
  size_t number = 1;
  while (!text.empty()) {
    ++number;
    const std::string_view line = TakeLine(text);
    const std::string_view trimmed = Trim(line);
    if (trimmed.empty() || trimmed.starts_with('#')) continue;
    const bool item = trimmed.starts_with("- ") || trimmed == "-";
    if (line.front() == ' ' || line.front() == '\t' || item) {
      // An item of a list of scalars; anything nested deeper is passed over.
      const bool scalar =
          item && trimmed.find(": ") == std::string_view::npos && !trimmed.ends_with(':');
      if (list != nullptr && scalar && list->size() < kMaxItems) {
        list->push_back(Scalar(trimmed.substr(1)));
      }
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || !IsKey(Trim(line.substr(0, colon)))) {
      return Fail(ErrorCode::kMalformed,
                  "the card's front matter has a line that is no `key: value`",
                  "README.md:" + std::to_string(number));
    }
    const auto [field, added] = card.fields.try_emplace(std::string(Trim(line.substr(0, colon))));
    if (!added) {
      return Fail(ErrorCode::kMalformed, "the card declares `" + field->first + "` twice",
                  "README.md:" + std::to_string(number));
    }
    list = &field->second;
    const std::string_view value = Trim(line.substr(colon + 1));
    if (value.empty() || value == "|" || value == ">" || value == "|-" || value == ">-") continue;
    if (value.front() == '[' && value.back() == ']') {
      *list = InlineList(value);
    } else if (std::string scalar = Scalar(value); !scalar.empty()) {
      list->push_back(std::move(scalar));
    }
  }
  return {};
}

bool IsNetworkLink(std::string_view text) {
  return text.starts_with("http://") || text.starts_with("https://");
}

}  // namespace

std::string Card::First(std::string_view key) const {
  const auto field = fields.find(std::string(key));
  return field == fields.end() || field->second.empty() ? "" : field->second.front();
}

std::vector<std::string> Card::All(std::string_view key) const {
  const auto field = fields.find(std::string(key));
  return field == fields.end() ? std::vector<std::string>() : field->second;
}

Result<Card> ParseCard(std::string_view text) {
  if (text.size() > kMaxCard || !IsValidUtf8(text)) {
    return Fail(ErrorCode::kMalformed, "a card is UTF-8 of at most 4 MiB", "README.md");
  }
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Card card;
  std::string_view rest = text;
  if (Trim(TakeLine(rest)) != "---") {
    card.body = text;
    return card;
  }
  const std::string_view front = rest;
  while (!rest.empty()) {
    const size_t begin = front.size() - rest.size();
    if (Trim(TakeLine(rest)) != "---") continue;
    JIKJI_RETURN_IF_ERROR(ParseFields(front.substr(0, begin), card));
    card.body = rest;
    return card;
  }
  return Fail(ErrorCode::kMalformed, "the card's front matter has no closing `---`", "README.md:1");
}

CardReport CheckCard(std::string_view text) {
  CardReport report;
  const auto card = ParseCard(text);
  if (!card) {
    report.errors.push_back({card.error().ToString(), "모델 카드의 머리말을 읽을 수 없습니다"});
    return report;
  }
  const std::string licence = Folded(card->First("license"));
  if (licence.empty()) {
    report.warnings.push_back({"the card declares no `license`: nobody knows what they may do",
                               "카드에 `license`가 없어 이용 조건을 알 수 없습니다"});
  } else if (std::ranges::find(kLicences, licence) == kLicences.end()) {
    report.errors.push_back({"`license: " + licence +
                                 "` is not a known identifier: use an SPDX one in lower case, or "
                                 "`other` with `license_name`",
                             "`license: " + licence +
                                 "`은(는) 알려진 식별자가 아닙니다. SPDX 식별자를 소문자로 쓰거나 "
                                 "`other`와 `license_name`을 쓰세요"});
  } else if (licence == "other" && card->First("license_name").empty()) {
    report.errors.push_back({"`license: other` needs a `license_name`",
                             "`license: other`에는 `license_name`이 필요합니다"});
  }
  const std::string link = card->First("license_link");
  if (!link.empty() && !IsNetworkLink(link) && !CheckFilePath(link)) {
    report.errors.push_back({"`license_link` is neither a URL nor a file of the repository",
                             "`license_link`가 URL도 저장소의 파일도 아닙니다"});
  }
  for (const std::string& base : card->All("base_model")) {
    if (CheckRepositoryName(base)) continue;
    report.errors.push_back({"`base_model: " + base + "` is not OWNER/NAME",
                             "`base_model: " + base + "`이(가) OWNER/NAME 형식이 아닙니다"});
  }
  const std::string relation = card->First("base_model_relation");
  if (!relation.empty() && std::ranges::find(kRelations, relation) == kRelations.end()) {
    report.errors.push_back(
        {"`base_model_relation` is adapter, merge, quantized or finetune",
         "`base_model_relation`은 adapter, merge, quantized, finetune 중 하나입니다"});
  }
  return report;
}

}  // namespace jikji::hub
