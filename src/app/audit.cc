// `jikji audit`: check a log, hand it out, prove a record, add a note, erase a tenant's content.
#include <fmt/format.h>

#include <boost/json.hpp>
#include <cstdio>

#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"
#include "base/file.h"
#include "govern/audit/log.h"
#include "govern/audit/verify.h"

namespace jikji {
namespace {

struct Options {
  std::string action;
  std::string folder;
  std::string public_key;
  std::string head;
  int64_t record = 0;
  int64_t since = 0;
  std::string tenant;
  std::string text;

  void AddTo(Settings& settings) {
    settings.AddPositional("ACTION", &action,
                           {"verify, export, prove, evidence, certificate, note or destroy-key",
                            "verify, export, prove, evidence, certificate, note, destroy-key 중 "
                            "하나"});
    settings.AddPositional("DIR", &folder, {"Folder of the audit log", "감사 로그 폴더"});
    settings.Add("public-key", &public_key,
                 {"PEM file of the key that heads are checked with; else DIR/signing.pub",
                  "서명을 확인할 공개 키(PEM) 파일. 없으면 DIR/signing.pub"});
    settings.Add("head", &head,
                 {"verify: a head or proof that was kept elsewhere; finds a cut or forked log",
                  "verify: 다른 곳에 보관한 서명된 헤드나 증명. 잘리거나 갈라진 로그를 찾아냄"});
    settings.Add("record", &record, {"prove: the record's number", "prove: 레코드 번호"}, 0,
                 INT64_MAX);
    settings.Add("since", &since,
                 {"prove: also that the log begins with its first N records; 0: not",
                  "prove: 로그가 처음 N개 레코드로 시작한다는 증명도 함께. 0이면 하지 않음"},
                 0, INT64_MAX);
    settings.Add("tenant", &tenant,
                 {"evidence, certificate, note, destroy-key: whose",
                  "evidence, certificate, note, destroy-key: 테넌트"});
    settings.Add("text", &text, {"note: what to record", "note: 기록할 내용"});
  }
};

std::string KoreanFaultName(audit::FaultKind kind) {
  switch (kind) {
    case audit::FaultKind::kTornTail:
      return "꼬리가 끊김";
    case audit::FaultKind::kDamaged:
      return "손상";
    case audit::FaultKind::kMissing:
      return "누락";
    case audit::FaultKind::kOutOfOrder:
      return "순서 바뀜";
    case audit::FaultKind::kAltered:
      return "변조";
    case audit::FaultKind::kRewritten:
      return "다시 쓰임";
    case audit::FaultKind::kTruncated:
      return "잘림";
    case audit::FaultKind::kForked:
      return "갈라짐";
    case audit::FaultKind::kForged:
      return "서명 위조";
  }
  return {};
}

Result<> Verify(const Options& options) {
  audit::VerifyOptions verify;
  if (!options.public_key.empty()) {
    JIKJI_ASSIGN(verify.key, audit::VerifyKey::Load(options.public_key));
  }
  if (!options.head.empty()) {
    JIKJI_ASSIGN(const std::string json, ReadFile(options.head));
    JIKJI_ASSIGN(verify.witnessed, audit::HeadFromJson(json, options.head));
  }
  JIKJI_ASSIGN(const audit::VerifyReport report,
               audit::VerifyLog(options.folder, std::move(verify)));
  for (const audit::Fault& fault : report.faults) {
    const std::string range = fault.first == fault.last
                                  ? fmt::format("{}", fault.first)
                                  : fmt::format("{}-{}", fault.first, fault.last);
    fmt::print("{} {}, {} {}: {}\n", Say("record", "레코드"), range,
               Say(audit::FaultName(fault.kind), KoreanFaultName(fault.kind)),
               fmt::format(fmt::runtime(Say("(byte {})", "({}바이트 위치)")), fault.offset),
               fault.detail);
  }
  fmt::print(fmt::runtime(Say("{} records, {} under {} signed heads, {} faults\n",
                              "레코드 {}개, 그중 {}개가 서명된 헤드 {}개 아래, 이상 {}건\n")),
             report.records, report.signed_records, report.heads, report.faults.size());
  if (report.faults.empty()) return {};
  return Fail(ErrorCode::kMalformed,
              std::string(Say("the audit log does not verify", "감사 로그가 검증되지 않습니다")),
              options.folder);
}

// One JSON object a line: every record with its own bytes, then the last signed head.
Result<> Export(const Options& options) {
  audit::VerifyOptions verify;
  verify.visit = [](const audit::Record& record, std::string_view bytes, const audit::Hash& leaf) {
    boost::json::object fields;
    for (const audit::Field& field : record.fields) {
      fields[field.name] = field.keyed ? "hmac:" + HexOf(field.value) : field.value;
    }
    fmt::print("{}\n", boost::json::serialize(boost::json::object{{"index", record.index},
                                                                  {"time", record.time},
                                                                  {"tenant", record.tenant},
                                                                  {"event", record.event},
                                                                  {"fields", std::move(fields)},
                                                                  {"leaf", HexOf(leaf)},
                                                                  {"record", Base64Of(bytes)}}));
  };
  JIKJI_ASSIGN(const audit::VerifyReport report,
               audit::VerifyLog(options.folder, std::move(verify)));
  const audit::LogFiles files = audit::FilesOf(options.folder);
  JIKJI_ASSIGN(const std::string heads, ReadFile(files.heads));
  uint64_t end = 0;
  JIKJI_ASSIGN(const auto list, audit::ReadHeads(heads, files.heads.string(), end));
  if (!list.empty()) fmt::print("{{\"head\":{}}}\n", audit::HeadToJson(list.back()));
  if (report.faults.empty()) return {};
  return Fail(ErrorCode::kMalformed, "the audit log does not verify: run `jikji audit verify`",
              options.folder);
}

Result<> Prove(const Options& options) {
  JIKJI_ASSIGN(const std::string proof,
               audit::ProveRecord(options.folder, static_cast<uint64_t>(options.record),
                                  static_cast<uint64_t>(options.since)));
  fmt::print("{}\n", proof);
  return {};
}

// What was done to a tenant and by whom; not what it asked and was answered, which is the bulk.
Result<> Evidence(const Options& options) {
  JIKJI_ASSIGN(
      const std::string pack, audit::ProveRecords(options.folder, [&](const audit::Record& record) {
        return record.tenant == options.tenant && !record.event.starts_with("admission.") &&
               !record.event.starts_with("generation.");
      }));
  fmt::print("{}\n", pack);
  return {};
}

// That a tenant's key was destroyed, and with it all that the log could show of its content.
Result<> Certificate(const Options& options) {
  JIKJI_ASSIGN(const std::string pack,
               audit::ProveRecords(options.folder, [&](const audit::Record& record) {
                 return record.tenant == options.tenant && record.event == "key.destroyed";
               }));
  fmt::print("{}\n", pack);
  return {};
}

Result<> Append(const Options& options, std::string event, std::vector<audit::Field> fields) {
  JIKJI_ASSIGN(const auto log, audit::AuditLog::Open(options.folder));
  audit::Record record;
  record.tenant = options.tenant;
  record.event = std::move(event);
  record.fields = std::move(fields);
  JIKJI_ASSIGN(const audit::Position position, log->Append(std::move(record)));
  JIKJI_RETURN_IF_ERROR(log->WaitDurable(position.index));
  fmt::print(fmt::runtime(Say("record {}, leaf {}\n", "레코드 {}, 리프 {}\n")), position.index,
             HexOf(position.leaf));
  return {};
}

// The record is the deletion certificate: it stands in the log, under a signed head.
Result<> DestroyKey(const Options& options) {
  audit::TenantKeys keys(audit::FilesOf(options.folder).keys);
  JIKJI_RETURN_IF_ERROR(keys.Destroy(options.tenant));
  return Append(options, "key.destroyed", {});
}

Result<> Audit(Options& options) {
  if (options.folder.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("which log? jikji audit ACTION DIR",
                                "어느 로그인가요? jikji audit ACTION DIR")));
  }
  if (options.action == "verify") return Verify(options);
  if (options.action == "export") return Export(options);
  if (options.action == "prove") return Prove(options);
  if (options.action == "evidence") return Evidence(options);
  if (options.action == "certificate") return Certificate(options);
  if (options.action == "note") return Append(options, "note", {{"text", options.text}});
  if (options.action == "destroy-key") return DestroyKey(options);
  return Fail(ErrorCode::kInvalidArgument,
              fmt::format(fmt::runtime(Say(
                              "`{}` is none of verify, export, prove, evidence, certificate, note, "
                              "destroy-key",
                              "`{}`은(는) verify, export, prove, evidence, certificate, note, "
                              "destroy-key가 아닙니다")),
                          options.action));
}

}  // namespace

void AddAuditCommand(Program& program) {
  program.Add("audit",
              Say("Verify, export or prove an audit log", "감사 로그를 검증, 내보내기, 증명합니다"),
              &Audit);
}

}  // namespace jikji
