// A signed head: "at this time the log had this many records, and this is their root". Whoever
// keeps one can prove later that the log was shortened or rewritten.
#ifndef JIKJI_GOVERN_AUDIT_HEAD_H_
#define JIKJI_GOVERN_AUDIT_HEAD_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "govern/audit/hash.h"
#include "govern/audit/signer.h"

namespace jikji::audit {

struct SignedHead {
  uint64_t size = 0;
  uint64_t time = 0;  // UTC nanoseconds since 1970
  Hash root{};
  Signature signature{};

  bool operator==(const SignedHead&) const = default;
};

// What is signed: a line of text that names the kind of statement, then size, time and root.
std::string HeadMessage(const SignedHead& head);

void EncodeHead(const SignedHead& head, std::string& out);
Result<SignedHead> DecodeHead(std::string_view bytes);

// {"size":…,"time":…,"root":"…","signature":"…"}, hexadecimal.
std::string HeadToJson(const SignedHead& head);
Result<SignedHead> HeadFromJson(std::string_view json, std::string_view where);

}  // namespace jikji::audit

#endif  // JIKJI_GOVERN_AUDIT_HEAD_H_
