// `jikji hub compact` and `fsck`: on the hub's own folder, beside a server that runs.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/command.h"
#include "app/console.h"
#include "app/hub_commands.h"
#include "app/hub_root.h"
#include "base/thread_pool.h"
#include "hub/compact/compact.h"
#include "hub/compact/restore.h"

namespace jikji {
namespace {

double Share(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

double Megabytes(uint64_t bytes) { return static_cast<double>(bytes) / 1e6; }

struct CompactSettings {
  HubRoot hub;
  bool dry_run = false;
  bool json = false;
  int64_t threads = 0;

  void AddTo(Settings& settings) {
    hub.AddTo(settings);
    settings.Add("dry-run", &dry_run,
                 {"Measure what it would save, and change nothing",
                  "얼마나 줄어드는지 재기만 하고 바꾸지 않음"});
    settings.Add("json", &json, {"Print JSON", "JSON으로 출력"});
    settings.Add("threads", &threads, {"Threads; 0: one for each core", "스레드 수. 0: 코어마다"},
                 0, 1024);
  }
};

boost::json::object JsonOf(const hub::CompactReport& report, bool dry_run) {
  boost::json::array files;
  for (const hub::CompactedFile& file : report.compacted) {
    files.push_back(boost::json::object{{"model", file.model},
                                        {"path", file.path},
                                        {"sha256", HexOf(file.digest)},
                                        {"bytes", file.bytes},
                                        {"shared_bytes", file.shared},
                                        {"stored_bytes", file.stored}});
  }
  return {{"dry_run", dry_run},
          {"files", report.files},
          {"bytes", report.bytes},
          {"stored_before", report.stored},
          {"stored_after", report.stored_now},
          {"compacted", std::move(files)},
          {"failed", boost::json::array(report.failed.begin(), report.failed.end())},
          {"restored", boost::json::array(report.restored.begin(), report.restored.end())}};
}

void Print(const hub::CompactReport& report, bool dry_run) {
  for (const hub::CompactedFile& file : report.compacted) {
    fmt::print(
        fmt::runtime(Say("{} {}: {:.1f} MB in {:.1f} MB\n", "{} {}: {:.1f} MB → {:.1f} MB\n")),
        file.model, file.path, Megabytes(file.bytes), Megabytes(file.stored));
  }
  if (!report.restored.empty()) {
    fmt::print(fmt::runtime(
                   Say("{} files stand plain again: their base was kept for them alone\n",
                       "파일 {}개를 풀었습니다. 바탕 파일이 이 파일들 때문에만 남아 있었습니다\n")),
               report.restored.size());
  }
  if (report.stored_now == report.stored) {
    fmt::print(fmt::runtime(Say("{} files of weights: {:.1f} MB, nothing more to save\n",
                                "가중치 파일 {}개: {:.1f} MB, 더 줄일 것이 없습니다\n")),
               report.files, Megabytes(report.stored));
    return;
  }
  const double saved = 100 * (1 - Share(report.stored_now, report.stored));
  const char* english = dry_run
                            ? "{} files of weights: {:.1f} MB would be {:.1f} MB ({:.1f} % less)\n"
                            : "{} files of weights: {:.1f} MB are {:.1f} MB now ({:.1f} % less)\n";
  const char* korean =
      dry_run ? "가중치 파일 {}개: {:.1f} MB가 {:.1f} MB로 줄어들 것입니다({:.1f}% 절약)\n"
              : "가중치 파일 {}개: {:.1f} MB가 {:.1f} MB로 줄었습니다({:.1f}% 절약)\n";
  fmt::print(fmt::runtime(Say(english, korean)), report.files, Megabytes(report.stored),
             Megabytes(report.stored_now), saved);
}

Result<> Compact(CompactSettings& settings) {
  JIKJI_ASSIGN(const auto hub, settings.hub.Open());
  ThreadPool pool(settings.threads == 0 ? UsableCores() : static_cast<size_t>(settings.threads));
  Progress progress(std::string(Say("compacting", "압축 중")));
  hub::CompactOptions options;
  options.dry_run = settings.dry_run;
  options.progress = [&](size_t file, size_t files) { progress.Show(Share(file, files)); };
  JIKJI_ASSIGN(const hub::CompactReport report, hub::CompactHub(*hub, options, pool));
  if (settings.json) {
    fmt::print("{}\n", boost::json::serialize(JsonOf(report, settings.dry_run)));
  } else {
    Print(report, settings.dry_run);
  }
  if (report.failed.empty()) return {};
  return Fail(ErrorCode::kIo, fmt::format(fmt::runtime(Say("{} files stay as they are:\n  {}",
                                                           "파일 {}개는 그대로 둡니다:\n  {}")),
                                          report.failed.size(), fmt::join(report.failed, "\n  ")));
}
Result<> CheckStore(HubRoot& settings) {
  JIKJI_ASSIGN(const auto hub, settings.Open());
  Progress progress(std::string(Say("reading", "읽는 중")));
  uint64_t total = 0;
  JIKJI_ASSIGN(const auto damaged, hub::CheckStore(*hub, [&](uint64_t read, uint64_t bytes) {
                 total = bytes;
                 progress.Show(Share(read, bytes));
               }));
  for (const hub::DamagedBlob& blob : damaged) {
    JIKJI_ASSIGN(const Digest digest, ParseDigest(blob.digest));
    fmt::print("{}: {} ({})\n  {}\n", blob.digest, blob.why, fmt::join(blob.models, ", "),
               hub->blobs().PathOf(digest).string());
  }
  if (damaged.empty()) {
    fmt::print(fmt::runtime(Say("{:.1f} MB read, all as they were written\n",
                                "{:.1f} MB를 읽었고 모두 쓴 그대로입니다\n")),
               Megabytes(total));
    return {};
  }
  return Fail(ErrorCode::kIo,
              fmt::format(fmt::runtime(Say("{} blobs are damaged: push their files again, or copy "
                                           "the right ones to the paths above",
                                           "블롭 {}개가 손상되었습니다. 그 파일을 다시 올리거나 "
                                           "올바른 파일을 위 경로에 복사하세요")),
                          damaged.size()));
}

}  // namespace

void AddHubCompactCommands(CommandGroup& group) {
  group.Add("compact",
            Say("Store weights that are near others as their differences",
                "서로 가까운 가중치를 차이만 저장합니다"),
            &Compact);
  group.Add("fsck",
            Say("Read everything that is stored and check it", "저장된 모든 것을 읽어 확인합니다"),
            &CheckStore);
}

}  // namespace jikji
