#include "govern/guard/filter.h"

#include <algorithm>

#include "govern/guard/atom.h"

namespace jikji::guard {
namespace {

// Characters (digits and letters) that stay legible at either end.
struct Legible {
  size_t first = 0;
  size_t last = 0;
};

Legible LegibleOf(PiiKind kind) {
  switch (kind) {
    case PiiKind::kResidentNumber:
    case PiiKind::kForeignerNumber:
    case PiiKind::kCorporateNumber:
      return {.first = 6};
    case PiiKind::kCard:  // as PCI DSS allows on a receipt
      return {.last = 4};
    case PiiKind::kMobile:
    case PiiKind::kBusinessNumber:
      return {.first = 3};
    case PiiKind::kPassport:
    case PiiKind::kEmail:
      return {.first = 1};
    case PiiKind::kDriverLicence:
      return {.first = 2};
    case PiiKind::kAccount:
      return {.last = 3};
  }
  return {};
}

// Sets a flag for each byte of `text` that is to be hidden.
void MarkHidden(std::string_view text, PiiKind kind, std::vector<bool>& hidden, size_t begin) {
  if (kind == PiiKind::kEmail) {  // the domain stays
    for (size_t at = 0; at < text.size();) {
      const Atom atom = AtomAt(text, at);
      if (atom.atom_class == AtomClass::kAt) {
        text = text.substr(0, at);
        break;
      }
      at += atom.length;
    }
  }
  size_t words = 0;
  for (size_t at = 0; at < text.size();) {
    const Atom atom = AtomAt(text, at);
    words += IsWordAtom(atom) ? 1 : 0;
    at += atom.length;
  }
  const Legible legible = LegibleOf(kind);
  size_t word = 0;
  for (size_t at = 0; at < text.size();) {
    const Atom atom = AtomAt(text, at);
    if (IsWordAtom(atom)) {
      const bool shown = word < legible.first || words - word <= legible.last;
      for (size_t i = 0; i < atom.length && !shown; ++i) hidden[begin + at + i] = true;
      ++word;
    }
    at += atom.length;
  }
}

}  // namespace

void MaskFindings(std::string_view text, uint64_t begin, const std::vector<Finding>& findings,
                  std::string& out) {
  std::vector<bool> hidden(text.size(), false);
  for (const Finding& finding : findings) {
    const size_t at = finding.begin - begin;
    MarkHidden(text.substr(at, finding.end - finding.begin), finding.kind, hidden, at);
  }
  for (size_t at = 0; at < text.size();) {
    const size_t length = hidden[at] ? AtomAt(text, at).length : 1;
    if (hidden[at]) {
      out += '*';
    } else {
      out += text[at];
    }
    at += length;
  }
}

std::string Filter::Push(std::string_view piece) {
  if (blocked_) return {};
  detector_.Push(piece, news_);
  return Release();
}

std::string Filter::Finish() {
  if (blocked_) return {};
  detector_.Finish(news_);
  return Release();
}

std::string Filter::Release() {
  for (const Finding& finding : news_) {
    const Action action = policy_.Of(finding.kind);
    if (action == Action::kAllow) continue;
    ++counts_[static_cast<size_t>(finding.kind)];
    if (action >= Action::kMask) pending_.push_back(finding);
  }
  news_.clear();
  std::ranges::sort(pending_, {}, &Finding::begin);
  uint64_t limit = detector_.certain();
  std::optional<PiiKind> block;
  // Findings that overlap are released together or not yet; nothing from a blocked one on is.
  for (size_t i = 0; i < pending_.size();) {
    const uint64_t begin = pending_[i].begin;
    uint64_t end = begin;
    for (; i < pending_.size() && (end == begin || pending_[i].begin < end); ++i) {
      end = std::max(end, pending_[i].end);
      if (!block && policy_.Of(pending_[i].kind) == Action::kBlock) block = pending_[i].kind;
    }
    if (begin < limit && !block && end <= limit) continue;
    if (begin >= limit) block.reset();
    limit = std::min(limit, begin);
    break;
  }
  std::vector<Finding> masked;
  std::erase_if(pending_, [&](const Finding& finding) {
    if (finding.end > limit) return false;
    masked.push_back(finding);
    return true;
  });
  std::string out;
  const std::string_view text = detector_.Text(released_, limit);
  if (masked.empty()) {
    out = text;
  } else {
    MaskFindings(text, released_, masked, out);
  }
  released_ = limit;
  blocked_ = block;
  return out;
}

}  // namespace jikji::guard
