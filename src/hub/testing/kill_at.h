// A piece of work that is killed at one of its system calls, for tests.
#ifndef JIKJI_HUB_TESTING_KILL_AT_H_
#define JIKJI_HUB_TESTING_KILL_AT_H_

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

namespace jikji::hub {

enum class Ended { kKilled, kFinished, kFailed, kNotTraced };

// Runs `work` in a child and kills it at its `step`th stop, before or after a system call.
template <class Work>
Ended KillAt(int step, Work work) {
  const pid_t child = fork();
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(3);
    raise(SIGSTOP);
    _exit(work() ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return Ended::kNotTraced;
  for (int stops = 0;; ++stops) {
    if (stops == step) kill(child, SIGKILL);
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    waitpid(child, &status, 0);
    if (WIFSIGNALED(status)) return Ended::kKilled;
    if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? Ended::kFinished : Ended::kFailed;
  }
}

}  // namespace jikji::hub

#endif  // JIKJI_HUB_TESTING_KILL_AT_H_
