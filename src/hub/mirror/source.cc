#include "hub/mirror/source.h"

#include <chrono>
#include <cstdio>

#include "base/json.h"
#include "hub/http/call.h"
#include "hub/names.h"
#include "store/digest.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

std::string Api(const std::string& repository) { return "/api/models/" + repository; }

Result<> AddRefs(const json::object& answer, const char* list, const char* kind,
                 std::vector<Ref>& out) {
  JIKJI_ASSIGN(const json::array* refs, OptionalArray(answer, list));
  for (const json::value& value : refs == nullptr ? json::array() : *refs) {
    if (!value.is_object()) continue;
    JIKJI_ASSIGN(const auto name, OptionalString(value.get_object(), "name"));
    JIKJI_ASSIGN(const auto target, OptionalString(value.get_object(), "targetCommit"));
    if (!name || !target || !IsHex(*target, 40) || !CheckRefName(*name)) {
      return Fail(ErrorCode::kMalformed, "the source names a branch or tag that cannot be",
                  name.value_or(""));
    }
    out.push_back({kind, *name, *target, ""});
  }
  return {};
}

// "2026-11-25T01:02:03.000Z"; 0 where it is something else.
int64_t SecondsOf(const std::string& date) {
  int year = 0;
  unsigned month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(date.c_str(), "%4d-%2u-%2uT%2u:%2u:%2u", &year, &month, &day, &hour, &minute,
                  &second) != 6) {
    return 0;
  }
  const std::chrono::year_month_day calendar{std::chrono::year(year), std::chrono::month(month),
                                             std::chrono::day(day)};
  if (!calendar.ok() || hour > 23 || minute > 59 || second > 60) return 0;
  const auto days = std::chrono::sys_days(calendar).time_since_epoch();
  return std::chrono::seconds(days).count() + hour * 3600 + minute * 60 + second;
}

// One line, as a commit's title and author are.
std::string LineOf(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r' || c == '\0' || c == '<' || c == '>') c = ' ';
  }
  return text;
}

}  // namespace

Result<std::vector<Ref>> RefsAt(Remote& source, const std::string& repository) {
  JIKJI_ASSIGN(const json::value answer, source.Call("GET", Api(repository) + "/refs", "", ""));
  if (!answer.is_object()) return Fail(ErrorCode::kMalformed, "refs are an object", repository);
  std::vector<Ref> out;
  JIKJI_RETURN_IF_ERROR(AddRefs(answer.get_object(), "branches", "branch", out));
  JIKJI_RETURN_IF_ERROR(AddRefs(answer.get_object(), "tags", "tag", out));
  return out;
}

Result<Commit> CommitAt(Remote& source, const std::string& repository, const std::string& oid) {
  JIKJI_ASSIGN(const json::value answer,
               source.Call("GET", Api(repository) + "/commits/" + oid + "?limit=2", "", ""));
  Commit out;
  out.oid = oid;
  const json::array* line = answer.if_array();
  if (line == nullptr || line->empty() || !line->front().is_object()) {
    return Fail(ErrorCode::kMalformed, "the source tells nothing of the commit", oid);
  }
  const json::object& told = line->front().get_object();
  JIKJI_ASSIGN(const auto title, OptionalString(told, "title"));
  JIKJI_ASSIGN(const auto message, OptionalString(told, "message"));
  JIKJI_ASSIGN(const auto date, OptionalString(told, "date"));
  out.title = LineOf(title.value_or(""));
  out.message = message.value_or("");
  out.created_at = SecondsOf(date.value_or(""));
  JIKJI_ASSIGN(const json::array* authors, OptionalArray(told, "authors"));
  if (authors != nullptr && !authors->empty() && authors->front().is_object()) {
    JIKJI_ASSIGN(const auto user, OptionalString(authors->front().get_object(), "user"));
    out.author = LineOf(user.value_or(""));
  }
  if (line->size() > 1 && (*line)[1].is_object()) {
    JIKJI_ASSIGN(const auto parent, OptionalString((*line)[1].get_object(), "id"));
    if (parent && IsHex(*parent, 40)) out.parent = *parent;
  }
  return out;
}

Result<bool> IsClosedAt(Remote& source, const std::string& repository) {
  JIKJI_ASSIGN(const json::value answer, source.Call("GET", Api(repository), "", ""));
  if (!answer.is_object()) return Fail(ErrorCode::kMalformed, "a model is an object", repository);
  JIKJI_ASSIGN(const auto is_private, OptionalBool(answer.get_object(), "private"));
  const json::value* gated = answer.get_object().if_contains("gated");
  const bool open_gate = gated == nullptr || gated->is_null() || *gated == json::value(false);
  return is_private.value_or(false) || !open_gate;
}

}  // namespace jikji::hub
