#include "app/stop_signals.h"

#include <csignal>

namespace jikji {
namespace {

std::atomic<bool> wanted = false;
static_assert(std::atomic<bool>::is_always_lock_free);  // a handler may touch it

constexpr int kSignals[] = {SIGINT, SIGTERM};

void Set(void (*handler)(int), int flags) {
  struct sigaction action = {};
  action.sa_handler = handler;
  action.sa_flags = flags;
  for (const int number : kSignals) sigaction(number, &action, nullptr);
}

}  // namespace

StopSignals::StopSignals() {
  wanted = false;
  Set([](int) { wanted = true; }, SA_RESETHAND | SA_RESTART);
}

StopSignals::~StopSignals() { Set(SIG_DFL, 0); }

const std::atomic<bool>& StopSignals::stop() const { return wanted; }

}  // namespace jikji
