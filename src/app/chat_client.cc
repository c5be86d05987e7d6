#include "app/chat_client.h"

#include <boost/json.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "api/service.h"
#include "base/json.h"
#include "net/client.h"

namespace jikji {
namespace {

// The message of an API error body, or the body itself.
Error ErrorOf(int status, const std::string& body) {
  std::string message = body.empty() ? "status " + std::to_string(status) : body;
  if (auto parsed = ParseJson(body); parsed && parsed->is_object()) {
    if (auto error = OptionalObject(parsed->get_object(), "error"); error && *error != nullptr) {
      if (auto text = OptionalString(**error, "message"); text && *text) message = **text;
    }
  }
  const ErrorCode code = status == 401   ? ErrorCode::kUnauthenticated
                         : status == 404 ? ErrorCode::kNotFound
                         : status == 503 ? ErrorCode::kUnavailable
                         : status < 500  ? ErrorCode::kInvalidArgument
                                         : ErrorCode::kInternal;
  return {code, std::move(message), {}};
}

class RemoteTransport : public ChatClient::Transport {
 public:
  RemoteTransport(std::string url, std::string api_key)
      : url_(std::move(url)), api_key_(std::move(api_key)) {
    while (url_.ends_with('/')) url_.pop_back();
    if (url_.ends_with("/v1")) url_.resize(url_.size() - 3);  // as OpenAI's clients are told
  }

  Result<> Post(const std::string& path, std::string body,
                const std::function<bool(std::string_view)>& on_data) override {
    net::ClientRequest request{.method = "POST",
                               .url = url_ + path,
                               .headers = {{"Content-Type", "application/json"}},
                               .body = std::move(body)};
    if (!api_key_.empty()) request.headers.emplace_back("Authorization", "Bearer " + api_key_);
    JIKJI_ASSIGN(const net::Response response, net::FetchStream(request, on_data));
    if (response.status / 100 != 2) {
      return std::unexpected(ErrorOf(response.status, response.body));
    }
    return {};
  }

 private:
  std::string url_;
  std::string api_key_;
};

// Hands what a handler answers, from whatever thread, to the thread that waits.
class Mailbox : public net::Responder {
 public:
  void Send(net::Response response) override {
    std::lock_guard lock(mutex_);
    status_ = response.status;
    pieces_ = std::move(response.body);
    ended_ = true;
    changed_.notify_all();
  }
  void Begin(net::Response head) override {
    std::lock_guard lock(mutex_);
    status_ = head.status;
  }
  bool Write(std::string chunk) override {
    std::lock_guard lock(mutex_);
    pieces_ += chunk;
    changed_.notify_all();
    return !gone_;
  }
  void End() override {
    std::lock_guard lock(mutex_);
    ended_ = true;
    changed_.notify_all();
  }
  void OnDisconnect(std::function<void()> callback) override {
    std::lock_guard lock(mutex_);
    disconnect_ = std::move(callback);
  }

  Result<> Receive(const std::function<bool(std::string_view)>& on_data) {
    std::unique_lock lock(mutex_);
    while (true) {
      // The time limit lets on_data look at a flag of the person's while the engine is silent.
      changed_.wait_for(lock, std::chrono::milliseconds(50),
                        [this] { return ended_ || !pieces_.empty(); });
      const std::string piece = std::exchange(pieces_, {});
      const bool ended = ended_;
      if (ended && status_ / 100 != 2) return std::unexpected(ErrorOf(status_, piece));
      lock.unlock();
      const bool more = on_data(piece);
      lock.lock();
      if (ended && pieces_.empty()) return {};
      if (!more) {
        gone_ = true;
        if (auto disconnect = std::exchange(disconnect_, nullptr)) {
          lock.unlock();
          disconnect();
        }
        return {};
      }
    }
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string pieces_;
  int status_ = 200;
  bool ended_ = false;
  bool gone_ = false;
  std::function<void()> disconnect_;
};

class LocalTransport : public ChatClient::Transport {
 public:
  static Result<std::unique_ptr<Transport>> Make(const EngineSettings& settings,
                                                 ChatClient::Need need) {
    auto transport = std::make_unique<LocalTransport>();
    JIKJI_ASSIGN(const EngineOptions options, settings.Apply());
    JIKJI_ASSIGN(LoadedEngine loaded, StartEngine(settings, options));
    transport->engine_ = std::move(loaded.engine);
    if (need == ChatClient::Need::kChat && !transport->engine_->model().chat_template) {
      return Fail(ErrorCode::kInvalidArgument,
                  "the model has no chat template; `jikji run --raw PROMPT` goes on from a text",
                  transport->engine_->model().path.string());
    }
    JIKJI_ASSIGN(transport->service_,
                 Service::Create(*transport->engine_, transport->policy_, ApiOptions{}));
    return transport;
  }

  Result<> Post(const std::string& path, std::string body,
                const std::function<bool(std::string_view)>& on_data) override {
    auto mailbox = std::make_shared<Mailbox>();
    net::Request request;
    request.method = "POST";
    request.path = path;
    request.headers = {{"Content-Type", "application/json"}};
    request.body = std::move(body);
    request.peer = "local";
    service_->handler()(std::move(request), mailbox);
    return mailbox->Receive(on_data);
  }

 private:
  LocalPolicy policy_;
  std::unique_ptr<Engine> engine_;
  std::unique_ptr<Service> service_;
};

Result<> AddNumber(boost::json::object& body, std::string_view key, const std::string& text) {
  if (text.empty()) return {};
  auto number = ParseJson(text);
  if (!number || !number->is_number()) {
    return Fail(ErrorCode::kInvalidArgument, "`" + text + "` is not a number", std::string(key));
  }
  body[key] = std::move(*number);
  return {};
}

Result<> AddSampling(boost::json::object& body, const SamplingSettings& sampling) {
  JIKJI_RETURN_IF_ERROR(AddNumber(body, "temperature", sampling.temperature));
  JIKJI_RETURN_IF_ERROR(AddNumber(body, "top_p", sampling.top_p));
  JIKJI_RETURN_IF_ERROR(AddNumber(body, "top_k", sampling.top_k));
  JIKJI_RETURN_IF_ERROR(AddNumber(body, "seed", sampling.seed));
  if (sampling.max_tokens > 0) body["max_tokens"] = sampling.max_tokens;
  body["stream"] = true;
  body["stream_options"] = {{"include_usage", true}};
  return {};
}

// One chunk of either API into the reply; the text it adds.
Result<std::string> ReadChunk(std::string_view data, Reply& reply) {
  JIKJI_ASSIGN(const boost::json::value chunk, ParseJson(data));
  const auto text_at = [](const boost::json::value& value,
                          std::string_view pointer) -> std::string {
    boost::system::error_code error;
    const auto* found = value.find_pointer(pointer, error);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : "";
  };
  const auto count_at = [&](std::string_view pointer, int64_t& count) {
    boost::system::error_code error;
    const auto* found = chunk.find_pointer(pointer, error);
    if (found != nullptr && found->is_int64()) count = found->get_int64();
  };
  if (const std::string message = text_at(chunk, "/error/message"); !message.empty()) {
    return Fail(ErrorCode::kInternal, message);
  }
  count_at("/usage/prompt_tokens", reply.prompt_tokens);
  count_at("/usage/completion_tokens", reply.output_tokens);
  if (const std::string reason = text_at(chunk, "/choices/0/finish_reason"); !reason.empty()) {
    reply.finish_reason = reason;
  }
  return text_at(chunk, "/choices/0/delta/content") + text_at(chunk, "/choices/0/text");
}

}  // namespace

void SamplingSettings::AddTo(Settings& settings) {
  settings.Add("temperature", &temperature,
               {"0: the likeliest token always; empty: the model's own",
                "온도. 0이면 항상 가장 그럴듯한 토큰, 비우면 모델의 기본값"});
  settings.Add("top-p", &top_p,
               {"Sample from the likeliest tokens of so much probability",
                "누적 확률이 이만큼인 토큰 중에서 고름"});
  settings.Add(
      "top-k", &top_k,
      {"Sample from so many of the likeliest tokens", "가장 그럴듯한 토큰 이만큼 중에서 고름"});
  settings.Add("seed", &seed,
               {"The same seed gives the same answer", "시드. 같은 시드는 같은 답을 냄"});
  settings.Add("max-tokens", &max_tokens,
               {"Most tokens of an answer; 0: as the context allows",
                "답변의 최대 토큰 수. 0이면 문맥이 허용하는 만큼"},
               0, 1 << 24);
}

Result<ChatClient> ChatClient::Local(const EngineSettings& settings, Need need) {
  JIKJI_ASSIGN(auto transport, LocalTransport::Make(settings, need));
  return ChatClient(std::move(transport));
}

ChatClient ChatClient::Remote(std::string url, std::string api_key) {
  return ChatClient(std::make_unique<RemoteTransport>(std::move(url), std::move(api_key)));
}

Result<Reply> ChatClient::Chat(const std::vector<ChatTurn>& turns, const SamplingSettings& sampling,
                               const OnText& on_text) {
  boost::json::array messages;
  for (const ChatTurn& turn : turns) {
    messages.push_back({{"role", turn.role}, {"content", turn.content}});
  }
  boost::json::object body = {{"messages", std::move(messages)}};
  JIKJI_RETURN_IF_ERROR(AddSampling(body, sampling));
  return Ask("/v1/chat/completions", boost::json::serialize(body), on_text);
}

Result<Reply> ChatClient::Complete(const std::string& prompt, const SamplingSettings& sampling,
                                   const OnText& on_text) {
  boost::json::object body = {{"prompt", prompt}};
  JIKJI_RETURN_IF_ERROR(AddSampling(body, sampling));
  return Ask("/v1/completions", boost::json::serialize(body), on_text);
}

Result<Reply> ChatClient::Ask(const std::string& path, std::string body, const OnText& on_text) {
  Reply reply;
  Result<> problem;
  net::SseParser events;
  const auto start = std::chrono::steady_clock::now();
  const auto since = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  bool more = true;
  const auto on_data = [&](std::string_view piece) {
    if (piece.empty()) return more = on_text("");
    events.Feed(piece, [&](std::string_view data) {
      if (data == "[DONE]" || !problem || !more) return;
      auto text = ReadChunk(data, reply);
      if (!text) {
        problem = std::unexpected(text.error());
      } else if (!text->empty()) {
        if (reply.text.empty()) reply.first_seconds = since();
        reply.text += *text;
        more = on_text(*text);
      }
    });
    return more && problem.has_value();
  };
  JIKJI_RETURN_IF_ERROR(transport_->Post(path, std::move(body), on_data));
  if (!problem) return std::unexpected(problem.error());
  reply.seconds = since();
  return reply;
}

}  // namespace jikji
