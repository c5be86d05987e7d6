#include "measure/harness/reference.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <map>
#include <numeric>

#include "adapt/data/chat_sample.h"
#include "adapt/data/sample_reader.h"
#include "adapt/train/chat_documents.h"
#include "base/utf8.h"
#include "measure/harness/answers.h"
#include "measure/korean/named.h"

namespace jikji::measure {
namespace {

Result<ReferenceItem> ItemOf(const boost::json::value& sample) {
  JIKJI_ASSIGN(std::vector<ChatTurn> turns, ReadChatSample(sample));
  if (turns.size() < 2 || turns.back().role != "assistant" || turns.back().content.empty()) {
    return Fail(ErrorCode::kMalformed, "does not end in an answer of the assistant's");
  }
  ReferenceItem item;
  item.answer = std::move(turns.back().content);
  turns.pop_back();
  for (ChatTurn& turn : turns) {
    item.messages.push_back({std::move(turn.role), std::move(turn.content)});
  }
  return item;
}

std::u32string Characters(std::string_view text) {
  std::u32string out;
  while (!text.empty()) {
    const Utf8Char next = DecodeUtf8(text);
    if (next.code_point > U' ') out.push_back(next.code_point);
    text.remove_prefix(next.length);
  }
  return out;
}

using Counts = std::map<std::u32string_view, int>;

Counts NGrams(std::u32string_view text, size_t n) {
  Counts counts;
  for (size_t i = 0; i + n <= text.size(); ++i) ++counts[text.substr(i, n)];
  return counts;
}

// The conversation with the known answer, of which that and the token that ends it are scored.
Result<ScoreTokens> KnownAnswer(const ReferenceItem& item, const train::ChatDocuments& chats) {
  std::vector<ChatTurn> turns;
  for (const ChatMessage& message : item.messages) turns.push_back({message.role, message.content});
  turns.push_back({"assistant", item.answer});
  JIKJI_ASSIGN(const train::Document document, chats.Encode(turns));
  size_t end = document.tokens.size();
  while (end > 0 && !document.trained[end - 1]) --end;
  ScoreTokens known{
      .tokens = {document.tokens.begin(), document.tokens.begin() + static_cast<ptrdiff_t>(end)},
      .scored = 0};
  while (known.scored + 1 < end && document.trained[end - 1 - known.scored]) ++known.scored;
  return known;
}

// All of them. An error, with its place, where one cannot be written or is longer than the context.
Result<std::vector<ScoreTokens>> KnownAnswers(const Engine& engine,
                                              std::span<const ReferenceItem> items) {
  JIKJI_ASSIGN(const auto chats, train::ChatDocuments::Create(engine.model()));
  const auto context = static_cast<size_t>(engine.options().context);
  std::vector<ScoreTokens> known;
  for (const ReferenceItem& item : items) {
    auto tokens = KnownAnswer(item, chats);
    if (!tokens) return Fail(tokens.error().code, tokens.error().message, item.place);
    if (tokens->tokens.size() > context) {
      return Fail(ErrorCode::kInvalidArgument,
                  fmt::format("the conversation has {} tokens, and the context {}: leave it out",
                              tokens->tokens.size(), context),
                  item.place);
    }
    known.push_back(std::move(*tokens));
  }
  return known;
}

}  // namespace

double CharacterF(std::string_view answer, std::string_view reference) {
  constexpr size_t kLongest = 6;
  const std::u32string ours = Characters(answer), theirs = Characters(reference);
  double precision = 0, recall = 0, orders = 0;
  for (size_t n = 1; n <= kLongest && n <= ours.size() && n <= theirs.size(); ++n) {
    const Counts a = NGrams(ours, n), b = NGrams(theirs, n);
    int shared = 0;
    for (const auto& [gram, count] : a) {
      if (const auto found = b.find(gram); found != b.end()) {
        shared += std::min(count, found->second);
      }
    }
    precision += shared / static_cast<double>(ours.size() - n + 1);
    recall += shared / static_cast<double>(theirs.size() - n + 1);
    ++orders;
  }
  if (precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  return 5 * precision * recall / (4 * precision + recall);
}

Result<std::vector<ReferenceItem>> ReadReferenceItems(const std::filesystem::path& file,
                                                      size_t limit) {
  std::vector<ReferenceItem> items;
  Result<> failed;
  JIKJI_RETURN_IF_ERROR(
      ForEachSample(file, [&](Result<boost::json::value> sample, const std::string& place) {
        if (!failed || (limit > 0 && items.size() == limit)) return;
        auto item = sample ? ItemOf(*sample) : std::unexpected(sample.error());
        if (item) {
          item->place = place;
          items.push_back(std::move(*item));
        } else {
          failed = Fail(item.error().code, item.error().message, place);
        }
      }));
  JIKJI_RETURN_IF_ERROR(failed);
  if (items.empty()) return Fail(ErrorCode::kMalformed, "the file is empty", file.string());
  return items;
}

Result<std::vector<std::string>> AnswerReferenceItems(Scorer& scorer,
                                                      std::span<const ReferenceItem> items,
                                                      const ShowProgress& progress) {
  const ModelDescription& model = scorer.engine().model();
  if (model.chat_template == nullptr) {
    return Fail(ErrorCode::kInvalidArgument, "the model has no chat template", model.name);
  }
  // Before an hour of answers: what could not be measured afterwards.
  JIKJI_RETURN_IF_ERROR(KnownAnswers(scorer.engine(), items));
  std::vector<Prompt> prompts;
  for (const ReferenceItem& item : items) {
    JIKJI_ASSIGN(Prompt prompt, PromptOf(item.messages, model));
    prompts.push_back(std::move(prompt));
  }
  return AnswerPrompts(scorer, prompts, progress);
}

Result<std::vector<Metric>> ReferenceMetrics(Scorer& scorer, std::span<const ReferenceItem> items,
                                             std::span<const std::string> answers,
                                             const ShowProgress& progress) {
  JIKJI_ASSIGN(const std::vector<ScoreTokens> known, KnownAnswers(scorer.engine(), items));
  JIKJI_ASSIGN(const auto logprobs, scorer.Score(known, progress));
  std::vector<ExactItem> exact;
  Metric chrf{.name = "chrf", .kind = MetricKind::kMean, .first = {}, .second = {}};
  Metric named{.name = "named", .kind = MetricKind::kRatio, .first = {}, .second = {}};
  Metric nats{.name = "nats",
              .kind = MetricKind::kRatio,
              .first = {},
              .second = {},
              .lower_is_better = true};
  for (size_t i = 0; i < items.size(); ++i) {
    exact.push_back({.context = {}, .answer = items[i].answer});
    chrf.first.push_back(CharacterF(answers[i], items[i].answer));
    const std::vector<std::string> names = NamedIn(items[i].answer);
    named.first.push_back(static_cast<double>(std::ranges::count_if(
        names, [&](const std::string& name) { return answers[i].contains(name); })));
    named.second.push_back(static_cast<double>(names.size()));
    nats.first.push_back(-std::accumulate(logprobs[i].begin(), logprobs[i].end(), 0.0));
    nats.second.push_back(static_cast<double>(logprobs[i].size()));
  }
  std::vector<Metric> metrics = {std::move(chrf)};
  metrics.push_back(std::move(ExactMetrics(exact, answers).front()));
  metrics.push_back(std::move(named));
  metrics.push_back(std::move(nats));
  return metrics;
}

}  // namespace jikji::measure
