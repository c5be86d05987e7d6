// Grades of data, as the national network security framework (N2SF) has them: C classified, S
// sensitive, O open.
//
// They are ordered, and data flows up or level, never down: a key carries data of its grade, so
// its organisation, the model and the audit log must be cleared for that grade; and a model that
// was trained on data of a grade speaks only to keys of that grade or above.
#ifndef JIKJI_GOVERN_TENANCY_GRADE_H_
#define JIKJI_GOVERN_TENANCY_GRADE_H_

#include <string>
#include <string_view>

#include "base/error.h"

namespace jikji {

enum class Grade { kOpen, kSensitive, kClassified };

std::string_view GradeName(Grade grade);  // "O", "S", "C"
Result<Grade> ParseGrade(std::string_view name);

struct ModelGrade {
  Grade clearance = Grade::kOpen;  // the highest data it may be sent
  Grade content = Grade::kOpen;    // the highest data that went into it
};

// Why data of a grade may not go where it would; empty where it may.
struct GradePath {
  Grade data = Grade::kOpen;  // the key's
  Grade organisation = Grade::kOpen;
  ModelGrade model;
  Grade log = Grade::kClassified;
};
std::string WhyNot(const GradePath& path);

}  // namespace jikji

#endif  // JIKJI_GOVERN_TENANCY_GRADE_H_
