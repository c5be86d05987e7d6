#include "govern/audit/head.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/json.h"
#include "govern/audit/byte_io.h"

namespace jikji::audit {
namespace {

std::string_view SignatureBytes(const SignedHead& head) {
  return {reinterpret_cast<const char*>(head.signature.data()), head.signature.size()};
}

}  // namespace

std::string HeadMessage(const SignedHead& head) {
  std::string out = "jikji audit head v1\n";
  AppendInt(head.size, out);
  AppendInt(head.time, out);
  out += BytesOf(head.root);
  return out;
}

void EncodeHead(const SignedHead& head, std::string& out) {
  AppendInt(head.size, out);
  AppendInt(head.time, out);
  out += BytesOf(head.root);
  out += SignatureBytes(head);
}

Result<SignedHead> DecodeHead(std::string_view bytes) {
  ByteReader reader(bytes);
  SignedHead head;
  head.size = reader.Int<uint64_t>();
  head.time = reader.Int<uint64_t>();
  head.root = reader.Array<32>();
  head.signature = reader.Array<64>();
  if (!reader.at_end()) return Fail(ErrorCode::kMalformed, "is no signed head");
  return head;
}

std::string HeadToJson(const SignedHead& head) {
  return fmt::format(R"({{"size":{},"time":{},"root":"{}","signature":"{}"}})", head.size,
                     head.time, HexOf(head.root), HexOf(SignatureBytes(head)));
}

Result<SignedHead> HeadFromJson(std::string_view json, std::string_view where) {
  JIKJI_ASSIGN(const boost::json::value value, ParseJson(json, where));
  const auto* object = value.if_object();
  if (object == nullptr)
    return Fail(ErrorCode::kMalformed, "is no JSON object", std::string(where));
  // A proof holds the head that it is of.
  if (const auto* inner = object->if_contains("head"); inner != nullptr && inner->is_object()) {
    object = &inner->get_object();
  }
  JIKJI_ASSIGN(const auto size, OptionalInt(*object, "size", where));
  JIKJI_ASSIGN(const auto time, OptionalInt(*object, "time", where));
  JIKJI_ASSIGN(const auto root, OptionalString(*object, "root", where));
  JIKJI_ASSIGN(const auto signature, OptionalString(*object, "signature", where));
  SignedHead head;
  if (!size || *size < 0 || !time || *time < 0 || !root || !signature) {
    return Fail(ErrorCode::kMalformed, "a head has `size`, `time`, `root` and `signature`",
                std::string(where));
  }
  head.size = static_cast<uint64_t>(*size);
  head.time = static_cast<uint64_t>(*time);
  JIKJI_ASSIGN(head.root, ParseDigest(*root));
  JIKJI_ASSIGN(const std::string bytes, ParseHex(*signature));
  if (bytes.size() != head.signature.size()) {
    return Fail(ErrorCode::kMalformed, "a signature has 128 hexadecimal digits",
                std::string(where));
  }
  std::copy(bytes.begin(), bytes.end(), head.signature.begin());
  return head;
}

}  // namespace jikji::audit
