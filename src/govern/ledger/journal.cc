#include "govern/ledger/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <utility>

#include "base/file.h"
#include "govern/tenancy/api_key.h"

namespace jikji {
namespace {

constexpr uint64_t kMagic = 0x316C6E6A696B696A;  // "jikijnl1", with the version
constexpr uint64_t kMultiplier = 0x9E3779B97F4A7C15;
constexpr size_t kServerNameLength = 20;
constexpr size_t kSlotsOfAPage = 4096 / sizeof(Slot);

// Of an admission: enough to recognise a slot of which only a part reached the disk.
uint64_t DigestOf(const Admission& admission) {
  static_assert(sizeof(Admission) % sizeof(uint64_t) == 0);
  static_assert(std::is_trivially_copyable_v<Admission>);
  uint64_t words[sizeof(Admission) / sizeof(uint64_t)];
  std::memcpy(words, &admission, sizeof admission);
  uint64_t digest = kMagic;
  for (const uint64_t word : words) {
    digest = (digest ^ word) * kMultiplier;
    digest ^= digest >> 32;
  }
  return digest;
}

std::unexpected<Error> SystemError(std::string_view what, const std::filesystem::path& path) {
  return Fail(errno == ENOSPC || errno == EFBIG ? ErrorCode::kResourceExhausted : ErrorCode::kIo,
              fmt::format("{}: {}", what, std::strerror(errno)), path.string());
}

// Its slot fields are read from a file: counts that no engine gives are damage.
bool IsSound(const Slot& slot) {
  const Tokens used = slot.Used();
  const Admission& admission = slot.admission;
  return slot.digest == DigestOf(admission) && admission.prompt_tokens >= 0 &&
         admission.max_output_tokens >= 0 && used.input >= 0 && used.cached >= 0 &&
         used.cached <= used.input && used.input <= admission.prompt_tokens && used.output >= 0 &&
         used.output <= admission.max_output_tokens && Cost(admission.prices, used).has_value() &&
         admission.currency[sizeof admission.currency - 1] == 0 &&
         admission.model[sizeof admission.model - 1] == 0;
}

}  // namespace

struct Journal::Segment {
  struct alignas(256) Header {
    uint64_t magic;
    uint64_t slots;
    Segment* owner;  // in this process
  };
  static Segment& Of(Slot& slot) {
    return *reinterpret_cast<Header*>(&slot - slot.index - 1)->owner;
  }

  ~Segment() {
    if (data != nullptr) munmap(data, size);
  }
  Slot& slot(size_t index) const { return slots[index]; }

  std::filesystem::path path;
  void* data = nullptr;
  size_t size = 0;
  Slot* slots = nullptr;
  size_t capacity = 0;
  size_t used = 0;  // slots that were ever allocated
  size_t open = 0;  // slots that are reserved or settled
  std::atomic<bool> dirty{false};
};

struct Journal::SyncState {
  std::mutex mutex;
  std::vector<std::shared_ptr<Segment>> segments;
};

Result<std::unique_ptr<Journal>> Journal::Open(JournalOptions options) {
  std::unique_ptr<Journal> journal(new Journal(std::move(options)));
  journal->sync_ = std::make_shared<SyncState>();
  std::error_code error;
  std::filesystem::create_directories(journal->options_.folder, error);
  if (error) {
    return Fail(ErrorCode::kIo, fmt::format("cannot make the journal: {}", error.message()),
                journal->options_.folder.string());
  }
  JIKJI_RETURN_IF_ERROR(journal->Lock());
  JIKJI_RETURN_IF_ERROR(journal->ReadServer());
  JIKJI_RETURN_IF_ERROR(journal->MapAll());
  return journal;
}

Journal::~Journal() {
  if (lock_ >= 0) close(lock_);
}

Result<> Journal::Lock() {
  const auto path = options_.folder / "lock";
  lock_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (lock_ < 0) return SystemError("cannot open the journal", path);
  if (flock(lock_, LOCK_EX | LOCK_NB) == 0) return {};
  return Fail(ErrorCode::kUnavailable, "another jikji serve has this journal",
              options_.folder.string());
}

Result<> Journal::ReadServer() {
  const auto path = options_.folder / "server";
  if (!std::filesystem::exists(path)) {
    JIKJI_ASSIGN(const std::string name, RandomAlphanumeric(kServerNameLength));
    JIKJI_RETURN_IF_ERROR(WriteFileAtomic(path, name));
  }
  JIKJI_ASSIGN(server_, ReadFile(path, 1'000));
  if (server_.size() != kServerNameLength) {
    return Fail(ErrorCode::kMalformed, "this is no name of a server", path.string());
  }
  return {};
}

Result<> Journal::MapAll() {
  std::vector<std::filesystem::path> paths;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.folder, error)) {
    if (entry.path().extension() == ".slots") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);  // names are numbers of equal length
  for (const auto& path : paths) {
    auto segment = std::make_shared<Segment>();
    segment->path = path;
    const int file = open(path.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0) return SystemError("cannot open a part of the journal", path);
    const off_t size = lseek(file, 0, SEEK_END);
    segment->size = static_cast<size_t>(size);
    if (size >= static_cast<off_t>(sizeof(Segment::Header))) {
      segment->data = mmap(nullptr, segment->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
      if (segment->data == MAP_FAILED) segment->data = nullptr;
    }
    close(file);
    auto* header = static_cast<Segment::Header*>(segment->data);
    // A part that was being made when the process ended has no header yet, and no slot.
    if (header == nullptr || header->magic == 0) {
      std::filesystem::remove(path, error);
      continue;
    }
    if (header->magic != kMagic || header->slots == 0 ||
        header->slots != segment->size / sizeof(Slot) - 1) {
      return Fail(ErrorCode::kMalformed, "this is no part of a journal, or of another version",
                  path.string());
    }
    segment->slots = static_cast<Slot*>(segment->data) + 1;
    segment->capacity = header->slots;
    header->owner = segment.get();
    next_number_ =
        std::max<uint64_t>(next_number_, std::strtoull(path.stem().c_str(), nullptr, 16) + 1);
    for (size_t i = 0; i < segment->capacity; ++i) {
      Slot& slot = segment->slot(i);
      if (slot.State() == SlotState::kFree) continue;
      slot.index = static_cast<uint32_t>(i);
      if (slot.State() != SlotState::kDone && !IsSound(slot)) {
        // Its request died with the machine before it was on the disk.
        ++damaged_;
        slot.state = static_cast<uint32_t>(SlotState::kDone);
      }
      next_ticket_ = std::max(next_ticket_, slot.admission.ticket + 1);
    }
    segments_.push_back(std::move(segment));
  }
  return {};
}

Result<std::shared_ptr<Journal::Segment>> Journal::Make() {
  if (segments_.size() >= options_.max_segments) {
    return Fail(ErrorCode::kUnavailable,
                "too much usage waits to be written to the store: it has been away too long",
                options_.folder.string());
  }
  auto segment = std::make_shared<Segment>();
  segment->path = options_.folder / fmt::format("{:016x}.slots", next_number_);
  segment->capacity = options_.segment_slots;
  segment->size = (segment->capacity + 1) * sizeof(Slot);
  const int file = open(segment->path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return SystemError("cannot make a part of the journal", segment->path);
  // Its blocks are taken now: a full disk is an error here, not a fault at a store later.
  const int refused = posix_fallocate(file, 0, static_cast<off_t>(segment->size));
  if (refused == 0) {
    segment->data = mmap(nullptr, segment->size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (segment->data == MAP_FAILED) segment->data = nullptr;
  }
  const int error = refused != 0 ? refused : errno;
  close(file);
  if (segment->data == nullptr) {
    unlink(segment->path.c_str());
    errno = error;
    return SystemError("cannot make a part of the journal", segment->path);
  }
  segment->slots = static_cast<Slot*>(segment->data) + 1;
  *static_cast<Segment::Header*>(segment->data) = {kMagic, segment->capacity, segment.get()};
  ++next_number_;
  return segment;
}

Result<> Journal::Prepare() {
  if (next_ != nullptr) return {};
  if (!segments_.empty() && segments_.back()->used < segments_.back()->capacity / 2) return {};
  JIKJI_ASSIGN(next_, Make());
  return {};
}

Journal::Ahead Journal::NextSlots() {
  const auto tickets = static_cast<uint64_t>(next_ticket_);
  const uint64_t recent = tickets - std::exchange(seen_tickets_, tickets);
  Ahead ahead;
  if (segments_.empty() || recent == 0) return ahead;
  ahead.segment_ = segments_.back();
  ahead.from_ = ahead.segment_->used;
  ahead.to_ = std::min<uint64_t>(ahead.segment_->capacity, ahead.from_ + 2 * recent);
  return ahead;
}

void Journal::Touch(const Ahead& ahead) {
  // A free slot has no batch, and none is marked but by the thread that calls this.
  for (size_t i = ahead.from_; i < ahead.to_; i += kSlotsOfAPage) {
    ahead.segment_->slot(i).batch.store(0, std::memory_order_relaxed);
  }
}

Result<Slot*> Journal::Allocate(Admission admission) {
  if (segments_.empty() || segments_.back()->used == segments_.back()->capacity) {
    JIKJI_RETURN_IF_ERROR(Prepare());
    const std::lock_guard lock(sync_->mutex);
    segments_.push_back(std::exchange(next_, nullptr));
    sync_->segments.push_back(segments_.back());
  }
  Segment& segment = *segments_.back();
  Slot& slot = segment.slot(segment.used++);
  admission.ticket = next_ticket_++;
  slot.index = static_cast<uint32_t>(segment.used - 1);
  slot.admission = admission;
  slot.digest = DigestOf(admission);
  slot.state.store(static_cast<uint32_t>(SlotState::kReserved), std::memory_order_release);
  segment.dirty.store(true, std::memory_order_relaxed);
  ++segment.open;
  ++unfinished_;
  return &slot;
}

void Journal::Settle(Slot& slot) {
  slot.state.store(static_cast<uint32_t>(SlotState::kSettled), std::memory_order_release);
  Segment::Of(slot).dirty.store(true, std::memory_order_relaxed);
  settled_.push_back(&slot);
}

std::vector<Slot*> Journal::TakeBatch(size_t most) {
  if (!doubtful_.empty()) return std::exchange(doubtful_, {});
  const auto end = settled_.begin() + static_cast<ptrdiff_t>(std::min(most, settled_.size()));
  std::vector<Slot*> slots(settled_.begin(), end);
  settled_.erase(settled_.begin(), end);
  return slots;
}

void Journal::Mark(const std::vector<Slot*>& slots, int64_t batch) {
  for (Slot* slot : slots) slot->batch.store(batch, std::memory_order_release);
}

void Journal::Close(const std::vector<Slot*>& slots) {
  for (Slot* slot : slots) {
    slot->state.store(static_cast<uint32_t>(SlotState::kDone), std::memory_order_release);
  }
}

void Journal::FinishBatch(const std::vector<Slot*>& slots) {
  bool emptied = false;
  for (Slot* slot : slots) emptied |= --Segment::Of(*slot).open == 0;
  unfinished_ -= slots.size();
  if (emptied) RemoveEmpty();
}

// All but the one that is written to.
void Journal::RemoveEmpty() {
  const std::lock_guard lock(sync_->mutex);
  for (size_t i = 0; i < segments_.size();) {
    const auto segment = segments_[i];
    const bool current = i + 1 == segments_.size() && segment->used < segment->capacity;
    if (current || segment->open > 0) {
      ++i;
      continue;
    }
    unlink(segment->path.c_str());
    std::erase(sync_->segments, segment);
    segments_.erase(segments_.begin() + static_cast<ptrdiff_t>(i));
  }
}

size_t Journal::Replay(int64_t last_batch) {
  size_t cut_off = 0;
  for (const auto& segment : segments_) {
    for (size_t i = 0; i < segment->capacity; ++i) {
      Slot& slot = segment->slot(i);
      if (slot.State() == SlotState::kReserved) {
        ++cut_off;
        slot.state = static_cast<uint32_t>(SlotState::kSettled);
      }
      if (slot.State() != SlotState::kSettled) continue;
      const int64_t batch = slot.batch.load();
      if (batch != 0 && batch <= last_batch) {
        slot.state = static_cast<uint32_t>(SlotState::kDone);
        continue;
      }
      ++segment->open;
      ++unfinished_;
      if (batch == 0) {
        settled_.push_back(&slot);
      } else {
        doubtful_.push_back(&slot);
      }
    }
    segment->dirty = true;
    segment->used = segment->capacity;  // this process writes to segments of its own
    sync_->segments.push_back(segment);
  }
  RemoveEmpty();
  return cut_off;
}

Result<> Journal::Sync() {
  std::vector<std::shared_ptr<Segment>> segments;
  {
    const std::lock_guard lock(sync_->mutex);
    segments = sync_->segments;
  }
  for (const auto& segment : segments) {
    if (!segment->dirty.exchange(false)) continue;
    if (msync(segment->data, segment->size, MS_SYNC) != 0) {
      segment->dirty = true;
      return SystemError("cannot write the journal to the disk", segment->path);
    }
  }
  return {};
}

}  // namespace jikji
