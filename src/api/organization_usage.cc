// /v1/organization/usage/completions and /v1/organization/costs, in OpenAI's shapes.
//
// Amounts are written as decimal digits straight from whole nano-units; no number is ever floating
// point on the way.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "api/handlers.h"
#include "api/json_text.h"
#include "api/query.h"
#include "govern/ledger/usage.h"

namespace jikji {
namespace {

constexpr int64_t kLatest = int64_t{1} << 40;

struct Width {
  std::string_view name;
  int64_t seconds;
  int64_t buckets, most;  // by default, and at most, as OpenAI has them
};
constexpr Width kWidths[] = {{"1m", 60, 60, 1440}, {"1h", 3'600, 24, 168}, {"1d", 86'400, 7, 31}};

struct Question {
  UsageQuery rows;
  const Width* width = nullptr;
  bool by_project = false, by_key = false, by_model = false;
  bool more = false;
};

ApiResult<Question> Ask(const Call& call, std::string_view default_width) {
  const Query query(call.request.query);
  Question question;
  const std::string width = query.Find("bucket_width").value_or(std::string(default_width));
  for (const Width& known : kWidths) {
    if (known.name == width) question.width = &known;
  }
  if (question.width == nullptr) return BadField("bucket_width", "is one of 1m, 1h and 1d");
  for (const std::string& by : query.All("group_by")) {
    bool* const chosen = by == "project_id"                   ? &question.by_project
                         : by == "api_key_id"                 ? &question.by_key
                         : by == "model" || by == "line_item" ? &question.by_model
                                                              : nullptr;
    if (chosen == nullptr) {
      return BadField("group_by", "is one of project_id, api_key_id and model");
    }
    *chosen = true;
  }
  JIKJI_ASSIGN(auto start, query.Int("start_time", 0, kLatest));
  if (!start) return BadField("start_time", "is missing");
  JIKJI_ASSIGN(const auto page, query.Int("page", *start, kLatest));
  if (page) start = page;
  JIKJI_ASSIGN(const auto end, query.Int("end_time", *start, kLatest));
  JIKJI_ASSIGN(const auto limit, query.Int("limit", 1, question.width->most));
  const int64_t width_seconds = question.width->seconds;
  question.rows.from = *start / width_seconds * width_seconds;
  // By the clock that usage is stamped with.
  const int64_t now = call.context->options.governor->clock().WallSeconds();
  const int64_t whole = end.value_or(now + 1);
  question.rows.until =
      std::min(whole, question.rows.from + limit.value_or(question.width->buckets) * width_seconds);
  question.more = question.rows.until < whole;
  const ApiKey& key = call.caller->key();
  question.rows.organisation = key.organisation;
  question.rows.project = key.project;  // a viewer's; others see the organisation
  return question;
}

// Project, key, model, currency: 0 and "" where it is not grouped by.
using Group = std::tuple<int64_t, int64_t, std::string, std::string>;
using Buckets = std::map<int64_t, std::map<Group, UsageRow>>;

Result<Buckets> Gather(const Call& call, const Question& question, bool by_currency) {
  Buckets buckets;
  Result<> fits;
  const auto take = [&](const UsageRow& row) {
    const int64_t start = row.minute / question.width->seconds * question.width->seconds;
    UsageRow& sum =
        buckets[start][{question.by_project ? row.project : 0, question.by_key ? row.key : 0,
                        question.by_model ? row.model : "", by_currency ? row.currency : ""}];
    sum.requests += row.requests;
    sum.tokens.input += row.tokens.input;
    sum.tokens.cached += row.tokens.cached;
    sum.tokens.output += row.tokens.output;
    if (by_currency && __builtin_add_overflow(sum.cost, row.cost, &sum.cost)) {
      fits = Fail(ErrorCode::kResourceExhausted, "the sum is beyond what is counted");
    }
  };
  JIKJI_RETURN_IF_ERROR(call.context->options.governor->WithDatabase(
      [&](Database& database) { return ReadUsage(database, question.rows, take); }));
  JIKJI_RETURN_IF_ERROR(fits);
  return buckets;
}

void AppendId(std::string_view name, std::string_view start, int64_t id, std::string& out) {
  out += id == 0 ? fmt::format(R"(,"{}":null)", name)
                 : fmt::format(R"(,"{}":"{}{}")", name, start, id);
}

void AppendName(std::string_view name, const std::string& text, std::string& out) {
  out += fmt::format(R"(,"{}":)", name);
  if (text.empty()) {
    out += "null";
  } else {
    AppendJsonString(text, out);
  }
}

void AppendUsage(const Group& group, const UsageRow& sum, std::string& out) {
  out += fmt::format(R"({{"object":"organization.usage.completions.result","input_tokens":{},)"
                     R"("output_tokens":{},"input_cached_tokens":{},"num_model_requests":{})",
                     sum.tokens.input, sum.tokens.output, sum.tokens.cached, sum.requests);
  AppendId("project_id", "proj_", std::get<0>(group), out);
  AppendId("api_key_id", "key_", std::get<1>(group), out);
  AppendName("model", std::get<2>(group), out);
  out += R"(,"user_id":null,"batch":null,"service_tier":null})";
}

void AppendCost(const Group& group, const UsageRow& sum, std::string& out) {
  const std::string& currency = std::get<3>(group);
  out += fmt::format(R"({{"object":"organization.costs.result","amount":{{"value":{},"currency":)",
                     FormatMoney(sum.cost));
  AppendJsonString(currency == "KRW" ? "krw" : "usd", out);
  out += '}';
  AppendName("line_item", std::get<2>(group), out);
  AppendId("project_id", "proj_", std::get<0>(group), out);
  AppendId("api_key_id", "key_", std::get<1>(group), out);
  out += '}';
}

void Answer(Call& call, std::string_view default_width, bool costs) {
  if (call.context->options.governor == nullptr) {
    return call.reply.SendError(
        ErrorOfStatus(404, "there is nothing here: the server was started without --store"));
  }
  const auto question = Ask(call, default_width);
  if (!question) return call.reply.SendError(question.error());
  const auto buckets = Gather(call, *question, costs);
  if (!buckets) return call.reply.SendError(ApiError(buckets.error()));
  std::string out = R"({"object":"page","data":[)";
  const std::map<Group, UsageRow> nothing;
  for (int64_t start = question->rows.from; start < question->rows.until;
       start += question->width->seconds) {
    if (out.back() != '[') out += ',';
    out += fmt::format(R"({{"object":"bucket","start_time":{},"end_time":{},"results":[)", start,
                       start + question->width->seconds);
    const auto found = buckets->find(start);
    for (const auto& [group, sum] : found == buckets->end() ? nothing : found->second) {
      if (out.back() != '[') out += ',';
      costs ? AppendCost(group, sum, out) : AppendUsage(group, sum, out);
    }
    out += "]}";
  }
  out += question->more
             ? fmt::format(R"(],"has_more":true,"next_page":"{}"}})", question->rows.until)
             : R"(],"has_more":false,"next_page":null})";
  call.reply.SendJson(std::move(out));
}

}  // namespace

void OrganizationUsage(Call& call) { Answer(call, "1d", false); }

void OrganizationCosts(Call& call) { Answer(call, "1d", true); }

}  // namespace jikji
