#include "hub/client/push.h"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "base/file.h"
#include "base/json.h"
#include "hub/gate.h"
#include "hub/http/call.h"
#include "hub/listing.h"
#include "store/digest.h"

namespace jikji::hub {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr size_t kSample = 512;  // what the protocol shows of a file
constexpr size_t kFilesPerCall = 256;
constexpr size_t kReadBytes = 1u << 20;
constexpr size_t kFilesAtOnce = 3;

struct LocalFile {
  std::string path;
  fs::path where;  // opened when it is its turn: there may be more files than may be open
  bool large = false;
  std::string held;  // the id of what the branch has there; may be empty
};

Result<std::vector<LocalFile>> FilesOf(const fs::path& folder,
                                       const std::vector<std::string>& exclude) {
  std::vector<LocalFile> out;
  std::error_code error;
  for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename();
    if (name.starts_with('.') && name != ".gitattributes") {
      if (it->is_directory(error)) it.disable_recursion_pending();
      continue;
    }
    std::error_code leads_nowhere;
    if (!fs::is_regular_file(it->path(), leads_nowhere)) continue;
    std::string path = it->path().lexically_relative(folder).generic_string();
    const auto excludes = [&](const std::string& pattern) {
      const std::string folder = pattern + (pattern.ends_with('/') ? "*" : "/*");
      return fnmatch(pattern.c_str(), path.c_str(), 0) == 0 ||
             fnmatch(folder.c_str(), path.c_str(), 0) == 0;
    };
    if (std::ranges::any_of(exclude, excludes)) continue;
    out.push_back({std::move(path), it->path(), false, ""});
  }
  if (error) return Fail(ErrorCode::kIo, error.message(), folder.string());
  if (out.empty()) return Fail(ErrorCode::kNotFound, "there is nothing to push", folder.string());
  std::ranges::sort(out, {}, &LocalFile::path);
  return out;
}

Result<std::string> Front(const OpenFile& file, uint64_t bytes) {
  std::string text(std::min<uint64_t>(bytes, file.size()), '\0');
  JIKJI_RETURN_IF_ERROR(file.Read(0, text));
  return text;
}

Result<Digest> DigestOf(const OpenFile& file) {
  std::string buffer(kReadBytes, '\0');
  Sha256Stream hash;
  for (uint64_t at = 0; at < file.size();) {
    const size_t count = std::min<uint64_t>(buffer.size(), file.size() - at);
    JIKJI_RETURN_IF_ERROR(file.Read(at, std::span(buffer).first(count)));
    hash.Update(std::string_view(buffer).substr(0, count));
    at += count;
  }
  return hash.Finish();
}

// What a hub's door would refuse by name, size or first bytes is said here, all of it, before a
// repository is made for nothing.
Result<> CheckAtTheDoor(const std::vector<LocalFile>& files) {
  constexpr size_t kNamed = 10;
  std::string refused;
  size_t count = 0;
  for (const LocalFile& file : files) {
    JIKJI_ASSIGN(const OpenFile opened, OpenFile::Open(file.where));
    JIKJI_ASSIGN(const std::string first, Front(opened, kSample));
    const auto why = CheckBeforeUpload(file.path, opened.size(), first);
    if (!why || ++count > kNamed) continue;
    refused += "\n  " + why->english + " / " + why->korean;
  }
  if (count == 0) return {};
  if (count > kNamed) refused += "\n  ...";
  return Fail(ErrorCode::kInvalidArgument,
              std::to_string(count) + " of " + std::to_string(files.size()) +
                  " files would be refused; leave them out with --exclude:" + refused);
}

// How the hub wants each file, and what it has in its place.
Result<> AskModes(Remote& remote, const PushOptions& options, std::vector<LocalFile>& files) {
  for (size_t begin = 0; begin < files.size(); begin += kFilesPerCall) {
    const size_t end = std::min(begin + kFilesPerCall, files.size());
    json::array asked;
    for (size_t i = begin; i < end; ++i) {
      JIKJI_ASSIGN(const OpenFile file, OpenFile::Open(files[i].where));
      JIKJI_ASSIGN(const std::string sample, Front(file, kSample));
      asked.push_back(json::object{
          {"path", files[i].path}, {"size", file.size()}, {"sample", Base64Of(sample)}});
    }
    JIKJI_ASSIGN(
        const json::value answer,
        remote.Call(
            "POST", "/api/models/" + options.repository + "/preupload/" + UrlEscape(options.branch),
            json::serialize(json::object{{"files", std::move(asked)}}), "application/json"));
    const json::value* told =
        answer.is_object() ? answer.as_object().if_contains("files") : nullptr;
    if (told == nullptr || !told->is_array() || told->as_array().size() != end - begin) {
      return Fail(ErrorCode::kMalformed, "the hub does not say how it wants the files",
                  remote.url());
    }
    for (size_t i = begin; i < end; ++i) {
      const json::value& mode = told->as_array()[i - begin];
      if (!mode.is_object()) continue;
      JIKJI_ASSIGN(const auto way, OptionalString(mode.as_object(), "uploadMode"));
      JIKJI_ASSIGN(const auto oid, OptionalString(mode.as_object(), "oid"));
      files[i].large = way == "lfs";
      files[i].held = oid.value_or("");
    }
  }
  return {};
}

// Sends the bytes of a large file unless the hub has them.
Result<uint64_t> SendLarge(Remote& remote, const PushOptions& options, const LocalFile& file,
                           OpenFile opened, const std::string& oid) {
  const uint64_t size = opened.size();
  const json::object batch{{"operation", "upload"},
                           {"transfers", {"basic"}},
                           {"hash_algo", "sha256"},
                           {"objects", {{{"oid", oid}, {"size", size}}}}};
  JIKJI_ASSIGN(const json::value answer,
               remote.Call("POST", "/" + options.repository + ".git/info/lfs/objects/batch",
                           json::serialize(batch), "application/vnd.git-lfs+json"));
  boost::system::error_code absent;
  if (const json::value* message = answer.find_pointer("/objects/0/error/message", absent)) {
    return Fail(ErrorCode::kInvalidArgument, json::serialize(*message), file.path);
  }
  const json::value* href = answer.find_pointer("/objects/0/actions/upload/href", absent);
  if (href == nullptr || !href->is_string()) return 0;
  JIKJI_RETURN_IF_ERROR(remote.Put(std::string(href->as_string()),
                                   {std::make_shared<const OpenFile>(std::move(opened)), 0, size}));
  return size;
}

// What became of a file on its way to the hub.
struct Outcome {
  Result<std::string> oid;  // of its bytes
  uint64_t sent = 0;
};

Outcome PushLarge(Remote& remote, const PushOptions& options, const LocalFile& file) {
  auto opened = OpenFile::Open(file.where);
  if (!opened) return {std::unexpected(opened.error())};
  const auto digest = DigestOf(*opened);
  if (!digest) return {std::unexpected(digest.error())};
  const std::string oid = HexOf(*digest);
  if (oid == file.held) return {oid};
  const auto sent = SendLarge(remote, options, file, *std::move(opened), oid);
  if (!sent) return {std::unexpected(sent.error())};
  return {oid, *sent};
}

// Large files, a few at once: while one is hashed here, another is hashed and synced there. After
// an error no further one is begun.
std::map<std::string, Outcome> PushAllLarge(Remote& remote, const PushOptions& options,
                                            const std::vector<LocalFile>& files) {
  std::vector<const LocalFile*> large;
  for (const LocalFile& file : files) {
    if (file.large) large.push_back(&file);
  }
  std::map<std::string, Outcome> outcomes;
  std::mutex mutex;
  size_t next = 0;
  const auto work = [&] {
    for (;;) {
      const LocalFile* file = nullptr;
      {
        const std::lock_guard lock(mutex);
        if (next >= large.size()) return;
        file = large[next++];
      }
      Outcome outcome = PushLarge(remote, options, *file);
      const std::lock_guard lock(mutex);
      if (!outcome.oid) next = large.size();
      outcomes.emplace(file->path, std::move(outcome));
    }
  };
  {
    std::vector<std::jthread> threads;
    for (size_t i = 1; i < std::min(kFilesAtOnce, large.size()); ++i) threads.emplace_back(work);
    work();
  }
  return outcomes;
}

}  // namespace

Result<PushReport> Push(Remote& remote, const PushOptions& options) {
  JIKJI_ASSIGN(std::vector<LocalFile> files, FilesOf(options.folder, options.exclude));
  JIKJI_RETURN_IF_ERROR(CheckAtTheDoor(files));
  JIKJI_RETURN_IF_ERROR(remote.Post(
      "/api/repos/create",
      json::object{
          {"name", options.repository}, {"type", "model"}, {"private", options.is_private}},
      409));
  if (options.branch != "main") {
    JIKJI_RETURN_IF_ERROR(
        remote.Post("/api/models/" + options.repository + "/branch/" + UrlEscape(options.branch),
                    json::object(), 409));
  }
  JIKJI_RETURN_IF_ERROR(AskModes(remote, options, files));
  PushReport report;
  report.files = files.size();
  const auto line = [](std::string_view key, json::object value) {
    return json::serialize(json::object{{"key", key}, {"value", std::move(value)}}) + "\n";
  };
  const std::map<std::string, Outcome> large = PushAllLarge(remote, options, files);
  for (const auto& [path, outcome] : large) {
    if (!outcome.oid) return std::unexpected(outcome.oid.error());
  }
  std::string commit = line("header", {{"summary", options.message}, {"description", ""}});
  for (const LocalFile& file : files) {
    JIKJI_ASSIGN(OpenFile opened, OpenFile::Open(file.where));
    const uint64_t size = opened.size();
    if (file.large) {
      const Outcome& outcome = large.at(file.path);
      const std::string& oid = *outcome.oid;
      if (oid == file.held) continue;
      report.sent_bytes += outcome.sent;
      commit +=
          line("lfsFile", {{"path", file.path}, {"algo", "sha256"}, {"oid", oid}, {"size", size}});
    } else {
      JIKJI_ASSIGN(const std::string content, Front(opened, size));
      if (SmallFile(content).oid == file.held) continue;
      report.sent_bytes += content.size();
      commit += line("file",
                     {{"path", file.path}, {"content", Base64Of(content)}, {"encoding", "base64"}});
    }
    ++report.changed;
  }
  if (report.changed == 0) {
    JIKJI_ASSIGN(report.commit, remote.Commit(options.repository, options.branch));
    return report;
  }
  JIKJI_ASSIGN(const json::value done, remote.Call("POST",
                                                   "/api/models/" + options.repository +
                                                       "/commit/" + UrlEscape(options.branch),
                                                   commit, "application/x-ndjson"));
  const json::value* oid = done.is_object() ? done.as_object().if_contains("commitOid") : nullptr;
  if (oid != nullptr && oid->is_string()) report.commit = oid->as_string();
  return report;
}

}  // namespace jikji::hub
