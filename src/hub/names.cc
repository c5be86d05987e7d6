#include "hub/names.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "store/digest.h"

namespace jikji::hub {
namespace {

constexpr size_t kMaxNamePart = 96;  // the cap of the public hub
constexpr size_t kMaxRefName = 250;
constexpr size_t kMaxPathPart = 255;  // of file systems
constexpr size_t kMaxPath = 1024;

constexpr std::array<std::string_view, 16> kReservedOwners = {
    "api",     "datasets", "health", "login",    "metrics",    "models", "resolve", "router",
    "sign-in", "sign-out", "spaces", "tokenize", "detokenize", "v1",     "v2",      "docs"};

bool IsWordChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

bool IsEdge(char c) { return c == '-' || c == '.'; }

bool IsNamePart(std::string_view part) {
  return !part.empty() && part.size() <= kMaxNamePart && std::ranges::all_of(part, IsWordChar) &&
         !IsEdge(part.front()) && !IsEdge(part.back()) &&
         part.find("--") == std::string_view::npos && part.find("..") == std::string_view::npos &&
         !part.ends_with(".git");
}

bool HasControl(std::string_view text) {
  return std::ranges::any_of(text, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F;
  });
}

// Calls `check` on each part between slashes; false where one fails.
template <class Check>
bool EachPart(std::string_view path, Check check) {
  for (;;) {
    const size_t slash = path.find('/');
    if (!check(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<> CheckRepositoryName(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash != std::string_view::npos && IsNamePart(name.substr(0, slash)) &&
      IsNamePart(name.substr(slash + 1))) {
    return {};
  }
  return Fail(ErrorCode::kInvalidArgument,
              "a repository is called OWNER/NAME, of letters, digits, `-`, `_` and `.`, at most 96 "
              "each, without `--` or `..`, and without `-` or `.` at an end");
}

Result<> CheckNewRepositoryName(std::string_view name) {
  JIKJI_RETURN_IF_ERROR(CheckRepositoryName(name));
  if (std::ranges::find(kReservedOwners, Folded(OwnerOf(name))) == kReservedOwners.end()) return {};
  return Fail(ErrorCode::kInvalidArgument,
              "addresses of the hub begin with this word, so it can be nobody's name",
              std::string(OwnerOf(name)));
}

std::string_view OwnerOf(std::string_view name) { return name.substr(0, name.find('/')); }

Result<> CheckRefName(std::string_view name) {
  const auto part_ok = [](std::string_view part) {
    return !part.empty() && !part.starts_with('.') && !part.ends_with('.') &&
           !part.ends_with(".lock");
  };
  if (!name.empty() && name.size() <= kMaxRefName && IsValidUtf8(name) && !HasControl(name) &&
      name.find_first_of(" ~^:?*[\\") == std::string_view::npos &&
      name.find("..") == std::string_view::npos && name.find("@{") == std::string_view::npos &&
      name != "@" && !IsHex(name, 40) && !name.starts_with("refs/") && EachPart(name, part_ok)) {
    return {};
  }
  return Fail(ErrorCode::kInvalidArgument,
              "not a name for a branch or tag: no spaces, `..`, `~^:?*[\\`, empty parts, `refs/` "
              "at its start, nor 40 hexadecimal digits");
}

Result<> CheckFilePath(std::string_view path) {
  const auto part_ok = [](std::string_view part) {
    return !part.empty() && part.size() <= kMaxPathPart && part != "." && part != ".." &&
           Folded(part) != ".git";
  };
  if (!path.empty() && path.size() <= kMaxPath && IsValidUtf8(path) && !HasControl(path) &&
      path.find_first_of("\\:") == std::string_view::npos && EachPart(path, part_ok)) {
    return {};
  }
  return Fail(ErrorCode::kInvalidArgument,
              "not a path of a file here: relative, UTF-8, without `.`, `..`, `.git` or empty "
              "parts, backslashes, colons or control characters; at most 255 bytes a part, 1,024 "
              "in all",
              IsValidUtf8(path) && !HasControl(path) ? std::string(path) : std::string());
}

std::string Folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

}  // namespace jikji::hub
