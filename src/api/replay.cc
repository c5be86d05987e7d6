#include "api/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <condition_variable>
#include <mutex>

#include "api/content_guard.h"
#include "api/generation_jobs.h"
#include "api/request_id.h"
#include "base/json.h"

namespace jikji {
namespace {

using boost::json::object;
using boost::json::value;

constexpr int64_t kVersion = 1;

std::unexpected<Error> Unlike(std::string_view what, std::string_view receipt,
                              std::string_view here) {
  return Fail(
      ErrorCode::kInvalidArgument,
      fmt::format("the receipt is of another {}: `{}` there, `{}` here", what, receipt, here));
}

Result<std::string> Text(const object& from, std::string_view name) {
  JIKJI_ASSIGN(const auto text, OptionalString(from, name));
  if (text) return *text;
  return Fail(ErrorCode::kMalformed, fmt::format("the receipt has no `{}`", name));
}

Result<const boost::json::array*> List(const object& from, std::string_view name) {
  const value* found = from.if_contains(name);
  if (found != nullptr && found->is_array()) return &found->get_array();
  return Fail(ErrorCode::kMalformed, fmt::format("the receipt has no list `{}`", name));
}

// The number of the receipt's adapter here, or kBaseModel.
Result<int32_t> FindAdapter(const ApiContext& context, const object& receipt) {
  JIKJI_ASSIGN(const auto name, OptionalString(receipt, "adapter"));
  if (!name) return kBaseModel;
  const auto served = context.ResolveModel(*name);
  if (!served || served->adapter == kBaseModel) {
    return Fail(ErrorCode::kNotFound,
                fmt::format("the answer is of the adapter `{}`: give it as --adapter {}=FOLDER",
                            *name, *name));
  }
  JIKJI_ASSIGN(const std::string theirs, Text(receipt, "adapter_digest"));
  const std::string ours = context.AdapterOf(*served).digest;
  if (theirs != ours) return Unlike("adapter", theirs, ours);
  return served->adapter;
}

Result<> CheckOrigin(const ReceiptOrigin& here, const object& receipt) {
  const std::pair<const char*, const std::string&> same[] = {
      {"model_digest", here.model_digest}, {"isa", here.isa}, {"kv_dtype", here.kv_dtype}};
  for (const auto& [name, ours] : same) {
    JIKJI_ASSIGN(const std::string theirs, Text(receipt, name));
    if (theirs != ours) return Unlike(name, theirs, ours);
  }
  return {};
}

struct PlannedAgain {
  std::vector<PromptJob> jobs;
  bool seeded = false;  // the request said its seed
};

ApiResult<PlannedAgain> PlanAgain(const ApiContext& context, int32_t adapter, const object& receipt,
                                  std::string_view body) {
  JIKJI_ASSIGN(const std::string kind, Text(receipt, "kind"));
  JIKJI_ASSIGN(const auto created, OptionalInt(receipt, "created"));
  const CallRecord unrecorded("replay");
  const PromptScreen screen(context.options.guard.get(), unrecorded);
  if (kind == "chat") {
    JIKJI_ASSIGN(ChatRequest request, ParseChatRequest(body));
    JIKJI_RETURN_IF_ERROR(screen.Screen(request.turns));
    JIKJI_ASSIGN(auto jobs, PlanJobs(context, adapter, request, created.value_or(0)));
    return PlannedAgain{std::move(jobs), request.common.seed.has_value()};
  }
  JIKJI_ASSIGN(CompletionRequest request, ParseCompletionRequest(body));
  for (CompletionPrompt& prompt : request.prompts) {
    JIKJI_RETURN_IF_ERROR(screen.Screen(prompt, *context.model(adapter).tokenizer));
  }
  JIKJI_ASSIGN(auto jobs, PlanJobs(context, adapter, request));
  return PlannedAgain{std::move(jobs), request.common.seed.has_value()};
}

// Takes from the receipt what was chance or the policy's: a seed that the request does not say, and
// how much was granted. All else must follow from the request.
Result<> Fix(const object& prompt, bool seeded, GenerationRequest& request) {
  const value* parameters = prompt.if_contains("parameters");
  if (parameters == nullptr || !parameters->is_object()) {
    return Fail(ErrorCode::kMalformed, "the receipt has no `parameters`");
  }
  JIKJI_ASSIGN(const std::string seed, Text(parameters->get_object(), "seed"));
  const char* const end = seed.data() + seed.size();
  uint64_t drawn = 0;
  if (std::from_chars(seed.data(), end, drawn).ptr != end || seed.empty()) {
    return Fail(ErrorCode::kMalformed, "the receipt's `seed` is no number");
  }
  if (!seeded) request.sampling.seed = drawn;
  JIKJI_ASSIGN(const auto granted, OptionalInt(parameters->get_object(), "max_tokens"));
  request.max_tokens = std::clamp<int64_t>(granted.value_or(0), 0, request.max_tokens);
  request.min_tokens = std::min(request.min_tokens, request.max_tokens);
  JIKJI_ASSIGN(const value ours, ParseJson(ParametersOf(request)));
  if (ours == *parameters) return {};
  return Unlike("request (parameters)", boost::json::serialize(*parameters), ParametersOf(request));
}

// What an answer shows of its choices, chat or completion.
Result<std::vector<std::string>> TextsOf(const object& answer, std::string_view where) {
  const value* choices = answer.if_contains("choices");
  if (choices == nullptr || !choices->is_array() || choices->get_array().empty()) {
    return Fail(ErrorCode::kMalformed, "is an answer without `choices`", std::string(where));
  }
  std::vector<std::string> texts;
  for (const value& choice : choices->get_array()) {
    const object* shown = choice.if_object();
    const char* field = "text";
    if (shown != nullptr && shown->contains("message")) {
      shown = shown->at("message").if_object();
      field = "content";
    }
    const value* text = shown == nullptr ? nullptr : shown->if_contains(field);
    if (text == nullptr || !text->is_string()) {
      return Fail(ErrorCode::kMalformed,
                  "has a choice without text: keep the whole answer, not a chunk of a stream",
                  std::string(where));
    }
    texts.emplace_back(text->get_string());
  }
  return texts;
}

ApiResult<std::vector<ReplayedChoice>> Run(const ApiContext& context, GenerationRequest request,
                                           std::vector<std::vector<TokenId>>& tokens) {
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<ReplayedChoice> choices;
    std::vector<std::vector<TokenId>> tokens;
    size_t open = 0;
    std::optional<ApiError> error;
  };
  const auto state = std::make_shared<State>();
  state->open = static_cast<size_t>(request.choices);
  state->choices.resize(state->open);
  state->tokens.resize(state->open);
  request.id = RandomId();
  auto ticket = context.issuer.Admit({.tenant = std::string(kLocalTenant),
                                      .model = context.model_name(),
                                      .prompt_tokens = static_cast<int64_t>(request.prompt.size()),
                                      .max_output_tokens = request.max_tokens * request.choices,
                                      .choices = request.choices,
                                      .cache_salt = {}});
  if (!ticket) return std::unexpected(ApiError(ticket.error()));
  JIKJI_RETURN_IF_ERROR(
      context.engine.Submit(std::move(*ticket), std::move(request), [state](Delta delta) {
        const std::lock_guard lock(state->mutex);
        const auto choice = static_cast<size_t>(delta.choice);
        state->choices[choice].text += delta.text;
        auto& known = state->tokens[choice];
        known.insert(known.end(), delta.tokens.begin(), delta.tokens.end());
        if (!delta.finish) return;
        if (delta.error) state->error = ApiError(*delta.error);
        if (delta.finish == FinishReason::kCancelled) {
          state->error = ErrorOfStatus(503, "the replay was stopped");
        }
        --state->open;
        state->changed.notify_all();
      }));
  std::unique_lock lock(state->mutex);
  state->changed.wait(lock, [&] { return state->open == 0; });
  if (state->error) return std::unexpected(*state->error);
  tokens = std::move(state->tokens);
  return std::move(state->choices);
}

}  // namespace

Result<KeptAnswer> ReadKeptAnswer(std::string_view json, std::string_view where) {
  JIKJI_ASSIGN(const value parsed, ParseJson(json, where));
  KeptAnswer kept;
  const object* receipt = parsed.if_object();
  if (receipt != nullptr && receipt->contains("receipt")) {
    JIKJI_ASSIGN(kept.texts, TextsOf(*receipt, where));
    receipt = receipt->at("receipt").if_object();
  }
  if (receipt == nullptr || !receipt->contains("model_digest")) {
    return Fail(ErrorCode::kMalformed, "holds no receipt, and no answer that has one",
                std::string(where));
  }
  JIKJI_ASSIGN(const auto version, OptionalInt(*receipt, "version"));
  if (version != kVersion) {
    return Fail(ErrorCode::kUnsupported, "is a receipt of a version that this program cannot read",
                std::string(where));
  }
  kept.receipt = *receipt;
  return kept;
}

Result<ReplaySetting> SettingOf(const object& receipt) {
  ReplaySetting setting;
  JIKJI_ASSIGN(setting.isa, Text(receipt, "isa"));
  JIKJI_ASSIGN(setting.kv_dtype, Text(receipt, "kv_dtype"));
  return setting;
}

ApiResult<std::vector<ReplayedChoice>> Replay(const ApiContext& context, const KeptAnswer& kept,
                                              std::string_view body) {
  const object& receipt = kept.receipt;
  JIKJI_RETURN_IF_ERROR(CheckOrigin(context.receipt_origin, receipt));
  JIKJI_ASSIGN(const int32_t adapter, FindAdapter(context, receipt));
  JIKJI_ASSIGN(PlannedAgain again, PlanAgain(context, adapter, receipt, body));
  std::vector<PromptJob>& jobs = again.jobs;
  JIKJI_ASSIGN(const boost::json::array* prompts, List(receipt, "prompts"));
  if (prompts->size() != jobs.size()) {
    return std::unexpected(ApiError(Unlike("request", fmt::format("{} prompts", prompts->size()),
                                           fmt::format("{} prompts", jobs.size()))
                                        .error()));
  }
  size_t total = 0;
  // All of it is checked before anything runs.
  for (size_t i = 0; i < jobs.size(); ++i) {
    GenerationRequest& request = jobs[i].request;
    request.adapter = adapter;
    if (!(*prompts)[i].is_object()) return BadField("prompts", "is no list of objects");
    const object& prompt = (*prompts)[i].get_object();
    JIKJI_ASSIGN(const std::string digest, Text(prompt, "digest"));
    if (digest != DigestOf(request.prompt)) {
      return std::unexpected(ApiError(Unlike("prompt (or the server masked it: give its --guard)",
                                             digest, DigestOf(request.prompt))
                                          .error()));
    }
    JIKJI_RETURN_IF_ERROR(Fix(prompt, again.seeded, request));
    JIKJI_ASSIGN(const boost::json::array* expected, List(prompt, "choices"));
    if (static_cast<int64_t>(expected->size()) != request.choices ||
        !std::ranges::all_of(*expected, [](const value& choice) { return choice.is_object(); })) {
      return BadField("choices", "the receipt has another number of choices");
    }
    total += expected->size();
  }
  if (!kept.texts.empty() && kept.texts.size() != total) {
    return BadField("choices", "the answer has another number of choices than its receipt");
  }
  JIKJI_ASSIGN(const auto guarded, OptionalBool(receipt, "guarded"));
  std::vector<ReplayedChoice> all;
  for (size_t i = 0; i < jobs.size(); ++i) {
    const boost::json::array& expected = (*prompts)[i].at("choices").as_array();
    const std::string echo = std::move(jobs[i].echo);
    std::vector<std::vector<TokenId>> tokens;
    JIKJI_ASSIGN(std::vector<ReplayedChoice> choices,
                 Run(context, std::move(jobs[i].request), tokens));
    for (size_t c = 0; c < choices.size(); ++c) {
      choices[c].tokens = static_cast<int64_t>(tokens[c].size());
      const object* known = &expected[c].get_object();
      JIKJI_ASSIGN(const auto sealed, OptionalString(*known, "digest"));
      choices[c].compared = sealed.has_value();
      choices[c].same = sealed == DigestOf(tokens[c]);
      choices[c].retouched = choices[c].compared && !guarded.value_or(false) &&
                             !kept.texts.empty() &&
                             kept.texts[all.size()] != echo + choices[c].text;
      all.push_back(std::move(choices[c]));
    }
  }
  return all;
}

}  // namespace jikji
