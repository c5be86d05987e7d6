// Reads a log's records and checks everything that can be checked: frames, numbering, each tenant's
// chain, and the root at every signed head. Opening a log, `jikji audit verify` and proofs all
// stand on it.
#ifndef JIKJI_GOVERN_AUDIT_CHECKER_H_
#define JIKJI_GOVERN_AUDIT_CHECKER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "govern/audit/head.h"
#include "govern/audit/merkle.h"
#include "govern/audit/record.h"

namespace jikji::audit {

enum class FaultKind : uint8_t {
  kTornTail,    // the file ends within a record: a crash, or it was cut
  kDamaged,     // bytes changed: a checksum differs, or no record can be read
  kMissing,     // numbers are left out
  kOutOfOrder,  // a number comes again or too late
  kAltered,     // a record is not the one that its tenant's next record was chained to
  kRewritten,   // the log is not the one that a head was signed over
  kTruncated,   // fewer records than a head was signed over
  kForked,      // two heads of one size with different roots
  kForged,      // a head's signature is wrong
};
std::string_view FaultName(FaultKind kind);

struct Fault {
  FaultKind kind = FaultKind::kDamaged;
  // Where: records [first, last], and the byte of the file where the first of them was looked for.
  uint64_t first = 0;
  uint64_t last = 0;
  uint64_t offset = 0;
  std::string detail;
};

// The end of a tenant's chain.
struct ChainEnd {
  uint64_t count = 0;
  uint64_t last_index = 0;
  Hash last{};
};

struct TextHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
using Chains = std::unordered_map<std::string, ChainEnd, TextHash, std::equal_to<>>;

class LogChecker {
 public:
  using Visitor = std::function<void(const Record&, std::string_view bytes, const Hash& leaf)>;

  // `heads` as they were signed, oldest first; their signatures are not looked at.
  explicit LogChecker(std::vector<SignedHead> heads, Visitor visit = {});

  void Check(std::string_view file);

  const std::vector<Fault>& faults() const { return faults_; }
  const MerkleTree& tree() const { return tree_; }
  const Chains& chains() const { return chains_; }
  // Where reading stopped: the file's size, or the place of a torn tail or of damage past which no
  // frame can be told.
  uint64_t end() const { return end_; }

 private:
  void Take(std::string_view bytes, uint64_t offset);
  void CheckHeads(uint64_t offset);
  void Report(FaultKind kind, uint64_t first, uint64_t last, uint64_t offset, std::string detail);

  std::vector<SignedHead> heads_;
  Visitor visit_;
  size_t next_head_ = 0;
  uint64_t trusted_ = 0;  // records under the last head that agreed
  bool rewritten_ = false;
  uint64_t expected_ = 0;  // index
  MerkleTree tree_;
  Chains chains_;
  std::vector<Fault> faults_;
  uint64_t end_ = 0;
};

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_CHECKER_H_
