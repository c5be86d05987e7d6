#include "govern/audit/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>

#include "base/file.h"
#include "base/json.h"
#include "govern/audit/log.h"

namespace jikji::audit {
namespace {

std::string_view TextOf(const MappedFile& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

boost::json::array HexList(const std::vector<Hash>& hashes) {
  boost::json::array list;
  for (const Hash& hash : hashes) list.push_back(boost::json::string(ToHex(BytesOf(hash))));
  return list;
}

}  // namespace

Result<VerifyReport> VerifyLog(const std::filesystem::path& folder, VerifyOptions options) {
  const LogFiles files = FilesOf(folder);
  if (!options.key) {
    JIKJI_ASSIGN(options.key, VerifyKey::Load(files.public_key));
  }
  // Heads first: records that a later head covers may come while we read.
  JIKJI_ASSIGN(const MappedFile head_file, MappedFile::Open(files.heads));
  JIKJI_ASSIGN(const MappedFile record_file, MappedFile::Open(files.records));
  uint64_t heads_end = 0;
  JIKJI_ASSIGN(auto heads, ReadHeads(TextOf(head_file), files.heads.string(), heads_end));

  VerifyReport report;
  report.heads = heads.size();
  if (!heads.empty()) report.signed_records = heads.back().size;
  if (options.witnessed) heads.push_back(*options.witnessed);
  for (const SignedHead& head : heads) {
    if (!options.key->Verify(HeadMessage(head), head.signature)) {
      report.faults.push_back(
          {FaultKind::kForged, 0, head.size == 0 ? 0 : head.size - 1, 0,
           fmt::format("the head over {} records is not signed by this key", head.size)});
    }
  }
  LogChecker checker(std::move(heads), std::move(options.visit));
  checker.Check(TextOf(record_file));
  report.records = checker.tree().size();
  std::ranges::copy_if(
      checker.faults(), std::back_inserter(report.faults), [&](const Fault& fault) {
        return fault.kind != FaultKind::kTornTail || fault.first < report.signed_records;
      });
  return report;
}

Result<std::string> ProveRecord(const std::filesystem::path& folder, uint64_t index,
                                uint64_t since) {
  const LogFiles files = FilesOf(folder);
  JIKJI_ASSIGN(const MappedFile head_file, MappedFile::Open(files.heads));
  uint64_t heads_end = 0;
  JIKJI_ASSIGN(const auto heads, ReadHeads(TextOf(head_file), files.heads.string(), heads_end));
  if (heads.empty() || index >= heads.back().size || since > heads.back().size) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("no signed head covers record {}; {} records are signed", index,
                            heads.empty() ? 0 : heads.back().size),
                folder.string());
  }
  const SignedHead& head = heads.back();
  std::vector<Hash> leaves;
  std::string bytes;
  VerifyOptions options;
  options.visit = [&](const Record& record, std::string_view record_bytes, const Hash& leaf) {
    if (leaves.size() < head.size) leaves.push_back(leaf);
    if (record.index == index) bytes = record_bytes;
  };
  JIKJI_ASSIGN(const VerifyReport report, VerifyLog(folder, std::move(options)));
  if (!report.faults.empty() || leaves.size() != head.size) {
    return Fail(ErrorCode::kMalformed, "the log does not verify: run `jikji audit verify`",
                folder.string());
  }
  JIKJI_ASSIGN(const std::string pem, ReadFile(files.public_key));
  JIKJI_ASSIGN(const boost::json::value head_json, ParseJson(HeadToJson(head)));
  boost::json::object proof{{"index", index},
                            {"record", ToBase64(bytes)},
                            {"inclusion", HexList(InclusionProof(leaves, index))},
                            {"head", head_json},
                            {"public_key", pem}};
  if (since > 0) {
    const std::span<const Hash> before = std::span(leaves).first(since);
    proof["since"] = {{"size", since},
                      {"root", ToHex(BytesOf(RootOf(before)))},
                      {"consistency", HexList(ConsistencyProof(leaves, since))}};
  }
  return boost::json::serialize(proof);
}

}  // namespace jikji::audit
