#include "hub/client/cache.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "base/file.h"
#include "store/digest.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;

constexpr size_t kReadBytes = 1u << 20;
constexpr const char* kNote = ".unsynced";
constexpr uint64_t kMaxSmallFile = 64u << 20;  // those kept under git's ids

Result<std::string> Sha256OfFile(const fs::path& path) {
  JIKJI_ASSIGN(const OpenFile file, OpenFile::Open(path));
  std::string buffer(kReadBytes, '\0');
  Sha256Stream hash;
  for (uint64_t at = 0; at < file.size();) {
    const size_t count = std::min<uint64_t>(buffer.size(), file.size() - at);
    JIKJI_RETURN_IF_ERROR(file.Read(at, std::span(buffer).first(count)));
    hash.Update(std::string_view(buffer).substr(0, count));
    at += count;
  }
  return HexOf(hash.Finish());
}

// Another after each start of the machine; empty where the system does not tell.
std::string BootId() { return ReadFile("/proc/sys/kernel/random/boot_id", 4096).value_or(""); }

Result<> SyncFile(const fs::path& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && fdatasync(file) == 0;
  const int error = errno;
  if (file >= 0) close(file);
  if (synced) return {};
  return Fail(ErrorCode::kIo, std::string("cannot sync: ") + std::strerror(error), path.string());
}

std::unexpected<Error> SystemError(const std::error_code& error, const fs::path& path) {
  return Fail(ErrorCode::kIo, error.message(), path.string());
}

// A reader sees the old or the new. Not brought to the disk: that would wait for what was
// downloaded before.
Result<> ReplaceFile(const fs::path& path, std::string_view content) {
  const fs::path beside = path.string() + "." + std::to_string(getpid());
  std::ofstream file(beside, std::ios::binary);
  file << content;
  file.close();
  std::error_code error;
  if (!file) error = std::make_error_code(std::errc::io_error);
  if (!error) fs::rename(beside, path, error);
  if (error) return SystemError(error, path);
  return {};
}

}  // namespace

fs::path UsualCache() {
  if (const char* cache = std::getenv("HF_HUB_CACHE"); cache != nullptr && *cache != '\0') {
    return cache;
  }
  if (const char* home = std::getenv("HF_HOME"); home != nullptr && *home != '\0') {
    return fs::path(home) / "hub";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home == nullptr ? "." : home) / ".cache/huggingface/hub";
}

CacheFolder::CacheFolder(const fs::path& cache, const std::string& repository) {
  std::string name = "models--" + repository;
  if (const size_t slash = name.find('/'); slash != std::string::npos) name.replace(slash, 1, "--");
  root = cache / name;
}

Result<> CacheFolder::Link(const std::string& commit, const std::string& revision,
                           const std::vector<RemoteFile>& files) const {
  std::error_code error;
  for (const RemoteFile& file : files) {
    const fs::path link = Snapshot(commit) / file.path;
    fs::create_directories(link.parent_path(), error);
    if (error) return SystemError(error, link);
    const fs::path target = Blob(file).lexically_relative(link.parent_path());
    std::error_code gone;
    if (fs::read_symlink(link, gone) == target) continue;
    fs::remove(link, gone);
    fs::create_symlink(target, link, error);
    if (error) return SystemError(error, link);
  }
  if (revision == commit) return {};
  const fs::path ref = root / "refs" / revision;
  fs::create_directories(ref.parent_path(), error);
  if (error) return SystemError(error, ref);
  return ReplaceFile(ref, commit);
}

Result<> CacheFolder::NoteUnsynced() const { return ReplaceFile(root / kNote, BootId()); }

Result<bool> CacheFolder::Settle() const {
  std::error_code error;
  if (!fs::exists(root / kNote, error)) return true;
  JIKJI_ASSIGN(const std::string noted, ReadFile(root / kNote, 4096));
  if (noted.empty() || noted != BootId()) return false;
  for (fs::directory_iterator it(root / "blobs", error), end; !error && it != end;
       it.increment(error)) {
    JIKJI_RETURN_IF_ERROR(SyncFile(it->path()));
  }
  JIKJI_RETURN_IF_ERROR(SyncFolder(root / "blobs"));
  fs::remove(root / kNote, error);
  if (error) return SystemError(error, root);
  return true;
}

Result<> CacheFolder::Recheck() const {
  JIKJI_ASSIGN(const CacheReport report, VerifyCache(*this));
  std::error_code error;
  for (const fs::path& blob : report.damaged) {
    fs::remove(blob, error);
    if (error) return SystemError(error, blob);
  }
  fs::remove(root / kNote, error);
  if (error) return SystemError(error, root);
  return {};
}

Result<bool> BlobIsRight(const fs::path& blob) {
  const std::string name = blob.filename();
  if (name.size() == 64) {
    JIKJI_ASSIGN(const std::string found, Sha256OfFile(blob));
    return found == name;
  }
  JIKJI_ASSIGN(const std::string content, ReadFile(blob, kMaxSmallFile));
  return GitObjectId("blob", content) == name;
}

Result<CacheReport> VerifyCache(const CacheFolder& folder) {
  CacheReport report;
  std::error_code error;
  for (fs::directory_iterator it(folder.root / "blobs", error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename();
    if (!IsHex(name, 64) && !IsHex(name, 40)) continue;  // on its way
    JIKJI_ASSIGN(const bool right, BlobIsRight(it->path()));
    ++report.blobs;
    report.bytes += it->file_size(error);
    if (!right) report.damaged.push_back(it->path());
  }
  if (error) return SystemError(error, folder.root);
  return report;
}

}  // namespace jikji::hub
