// Waiting for SIGINT or SIGTERM on the thread that started everything.
#ifndef JIKJI_APP_SIGNAL_WAIT_H_
#define JIKJI_APP_SIGNAL_WAIT_H_

#include <signal.h>
#include <time.h>

#include <chrono>

namespace jikji {

// Blocks SIGINT and SIGTERM in this thread and those it starts, so that Wait sees them.
class SignalWait {
 public:
  SignalWait() {
    sigemptyset(&set_);
    sigaddset(&set_, SIGINT);
    sigaddset(&set_, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  }
  // True where a signal came in that time.
  bool WaitFor(std::chrono::duration<double> time) const {
    const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
    const timespec limit{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
    return sigtimedwait(&set_, nullptr, &limit) > 0;
  }
  // Returns at the first signal; a second one ends the process at once.
  void Wait() const {
    int signal = 0;
    sigwait(&set_, &signal);
    pthread_sigmask(SIG_UNBLOCK, &set_, nullptr);
  }

 private:
  sigset_t set_;
};

}  // namespace jikji

#endif  // JIKJI_APP_SIGNAL_WAIT_H_
