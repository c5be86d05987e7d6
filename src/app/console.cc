#include "app/console.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace jikji {
namespace {

std::string_view KoreanErrorName(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "잘못된 값";
    case ErrorCode::kMalformed:
      return "형식 오류";
    case ErrorCode::kUnsupported:
      return "지원하지 않음";
    case ErrorCode::kNotFound:
      return "찾을 수 없음";
    case ErrorCode::kUnauthenticated:
      return "인증 필요";
    case ErrorCode::kPermissionDenied:
      return "권한 없음";
    case ErrorCode::kResourceExhausted:
      return "한도 초과";
    case ErrorCode::kUnavailable:
      return "사용할 수 없음";
    case ErrorCode::kCancelled:
      return "취소됨";
    case ErrorCode::kIo:
      return "입출력 오류";
    case ErrorCode::kInternal:
      return "내부 오류";
  }
  return "오류";
}

}  // namespace

bool SpeaksKorean() {
  static const bool korean = [] {
    for (const char* name : {"LC_ALL", "LC_MESSAGES", "LANG"}) {
      const char* value = std::getenv(name);
      if (value != nullptr && *value != '\0') return std::string_view(value).starts_with("ko");
    }
    return false;
  }();
  return korean;
}

std::string_view Say(std::string_view english, std::string_view korean) {
  return SpeaksKorean() ? korean : english;
}

int ReportError(const Error& error) {
  if (SpeaksKorean()) {
    fmt::print(stderr, "jikji: {}: {}\n", KoreanErrorName(error.code), error.ToString());
  } else {
    fmt::print(stderr, "jikji: {}\n", error.ToString());
  }
  return error.code == ErrorCode::kInvalidArgument ? 2 : 1;
}

Progress::Progress(std::string label)
    : label_(std::move(label)),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(std::chrono::steady_clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

void Progress::Show(double share) {
  if (!terminal_) return;
  const auto now = std::chrono::steady_clock::now();
  const std::chrono::duration<double> elapsed = now - start_;
  if (elapsed.count() < 1 || now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  share = std::clamp(share, 0.0, 1.0);
  fmt::print(stderr, "\r{} {:3.0f} %", label_, 100 * share);
  if (share > 0.02) {
    fmt::print(stderr, fmt::runtime(Say(", {:.0f} s left", ", {:.0f}초 남음")),
               elapsed.count() * (1 - share) / share);
  }
  fmt::print(stderr, "\033[K");
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace jikji
