#include "govern/tenancy/grade.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace jikji {
namespace {

constexpr std::string_view kNames[] = {"O", "S", "C"};

}  // namespace

std::string_view GradeName(Grade grade) { return kNames[static_cast<size_t>(grade)]; }

Result<Grade> ParseGrade(std::string_view name) {
  const auto found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) {
    return Fail(ErrorCode::kInvalidArgument, fmt::format("`{}` is none of C, S and O", name),
                "grade");
  }
  return static_cast<Grade>(found - std::begin(kNames));
}

std::string WhyNot(const GradePath& path) {
  const auto uncleared = [&](std::string_view what, Grade clearance) {
    return fmt::format("{} is cleared for data of grade {}, and this key carries {}", what,
                       GradeName(clearance), GradeName(path.data));
  };
  if (path.data > path.organisation) return uncleared("the organisation", path.organisation);
  if (path.data > path.model.clearance) return uncleared("the model", path.model.clearance);
  if (path.data > path.log) return uncleared("the audit log", path.log);
  if (path.model.content > path.data) {
    return fmt::format("the model holds data of grade {}, and this key is of grade {}",
                       GradeName(path.model.content), GradeName(path.data));
  }
  return {};
}

}  // namespace jikji
