#include "govern/audit/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "govern/audit/frame.h"

namespace jikji::audit {
namespace {

constexpr std::array<std::string_view, 9> kFaultNames = {"torn tail",    "damaged", "missing",
                                                         "out of order", "altered", "rewritten",
                                                         "truncated",    "forked",  "forged"};

// More tell no more: a log that was replaced has a fault in every record.
constexpr size_t kMaxFaults = 1000;

}  // namespace

std::string_view FaultName(FaultKind kind) { return kFaultNames[static_cast<size_t>(kind)]; }

LogChecker::LogChecker(std::vector<SignedHead> heads, Visitor visit)
    : heads_(std::move(heads)), visit_(std::move(visit)) {
  std::ranges::stable_sort(heads_, {}, &SignedHead::size);
  for (size_t i = 1; i < heads_.size(); ++i) {
    if (heads_[i].size == heads_[i - 1].size && heads_[i].root != heads_[i - 1].root) {
      Report(FaultKind::kForked, 0, heads_[i].size == 0 ? 0 : heads_[i].size - 1, 0,
             fmt::format("two heads were signed over {} records with different roots",
                         heads_[i].size));
    }
  }
}

void LogChecker::Report(FaultKind kind, uint64_t first, uint64_t last, uint64_t offset,
                        std::string detail) {
  if (faults_.size() < kMaxFaults)
    faults_.push_back({kind, first, last, offset, std::move(detail)});
}

void LogChecker::Check(std::string_view file) {
  CheckHeads(0);
  size_t at = 0;
  while (at < file.size()) {
    const Frame frame = ReadFrame(file, at);
    if (frame.state == FrameState::kTorn) {
      Report(FaultKind::kTornTail, expected_, expected_, at,
             fmt::format("the file ends {} bytes into a record", file.size() - at));
      break;
    }
    if (frame.state == FrameState::kBroken) {
      Report(FaultKind::kDamaged, expected_, expected_, at, "the record's checksum differs");
      // A wrong length hides where the next record is; a right one leads to a whole frame.
      const bool follows = frame.size > 0 && at + frame.size < file.size() &&
                           ReadFrame(file, at + frame.size).state == FrameState::kWhole;
      if (!follows) break;
      // Its place in the tree is taken by what cannot be right, so that heads past it disagree.
      tree_.Append(Hash{});
      ++expected_;
      at += frame.size;
      continue;
    }
    Take(frame.payload, at);
    at += frame.size;
    CheckHeads(at);
  }
  end_ = at;
  if (next_head_ < heads_.size() && heads_.back().size > tree_.size()) {
    const uint64_t size = heads_.back().size;
    Report(FaultKind::kTruncated, tree_.size(), size - 1, at,
           fmt::format("a head was signed over {} records; {} are there", size, tree_.size()));
  }
}

void LogChecker::Take(std::string_view bytes, uint64_t offset) {
  auto record = DecodeRecord(bytes);
  if (!record) {
    Report(FaultKind::kDamaged, expected_, expected_, offset, "no record can be read");
    tree_.Append(LeafHash(bytes));
    ++expected_;
    return;
  }
  if (record->index > expected_) {
    Report(FaultKind::kMissing, expected_, record->index - 1, offset,
           fmt::format("record {} comes where {} should", record->index, expected_));
  } else if (record->index < expected_) {
    Report(FaultKind::kOutOfOrder, record->index, record->index, offset,
           fmt::format("record {} comes where {} should", record->index, expected_));
  }
  expected_ = std::max(expected_, record->index + 1);
  const Hash leaf = LeafHash(bytes);
  auto chain = chains_.find(record->tenant);
  if (chain == chains_.end()) chain = chains_.emplace(record->tenant, ChainEnd{}).first;
  ChainEnd& end = chain->second;
  if (record->tenant_index != end.count || record->previous != end.last) {
    const uint64_t first = end.count == 0 ? 0 : end.last_index;
    Report(FaultKind::kAltered, first, record->index, offset,
           fmt::format("record {} of tenant `{}` was chained to a record that is not the one "
                       "before it here",
                       record->index, record->tenant));
  }
  end = {.count = record->tenant_index + 1, .last_index = record->index, .last = leaf};
  tree_.Append(leaf);
  if (visit_) visit_(*record, bytes, leaf);
}

void LogChecker::CheckHeads(uint64_t offset) {
  while (next_head_ < heads_.size() && heads_[next_head_].size <= tree_.size()) {
    const SignedHead& head = heads_[next_head_++];
    if (head.size != tree_.size()) continue;  // an earlier fault has been reported
    if (head.root == tree_.Root()) {
      trusted_ = head.size;
    } else if (!std::exchange(rewritten_, true)) {
      Report(
          FaultKind::kRewritten, trusted_, head.size == 0 ? 0 : head.size - 1, offset,
          fmt::format("the first {} records are not those that a head was signed over", head.size));
    }
  }
}

}  // namespace jikji::audit
