// Duties of the law as dated data, and which facts of a running site speak for each.
//
// Data, since the law changes faster than programs do: docs/compliance.md. Non-goals: legal advice;
// a duty without a fact is not judged here.
#ifndef JIKJI_GOVERN_COMPLIANCE_DUTY_H_
#define JIKJI_GOVERN_COMPLIANCE_DUTY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace jikji::compliance {

// Of a duty, the worst of its facts: kOpen is for people to settle.
enum class State { kMet, kPartly, kOpen };
std::string_view StateName(State state);  // "met", "partly", "open"

struct Fact {
  std::string id;
  State state = State::kOpen;
  std::string evidence;  // the setting or the record that shows it
};

struct Duty {
  std::string id, law, law_ko, article, text, text_ko;
  int64_t from = 0;  // seconds since 1970 UTC: the day in Korea from which it counts
  std::vector<std::string> facts;
};

// `where` names the text in errors. Every key must be there; ids come once.
Result<std::vector<Duty>> ReadDuties(std::string_view toml, std::string_view where);

struct Finding {
  Duty duty;
  bool in_force = false;
  State state = State::kOpen;
  std::vector<Fact> facts;  // one that nobody gathered is open
};
std::vector<Finding> Judge(const std::vector<Duty>& duties, const std::vector<Fact>& facts,
                           int64_t now);

}  // namespace jikji::compliance

#endif  // JIKJI_GOVERN_COMPLIANCE_DUTY_H_
