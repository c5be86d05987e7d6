// What a command says to the person at the terminal: in Korean or English, with progress and
// errors.
#ifndef JIKJI_APP_CONSOLE_H_
#define JIKJI_APP_CONSOLE_H_

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

// True where LC_ALL, LC_MESSAGES or LANG, the first that is set, begins with "ko".
bool SpeaksKorean();

// The text in the person's language.
std::string_view Say(std::string_view english, std::string_view korean);

// A text in both languages; a literal alone stands for both.
struct Bilingual {
  Bilingual(const char* both)
      : english(both), korean(both) {}  // NOLINT(google-explicit-constructor)
  Bilingual(std::string_view in_english, std::string_view in_korean)
      : english(in_english), korean(in_korean) {}
  std::string_view english, korean;
};

// "jikji: where: message" on standard error, headed by the kind of error in Korean where Korean is
// spoken; returns the exit status: 2 for what the person asked, 1 for all else.
int ReportError(const Error& error);

// A line on standard error that shows how far something has come: drawn over itself on a terminal,
// and nothing at all where it takes less than a second or standard error is no terminal.
class Progress {
 public:
  explicit Progress(std::string label);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void Show(double share);  // 0 to 1

 private:
  std::string label_;
  bool terminal_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_;
  std::chrono::steady_clock::time_point last_;
};

}  // namespace jikji

#endif  // JIKJI_APP_CONSOLE_H_
