#include "govern/audit/log.h"

#include <fmt/format.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/file.h"
#include "base/log.h"
#include "govern/audit/append_file.h"
#include "govern/audit/checker.h"
#include "govern/audit/frame.h"

namespace jikji::audit {
namespace {

// How long a disk that refused is left alone.
constexpr std::chrono::milliseconds kRetry{100};
// How long records gather before they are written. Two syncs and a signature for every record would
// keep a core and the disk busy, and take them from the requests.
constexpr std::chrono::milliseconds kGather{10};

// The tenant of records about the log itself.
constexpr std::string_view kLogTenant = "";

uint64_t UtcNanoseconds() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

}  // namespace

LogFiles FilesOf(const std::filesystem::path& folder) {
  return {folder / "records", folder / "heads", folder / "signing.key", folder / "signing.pub",
          folder / "keys"};
}

Result<std::vector<SignedHead>> ReadHeads(std::string_view file, const std::string& where,
                                          uint64_t& end) {
  std::vector<SignedHead> heads;
  size_t at = 0;
  while (at < file.size()) {
    const Frame frame = ReadFrame(file, at);
    if (frame.state == FrameState::kTorn) break;
    if (frame.state == FrameState::kBroken) {
      return Fail(ErrorCode::kMalformed, "a signed head is damaged: its checksum differs",
                  fmt::format("{}:{}", where, at));
    }
    JIKJI_ASSIGN(heads.emplace_back(), DecodeHead(frame.payload));
    at += frame.size;
  }
  end = at;
  return heads;
}

struct AuditLog::State {
  explicit State(const LogFiles& files) : keys(files.keys) {}

  Result<Position> Append(RecordView record);
  void WriteLoop();
  Result<SignedHead> Write(std::string_view bytes, uint64_t size, const Hash& root);

  LogOptions options;
  AppendFile records, heads;
  std::optional<Signer> signer;
  TenantKeys keys;

  mutable std::mutex mutex;  // over what follows
  std::condition_variable work, done;
  MerkleTree tree;
  Chains chains;
  std::string pending;
  SignedHead head;
  std::optional<Error> failure;  // of the last attempt to write
  size_t waiting = 0;            // callers who wait for the disk: nothing gathers meanwhile
  bool stop = false;
  std::thread writer;
};

Result<std::unique_ptr<AuditLog>> AuditLog::Open(const std::filesystem::path& folder,
                                                 const LogOptions& options) {
  std::error_code failed;
  std::filesystem::create_directories(folder, failed);
  if (failed) return Fail(ErrorCode::kIo, failed.message(), folder.string());
  const LogFiles files = FilesOf(folder);
  auto state = std::make_unique<State>(files);
  state->options = options;
  JIKJI_ASSIGN(state->records, AppendFile::Open(files.records));
  JIKJI_ASSIGN(state->heads, AppendFile::Open(files.heads));
  JIKJI_ASSIGN(state->signer, Signer::LoadOrCreate(files.signing_key));
  JIKJI_ASSIGN(const std::string pem, state->signer->verify_key().ToPem());
  if (const auto known = ReadFile(files.public_key); !known || *known != pem) {
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(files.public_key, pem));
  }

  JIKJI_ASSIGN(const MappedFile head_file, MappedFile::Open(files.heads));
  JIKJI_ASSIGN(const MappedFile record_file, MappedFile::Open(files.records));
  const auto text = [](const MappedFile& file) {
    return std::string_view(reinterpret_cast<const char*>(file.bytes().data()),
                            file.bytes().size());
  };
  uint64_t heads_end = 0;
  JIKJI_ASSIGN(const auto heads, ReadHeads(text(head_file), files.heads.string(), heads_end));
  JIKJI_RETURN_IF_ERROR(state->heads.Resize(heads_end));
  LogChecker checker(heads);
  checker.Check(text(record_file));
  if (!heads.empty()) state->head = heads.back();
  const uint64_t size = text(record_file).size();
  for (const Fault& fault : checker.faults()) {
    // What is past the last head may be lost to a crash; all else is no crash.
    const bool tail = fault.first >= state->head.size && fault.offset == checker.end() &&
                      (fault.kind == FaultKind::kTornTail || fault.kind == FaultKind::kDamaged);
    if (!tail) {
      return Fail(ErrorCode::kMalformed,
                  fmt::format("the audit log was changed ({}, record {}: {}); keep it as it is and "
                              "run `jikji audit verify`",
                              FaultName(fault.kind), fault.first, fault.detail),
                  fmt::format("{}:{}", files.records.string(), fault.offset));
    }
  }
  JIKJI_RETURN_IF_ERROR(state->records.Resize(checker.end()));
  state->tree = checker.tree();
  state->chains = checker.chains();
  auto log = std::unique_ptr<AuditLog>(new AuditLog(std::move(state)));
  if (checker.end() < size) {
    Record record;
    record.tenant = kLogTenant;
    record.event = "log.recovered";
    record.fields.push_back({"dropped_bytes", std::to_string(size - checker.end())});
    JIKJI_RETURN_IF_ERROR(log->Append(record));
    Log(LogLevel::kWarning,
        fmt::format("audit log: {} bytes of a torn last write were cut off", size - checker.end()));
  }
  return log;
}

AuditLog::AuditLog(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->writer = std::thread([state = state_.get()] { state->WriteLoop(); });
}

AuditLog::~AuditLog() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stop = true;
  }
  state_->work.notify_all();
  state_->writer.join();
}

Result<Position> AuditLog::Append(RecordView record) { return state_->Append(record); }

Result<Position> AuditLog::Append(const Record& record) {
  const std::vector<FieldView> fields = ViewsOf(record.fields);
  return state_->Append(
      {.time = record.time, .tenant = record.tenant, .event = record.event, .fields = fields});
}

Result<Position> AuditLog::State::Append(RecordView record) {
  JIKJI_RETURN_IF_ERROR(CheckRecord(record));
  if (record.time == 0) record.time = UtcNanoseconds();
  bool idle = false;
  Position position;
  {
    const std::lock_guard lock(mutex);
    if (failure) return std::unexpected(*failure);
    if (pending.size() > options.max_pending) {
      return Fail(ErrorCode::kUnavailable, "the audit log cannot keep up with its disk");
    }
    auto chain = chains.find(record.tenant);
    if (chain == chains.end()) chain = chains.emplace(std::string(record.tenant), ChainEnd{}).first;
    ChainEnd& end = chain->second;
    record.index = tree.size();
    record.tenant_index = end.count;
    record.previous = end.last;
    idle = pending.empty();
    const size_t frame = OpenFrame(pending);
    EncodeRecord(record, pending);
    SealFrame(frame, pending);
    position.index = record.index;
    position.leaf = LeafHash(std::string_view(pending).substr(frame + kFrameHead));
    tree.Append(position.leaf);
    end = {.count = end.count + 1, .last_index = record.index, .last = position.leaf};
  }
  if (idle) work.notify_one();
  return position;
}

void AuditLog::State::WriteLoop() {
  std::unique_lock lock(mutex);
  while (true) {
    work.wait(lock, [this] { return stop || !pending.empty(); });
    if (pending.empty()) return;
    work.wait_for(lock, kGather, [this] { return stop || waiting > 0; });
    std::string bytes;
    bytes.swap(pending);
    const uint64_t size = tree.size();
    const Hash root = tree.Root();
    lock.unlock();
    auto written = Write(bytes, size, root);
    lock.lock();
    if (written) {
      head = *written;
      failure.reset();
      done.notify_all();
      continue;
    }
    if (!failure) Log(LogLevel::kError, "audit log: " + written.error().ToString());
    failure = written.error();
    bytes += pending;
    pending = std::move(bytes);
    done.notify_all();
    if (stop) return;
    work.wait_for(lock, kRetry, [this] { return stop; });
  }
}

Result<SignedHead> AuditLog::State::Write(std::string_view bytes, uint64_t size, const Hash& root) {
  const uint64_t before = records.size();
  JIKJI_RETURN_IF_ERROR(records.Append(bytes));
  SignedHead signed_head{.size = size, .time = UtcNanoseconds(), .root = root};
  std::string frame;
  const auto add_head = [&]() -> Result<> {
    JIKJI_ASSIGN(signed_head.signature, signer->Sign(HeadMessage(signed_head)));
    const size_t place = OpenFrame(frame);
    EncodeHead(signed_head, frame);
    SealFrame(place, frame);
    return heads.Append(frame);
  };
  if (Result<> added = add_head(); !added) {
    // The records are written again with the next attempt.
    JIKJI_RETURN_IF_ERROR(records.Resize(before));
    return std::unexpected(added.error());
  }
  return signed_head;
}

Result<> AuditLog::WaitDurable(uint64_t index) {
  std::unique_lock lock(state_->mutex);
  ++state_->waiting;
  state_->work.notify_one();
  state_->done.wait(lock, [&] { return state_->head.size > index || state_->failure; });
  --state_->waiting;
  if (state_->head.size > index) return {};
  return std::unexpected(*state_->failure);
}

SignedHead AuditLog::head() const {
  const std::lock_guard lock(state_->mutex);
  return state_->head;
}

TenantKeys& AuditLog::keys() { return state_->keys; }

}  // namespace jikji::audit
