#include "store/sha256_in_step.h"

#include <algorithm>
#include <mutex>
#include <string>

#include "store/sha256_lane.h"

namespace jikji {
namespace {

// What a connection reads before others have their turn (net/connection.cc), and small enough for a
// core's cache.
constexpr size_t kWaitingBytes = 256u << 10;

}  // namespace

// What one thread's streams meet at.
struct Sha256InStep::Turn {
  std::mutex mutex;  // a stream may end on another thread
  State* waiting = nullptr;
  size_t streams = 0;
};

struct Sha256InStep::State {
  // Under the turn's mutex.
  void Take(std::string_view piece);
  void HashWaiting();
  // The others wait for it no more.
  void Leave();
  std::string_view Waiting() const { return std::string_view(kept).substr(hashed); }

  Sha256Lane lane;
  std::shared_ptr<Turn> turn;  // from the first byte on
  std::string kept;            // waits for another's piece, from `hashed` on
  size_t hashed = 0;
};

void Sha256InStep::State::HashWaiting() {
  if (turn->waiting != this) return;
  turn->waiting = nullptr;
  lane.Update(Waiting());
}

void Sha256InStep::State::Take(std::string_view piece) {
  while (!piece.empty()) {
    State* const other = turn->waiting;
    if (turn->streams == 1) {
      HashWaiting();
      return lane.Update(piece);
    }
    if (other == nullptr || other == this) {
      if (other == nullptr) {
        kept.clear();
        hashed = 0;
        turn->waiting = this;
      }
      const std::string_view front = piece.substr(0, kWaitingBytes - kept.size());
      kept.append(front);
      piece.remove_prefix(front.size());
      if (!piece.empty()) HashWaiting();  // nobody came
      continue;
    }
    const std::string_view beside = other->Waiting();
    const size_t count = std::min(piece.size(), beside.size());
    Sha256Lane::UpdateBoth(lane, piece.substr(0, count), other->lane, beside.substr(0, count));
    piece.remove_prefix(count);
    other->hashed += count;
    if (count == beside.size()) turn->waiting = nullptr;
  }
}

void Sha256InStep::State::Leave() {
  if (turn == nullptr) return;
  {
    const std::lock_guard lock(turn->mutex);
    HashWaiting();
    --turn->streams;
  }
  turn.reset();
}

Sha256InStep::Sha256InStep() : state_(std::make_unique<State>()) {}
Sha256InStep::Sha256InStep(Sha256InStep&&) noexcept = default;

Sha256InStep::~Sha256InStep() {
  if (state_ != nullptr) state_->Leave();
}

void Sha256InStep::Update(std::string_view piece) {
  if (state_->turn == nullptr) {
    thread_local const std::shared_ptr<Turn> of_thread = std::make_shared<Turn>();
    state_->turn = of_thread;
    const std::lock_guard lock(state_->turn->mutex);
    ++state_->turn->streams;
  }
  const std::lock_guard lock(state_->turn->mutex);
  state_->Take(piece);
}

Digest Sha256InStep::Finish() {
  state_->Leave();
  return state_->lane.Finish();
}

}  // namespace jikji
