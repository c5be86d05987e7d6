// For tests: an API over an engine that says what the test tells it to, with no socket.
#ifndef JIKJI_API_FAKES_H_
#define JIKJI_API_FAKES_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json.hpp>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/service.h"
#include "base/json.h"
#include "engine/engine.h"
#include "text/chat_template.h"

namespace jikji {

// One token per byte, `ab` as one token, and some special tokens.
class FakeTokenizer : public Tokenizer {
 public:
  static constexpr TokenId kAb = 256, kBos = 257, kSystem = 258, kUser = 259, kAssistant = 260,
                           kTool = 261, kEnd = 262;

  FakeTokenizer() {
    for (int byte = 0; byte < 256; ++byte) bytes_.emplace_back(1, static_cast<char>(byte));
    for (const char* text :
         {"ab", "<|bos|>", "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", "<|end|>"}) {
      bytes_.emplace_back(text);
    }
  }

  std::vector<TokenId> Encode(std::string_view text, const EncodeOptions& options) const override {
    std::vector<TokenId> ids;
    if (options.add_special) ids.push_back(kBos);
    for (size_t at = 0; at < text.size();) {
      TokenId id = static_cast<unsigned char>(text[at]);
      if (text.substr(at).starts_with("ab")) id = kAb;
      for (TokenId special = kBos; options.parse_special && special <= kEnd; ++special) {
        if (text.substr(at).starts_with(bytes_[special])) id = special;
      }
      ids.push_back(id);
      at += bytes_[id].size();
    }
    return ids;
  }
  std::string_view TokenBytes(TokenId id) const override {
    return id < 0 || id >= vocab_size() ? std::string_view() : std::string_view(bytes_[id]);
  }
  bool strips_leading_space() const override { return false; }
  int32_t vocab_size() const override { return static_cast<int32_t>(bytes_.size()); }
  bool IsSpecial(TokenId id) const override { return id >= kBos; }
  std::optional<TokenId> FindToken(std::string_view written) const override {
    const auto found = std::ranges::find(bytes_, written);
    if (found == bytes_.end()) return std::nullopt;
    return static_cast<TokenId>(found - bytes_.begin());
  }
  std::optional<TokenId> bos() const override { return kBos; }
  std::optional<TokenId> eos() const override { return kEnd; }
  std::string Description() const override { return "bytes"; }

 private:
  std::vector<std::string> bytes_;
};

inline constexpr std::string_view kFakeTemplate =
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>' + "
    "message['content'] | trim + '<|end|>' }}{% endfor %}{% if add_generation_prompt %}"
    "{{ '<|assistant|>' }}{% endif %}";

inline ModelDescription FakeModel(std::string_view source = kFakeTemplate) {
  ModelDescription model;
  model.name = "fake";
  model.tokenizer = std::make_shared<FakeTokenizer>();
  model.spec.vocab = model.tokenizer->vocab_size();
  model.template_source = source;
  auto compiled = ChatTemplate::Compile(source);
  EXPECT_TRUE(compiled.has_value());
  if (compiled) model.chat_template = std::make_shared<ChatTemplate>(std::move(*compiled));
  model.stop_ids = {FakeTokenizer::kEnd};
  model.bos_token = "<|bos|>";
  model.eos_token = "<|end|>";
  return model;
}

// Keeps what it is asked for; says what the test says.
class FakeEngine : public Engine {
 public:
  struct Submitted {
    GenerationRequest request;
    std::string tenant, cache_salt;
    int64_t prompt_tokens = 0, max_output_tokens = 0;
    int32_t priority = 0;
    DeltaSink sink;
    std::shared_ptr<std::optional<Ticket>> ticket;  // until the request is over
  };

  FakeEngine() : model_(FakeModel()) { options_.context = 256; }

  const ModelDescription& model() const override { return model_; }
  const EngineOptions& options() const override { return options_; }
  Result<> Submit(Ticket ticket, GenerationRequest request, DeltaSink sink) override {
    ++calls;
    if (submitted.size() >= refuse_after) {
      return Fail(ErrorCode::kUnavailable, "the queue is full");
    }
    submitted.push_back({std::move(request),
                         ticket.tenant(),
                         ticket.cache_salt(),
                         ticket.prompt_tokens(),
                         ticket.max_output_tokens(),
                         ticket.priority(),
                         {},
                         {}});
    Submitted& added = submitted.back();
    added.ticket = std::make_shared<std::optional<Ticket>>(std::move(ticket));
    // Counts as the engine does, for one choice.
    added.sink = [held = added.ticket, sink](Delta delta) {
      if (*held && (*held)->meter() != nullptr) {
        (*held)->meter()->Count((*held)->prompt_tokens(), delta.cached_tokens,
                                static_cast<int64_t>(delta.tokens.size()));
      }
      if (delta.finish) held->reset();
      sink(std::move(delta));
    };
    if (at_once) at_once(submitted.back());
    return {};
  }
  void Cancel(const std::string& id) override { cancelled.push_back(id); }
  void StopAdmission() override { refuse_after = 0; }
  EngineStats stats() const override { return stats_; }
  EngineHealth Health(std::chrono::milliseconds) const override { return health; }
  void SetObserver(Observer given) override { observer = std::move(given); }

  ModelDescription model_;
  EngineOptions options_;
  EngineStats stats_;
  EngineHealth health{.healthy = true, .reason = {}};
  size_t refuse_after = 1000;
  std::function<void(Submitted&)> at_once;  // what the engine says within Submit
  Observer observer;
  int calls = 0;
  std::vector<Submitted> submitted;
  std::vector<std::string> cancelled;
};

class CountingIssuer : public LocalPolicy {
 public:
  std::expected<Ticket, Refusal> Admit(const AdmissionRequest& request) override {
    ++asked;
    if (refusal) return std::unexpected(*refusal);
    AdmissionRequest granted = request;
    granted.max_output_tokens = std::min(granted.max_output_tokens, most_output);
    return LocalPolicy::Admit(granted);
  }
  int asked = 0;
  std::optional<Error> refusal;
  int64_t most_output = 1'000'000'000;
};

// What the peer sees.
class FakeResponder : public net::Responder {
 public:
  void Send(net::Response response) override {
    EXPECT_FALSE(answered);
    answered = ended = true;
    head = std::move(response);
    ready.unlock();
  }
  void Begin(net::Response response) override {
    EXPECT_FALSE(answered);
    answered = true;
    head = std::move(response);
  }
  bool Write(std::string chunk) override {
    EXPECT_TRUE(answered && !ended);
    stream += chunk;
    return takes;
  }
  void End() override {
    EXPECT_FALSE(ended);
    ended = true;
  }
  void OnDisconnect(std::function<void()> callback) override { gone = std::move(callback); }

  std::string Header(std::string_view name) const {
    for (const auto& [key, value] : head.headers) {
      if (key == name) return value;
    }
    return {};
  }
  boost::json::value Json() const { return Parse(head.body); }
  static boost::json::value Parse(std::string_view text) {
    auto value = ParseJson(text);
    EXPECT_TRUE(value.has_value()) << text;
    return value ? *value : boost::json::value();
  }
  // The payloads of a stream's events; "[DONE]" as it stands.
  std::vector<std::string> Events() const {
    std::vector<std::string> events;
    std::string_view rest = stream;
    while (!rest.empty()) {
      const size_t end = rest.find("\n\n");
      EXPECT_NE(end, std::string_view::npos);
      EXPECT_TRUE(rest.starts_with("data: "));
      events.emplace_back(rest.substr(6, end - 6));
      EXPECT_EQ(events.back().find('\n'), std::string::npos);
      rest.remove_prefix(end + 2);
    }
    return events;
  }

  net::Response head;
  std::string stream;
  bool answered = false, ended = false, takes = true;
  std::function<void()> gone;
  // Held until Send, for an answer that comes from another thread.
  struct Gate {
    void unlock() {
      const std::lock_guard lock(mutex);
      open = true;
      changed.notify_all();
    }
    void wait() {
      std::unique_lock lock(mutex);
      changed.wait(lock, [this] { return open; });
    }
    std::mutex mutex;
    std::condition_variable changed;
    bool open = false;
  } ready;
};

// An API over fakes.
class FakeServer {
 public:
  explicit FakeServer(ApiOptions options = {}) {
    auto created = Service::Create(engine, issuer, std::move(options));
    EXPECT_TRUE(created.has_value());
    service = std::move(*created);
  }

  std::shared_ptr<FakeResponder> Ask(std::string method, std::string path, std::string body = {},
                                     net::Headers headers = {}) {
    auto responder = std::make_shared<FakeResponder>();
    net::Request request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.body = std::move(body);
    request.headers = std::move(headers);
    service->handler()(std::move(request), responder);
    return responder;
  }
  std::shared_ptr<FakeResponder> Post(std::string path, std::string body) {
    return Ask("POST", std::move(path), std::move(body));
  }

  // The engine says a piece of text, one token per byte, each with the log probability -0.5.
  void Say(size_t request, std::string_view text, int32_t choice = 0) {
    Delta delta = Spoken(engine.submitted[request].request, text, choice);
    engine.submitted[request].sink(std::move(delta));
  }
  static Delta Spoken(const GenerationRequest& request, std::string_view text, int32_t choice = 0) {
    Delta delta;
    delta.choice = choice;
    delta.text = text;
    for (const char c : text) {
      const TokenId token = static_cast<unsigned char>(c);
      delta.tokens.push_back(token);
      if (request.logprobs < 0) continue;
      TokenLogprob entry{.token = token, .logprob = -0.5f, .top = {}};
      for (int32_t k = 0; k < request.logprobs; ++k) {
        entry.top.emplace_back((token + k) % 256, -0.5f - static_cast<float>(k));
      }
      delta.logprobs.push_back(std::move(entry));
    }
    return delta;
  }
  // The engine ends a choice with the text so far of `output` tokens.
  void End(size_t request, int64_t output, FinishReason reason = FinishReason::kStop,
           int32_t choice = 0) {
    Delta delta;
    delta.choice = choice;
    delta.finish = reason;
    delta.prompt_tokens = static_cast<int64_t>(engine.submitted[request].request.prompt.size());
    delta.output_tokens = output;
    engine.submitted[request].sink(std::move(delta));
  }

  FakeEngine engine;
  CountingIssuer issuer;
  std::unique_ptr<Service> service;
};

}  // namespace jikji

#endif  // JIKJI_API_FAKES_H_
