#include "app/fleet/program_run.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

extern char** environ;

namespace jikji {
namespace {

// More than any list of jobs; what is beyond is cut.
constexpr off_t kMostOutput = 64 << 20;

// A file without a name for one of the program's streams: a pipe that nobody reads would stop it.
class Stream {
 public:
  Stream() : file_(memfd_create("jikji", MFD_CLOEXEC)) {}
  ~Stream() {
    if (file_ >= 0) close(file_);
  }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int file() const { return file_; }
  bool Fill(std::string_view text) {
    while (!text.empty()) {
      const ssize_t count = write(file_, text.data(), text.size());
      if (count < 0) return false;
      text.remove_prefix(static_cast<size_t>(count));
    }
    return lseek(file_, 0, SEEK_SET) == 0;
  }
  std::string Text() const {
    const off_t size = std::min(lseek(file_, 0, SEEK_END), kMostOutput);
    std::string text(static_cast<size_t>(std::max<off_t>(0, size)), '\0');
    const ssize_t count = pread(file_, text.data(), text.size(), 0);
    text.resize(static_cast<size_t>(std::max<ssize_t>(0, count)));
    return text;
  }

 private:
  int file_;
};

std::string Trimmed(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  return text;
}

}  // namespace

Result<std::string> RunProgram(std::vector<std::string> words, std::string_view input) {
  Stream in, out, errors;
  if (in.file() < 0 || out.file() < 0 || errors.file() < 0 || !in.Fill(input)) {
    return Fail(ErrorCode::kIo, std::strerror(errno), words.front());
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in.file(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out.file(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors.file(), STDERR_FILENO);
  // This program's threads block SIGTERM to wait for it; the other one must hear it.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = -1;
  const int failed =
      posix_spawnp(&child, words.front().c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) {
    return Fail(failed == ENOENT ? ErrorCode::kNotFound : ErrorCode::kIo,
                fmt::format("cannot run it: {}", std::strerror(failed)), words.front());
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return out.Text();
  std::string why = Trimmed(errors.Text());
  if (why.empty()) why = fmt::format("ended with status {}", status);
  return Fail(ErrorCode::kUnavailable, std::move(why), words.front());
}

}  // namespace jikji
