#include "api/receipt.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <iterator>

#include "api/json_text.h"
#include "store/digest.h"

namespace jikji {
namespace {

void AppendText(std::string_view name, std::string_view value, std::string& out) {
  out += ",\"";
  out += name;
  out += "\":";
  AppendJsonString(value, out);
}

std::string_view BytesOf(std::span<const TokenId> tokens) {
  static_assert(sizeof(TokenId) == 4);
  return {reinterpret_cast<const char*>(tokens.data()), tokens.size_bytes()};
}

}  // namespace

std::string DigestOf(std::span<const TokenId> tokens) {
  return HexOf(BytesOf(Sha256Of({BytesOf(tokens)})));
}

std::string ParametersOf(const GenerationRequest& request) {
  const SamplingParams& sampling = request.sampling;
  // Compiled, since each request is told so.
  return fmt::format(
      FMT_COMPILE(
          R"({{"temperature":{},"top_k":{},"top_p":{},"min_p":{},"repetition_penalty":{},)"
          R"("presence_penalty":{},"frequency_penalty":{},"seed":"{}","n":{},"max_tokens":{},)"
          R"("min_tokens":{},"stop_strings":{},"stop_ids":{},"logit_biases":{},"ignore_eos":{}}})"),
      sampling.temperature, sampling.top_k, sampling.top_p, sampling.min_p,
      sampling.repetition_penalty, sampling.presence_penalty, sampling.frequency_penalty,
      sampling.seed, request.choices, request.max_tokens, request.min_tokens, request.stop.size(),
      request.stop_ids.size(), sampling.logit_bias.size(), request.ignore_eos);
}

ReceiptMaker::ReceiptMaker(const ReceiptOrigin& origin, const AnswerHead& head,
                           ReceiptAdapter adapter, size_t choices_per_prompt)
    : origin_(&origin),
      kind_(head.kind == AnswerKind::kChat ? "chat" : "completion"),
      model_(head.model),
      adapter_(std::move(adapter)),
      created_(head.created),
      choices_per_prompt_(choices_per_prompt) {}

void ReceiptMaker::AddPrompt(const GenerationRequest& request) {
  if (origin_ == nullptr) return;
  prompts_.push_back({static_cast<int64_t>(request.prompt.size()), DigestOf(request.prompt),
                      ParametersOf(request), std::vector<Choice>(choices_per_prompt_)});
}

void ReceiptMaker::AddTokens(size_t choice, std::span<const TokenId> tokens) {
  if (origin_ == nullptr) return;
  auto& known = prompts_[choice / choices_per_prompt_].choices[choice % choices_per_prompt_].tokens;
  known.insert(known.end(), tokens.begin(), tokens.end());
}

void ReceiptMaker::Finish(size_t choice, std::string_view reason, bool whole) {
  if (origin_ == nullptr) return;
  Choice& ended = prompts_[choice / choices_per_prompt_].choices[choice % choices_per_prompt_];
  ended.finish = reason;
  ended.whole = whole;
}

std::string ReceiptMaker::PromptsJson() const {
  std::string out = "[";
  for (const Prompt& prompt : prompts_) {
    if (out.size() > 1) out += ',';
    fmt::format_to(std::back_inserter(out),
                   FMT_COMPILE(R"({{"tokens":{},"digest":"{}","parameters":{},"choices":[)"),
                   prompt.tokens, prompt.digest, prompt.parameters);
    for (size_t i = 0; i < prompt.choices.size(); ++i) {
      const Choice& choice = prompt.choices[i];
      if (i > 0) out += ',';
      fmt::format_to(std::back_inserter(out), FMT_COMPILE(R"({{"tokens":{},"digest":)"),
                     choice.tokens.size());
      out += choice.whole ? '"' + DigestOf(choice.tokens) + '"' : "null";
      AppendText("finish", choice.finish, out);
      out += '}';
    }
    out += "]}";
  }
  return out + ']';
}

ApiResult<std::string> ReceiptMaker::Seal(const CallRecord& record,
                                          const AnswerUsage& usage) const {
  const std::string prompts = PromptsJson();
  std::string parameters;
  for (const Prompt& prompt : prompts_) {
    if (!parameters.empty()) parameters += ' ';
    parameters += prompt.parameters;
  }
  JIKJI_ASSIGN(
      const audit::Position position,
      record.Generation(
          {{"request", record.request_id()},
           {"kind", kind_},
           {"model", model_},
           {"model_digest", origin_->model_digest},
           {"adapter", adapter_.name.empty() ? "none" : std::string_view(adapter_.name)},
           {"adapter_digest", adapter_.name.empty() ? "none" : std::string_view(adapter_.digest)},
           {"program", origin_->program},
           {"isa", origin_->isa},
           {"kv_dtype", origin_->kv_dtype},
           {"created", std::to_string(created_)},
           {"parameters", parameters},
           {"prompt_tokens", std::to_string(usage.prompt_tokens)},
           {"cached_tokens", std::to_string(usage.cached_tokens)},
           {"output_tokens", std::to_string(usage.completion_tokens)}},
          prompts));
  std::string out;
  out.reserve(1024 + prompts.size());
  out += R"({"version":1)";
  AppendText("request", record.request_id(), out);
  AppendText("kind", kind_, out);
  out += fmt::format(R"(,"created":{})", created_);
  AppendText("model", model_, out);
  AppendText("model_digest", origin_->model_digest, out);
  if (adapter_.name.empty()) {
    out += R"(,"adapter":null)";
  } else {
    AppendText("adapter", adapter_.name, out);
    AppendText("adapter_digest", adapter_.digest, out);
  }
  AppendText("program", origin_->program, out);
  AppendText("isa", origin_->isa, out);
  AppendText("kv_dtype", origin_->kv_dtype, out);
  out += fmt::format(R"(,"guarded":{},"usage":)", origin_->guarded);
  AppendUsageJson(usage, out);
  fmt::format_to(std::back_inserter(out),
                 FMT_COMPILE(R"(,"prompts":{},"log":{{"record":{},"leaf":"{}"}}}})"), prompts,
                 position.index, HexOf(position.leaf));
  return out;
}

}  // namespace jikji
