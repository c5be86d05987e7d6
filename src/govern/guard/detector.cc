#include "govern/guard/detector.h"

#include "govern/guard/scan.h"

namespace jikji::guard {
namespace {

// Text that is no longer needed is dropped in pieces of this size, so that dropping costs nothing.
constexpr size_t kDropBytes = 4096;

}  // namespace

std::vector<Finding> FindPii(std::string_view text) {
  std::vector<Finding> findings;
  ScanText(text, 0, /*final=*/true, findings);
  return findings;
}

void Detector::Push(std::string_view piece, std::vector<Finding>& findings) {
  if (certain_ > kLookBack + kDropBytes) {
    const size_t dropped = certain_ - kLookBack;
    text_.erase(0, dropped);
    base_ += dropped;
    scanned_ -= dropped;
    certain_ -= dropped;
  }
  text_ += piece;
  Scan(/*final=*/false, findings);
}

void Detector::Finish(std::vector<Finding>& findings) { Scan(/*final=*/true, findings); }

void Detector::Scan(bool final, std::vector<Finding>& findings) {
  const size_t known = findings.size();
  const ScanEnd end = ScanText(text_, scanned_, final, findings);
  for (size_t i = known; i < findings.size(); ++i) {
    findings[i].begin += base_;
    findings[i].end += base_;
  }
  scanned_ = end.scanned;
  certain_ = end.certain;
}

}  // namespace jikji::guard
