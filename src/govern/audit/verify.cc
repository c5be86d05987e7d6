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
  for (const Hash& hash : hashes) list.push_back(boost::json::string(HexOf(hash)));
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

namespace {

// The records under the last signed head, of a log that verifies: what every proof stands on.
struct Signed {
  SignedHead head;
  std::vector<Hash> leaves;
  std::vector<std::pair<uint64_t, std::string>> picked;  // index, bytes
};

Result<Signed> ReadSigned(const std::filesystem::path& folder,
                          const std::function<bool(const Record&)>& wanted) {
  const LogFiles files = FilesOf(folder);
  JIKJI_ASSIGN(const MappedFile head_file, MappedFile::Open(files.heads));
  uint64_t heads_end = 0;
  JIKJI_ASSIGN(const auto heads, ReadHeads(TextOf(head_file), files.heads.string(), heads_end));
  Signed read;
  if (!heads.empty()) read.head = heads.back();
  VerifyOptions options;
  options.visit = [&](const Record& record, std::string_view bytes, const Hash& leaf) {
    if (read.leaves.size() >= read.head.size) return;
    read.leaves.push_back(leaf);
    if (wanted(record)) read.picked.emplace_back(record.index, bytes);
  };
  JIKJI_ASSIGN(const VerifyReport report, VerifyLog(folder, std::move(options)));
  if (!report.faults.empty() || read.leaves.size() != read.head.size) {
    return Fail(ErrorCode::kMalformed, "the log does not verify: run `jikji audit verify`",
                folder.string());
  }
  return read;
}

// {"head", "public_key"}
Result<boost::json::object> Signatures(const std::filesystem::path& folder,
                                       const SignedHead& head) {
  JIKJI_ASSIGN(const std::string pem, ReadFile(FilesOf(folder).public_key));
  JIKJI_ASSIGN(const boost::json::value head_json, ParseJson(HeadToJson(head)));
  return boost::json::object{{"head", head_json}, {"public_key", pem}};
}

boost::json::object Inclusion(const Signed& read, size_t place) {
  const auto& [index, bytes] = read.picked[place];
  return {{"index", index},
          {"record", Base64Of(bytes)},
          {"inclusion", HexList(InclusionProof(read.leaves, index))}};
}

}  // namespace

Result<std::string> ProveRecord(const std::filesystem::path& folder, uint64_t index,
                                uint64_t since) {
  JIKJI_ASSIGN(const Signed read,
               ReadSigned(folder, [&](const Record& record) { return record.index == index; }));
  if (read.picked.empty() || since > read.head.size) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("no signed head covers record {}; {} records are signed", index,
                            read.head.size),
                folder.string());
  }
  JIKJI_ASSIGN(boost::json::object proof, Signatures(folder, read.head));
  for (auto& [key, value] : Inclusion(read, 0)) proof[key] = value;
  if (since > 0) {
    const std::span<const Hash> before = std::span(read.leaves).first(since);
    proof["since"] = {{"size", since},
                      {"root", HexOf(BytesOf(RootOf(before)))},
                      {"consistency", HexList(ConsistencyProof(read.leaves, since))}};
  }
  return boost::json::serialize(proof);
}

Result<std::string> ProveRecords(const std::filesystem::path& folder,
                                 const std::function<bool(const Record&)>& wanted) {
  JIKJI_ASSIGN(const Signed read, ReadSigned(folder, wanted));
  if (read.picked.empty()) {
    return Fail(ErrorCode::kNotFound, "the log has no such record under a signed head",
                folder.string());
  }
  JIKJI_ASSIGN(boost::json::object pack, Signatures(folder, read.head));
  boost::json::array& records = pack["records"].emplace_array();
  for (size_t i = 0; i < read.picked.size(); ++i) records.push_back(Inclusion(read, i));
  return boost::json::serialize(pack);
}

}  // namespace jikji::audit
