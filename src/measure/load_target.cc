#include "measure/load_target.h"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "net/client.h"

namespace jikji::measure {
namespace {

using Clock = std::chrono::steady_clock;

// Any server's tokenizer makes some dozens of different tokens of it.
constexpr std::string_view kSample =
    "직지는 1377년 청주 흥덕사에서 금속 활자로 찍은 책이다. 세계에서 가장 오래된 금속 활자본으로 "
    "알려져 있다. The quick brown fox jumps over the lazy dog; 0123456789.";

net::ClientRequest RequestTo(const std::string& url, const std::string& api_key, std::string body) {
  net::ClientRequest request{.method = body.empty() ? "GET" : "POST",
                             .url = url,
                             .headers = {{"Content-Type", "application/json"}},
                             .body = std::move(body)};
  if (!api_key.empty()) request.headers.emplace_back("Authorization", "Bearer " + api_key);
  return request;
}

Result<boost::json::value> Ask(const net::ClientRequest& request) {
  JIKJI_ASSIGN(const net::Response response, net::Fetch(request));
  if (response.status != 200) {
    return Fail(ErrorCode::kUnavailable,
                "answered with status " + std::to_string(response.status) + ": " +
                    response.body.substr(0, 200),
                request.url);
  }
  return ParseJson(response.body, request.url);
}

const boost::json::value* At(const boost::json::value& value, std::string_view pointer) {
  boost::system::error_code error;
  return value.find_pointer(pointer, error);
}

int64_t IntAt(const boost::json::value& value, std::string_view pointer) {
  const auto* found = At(value, pointer);
  return found != nullptr && found->is_int64() ? found->get_int64() : 0;
}

double Since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The events of one streamed answer into its outcome.
class Reader {
 public:
  Reader(LoadOutcome& outcome, Clock::time_point due) : outcome_(outcome), due_(due) {}

  void Event(std::string_view data) {
    if (data == "[DONE]") {
      outcome_.finished = true;
      return;
    }
    const auto chunk = ParseJson(data);
    if (!chunk) {
      outcome_.error = "an event that is no JSON";
      return;
    }
    if (const auto* message = At(*chunk, "/error/message"); message && message->is_string()) {
      outcome_.error = message->get_string();
    }
    if (const auto* text = At(*chunk, "/choices/0/text");
        text && text->is_string() && !text->get_string().empty()) {
      const auto now = Clock::now();
      if (last_) {
        outcome_.gaps.push_back(std::chrono::duration<double>(now - *last_).count());
      } else {
        outcome_.first = Since(due_);
      }
      last_ = now;
    }
    if (const int64_t count = IntAt(*chunk, "/usage/completion_tokens"); count > 0) {
      outcome_.prompt_tokens = IntAt(*chunk, "/usage/prompt_tokens");
      outcome_.output_tokens = count;
      outcome_.cached_tokens = IntAt(*chunk, "/usage/prompt_tokens_details/cached_tokens");
    }
  }

 private:
  LoadOutcome& outcome_;
  Clock::time_point due_;
  std::optional<Clock::time_point> last_;
};

}  // namespace

Result<LoadTarget> LoadTarget::Open(std::string url, std::string api_key) {
  while (url.ends_with('/')) url.pop_back();
  if (url.ends_with("/v1")) url.resize(url.size() - 3);
  LoadTarget target;
  target.url_ = url;
  target.api_key_ = std::move(api_key);
  JIKJI_ASSIGN(const auto models, Ask(RequestTo(url + "/v1/models", target.api_key_, "")));
  const auto* id = At(models, "/data/0/id");
  if (id == nullptr || !id->is_string()) {
    return Fail(ErrorCode::kMalformed, "the server names no model", url + "/v1/models");
  }
  target.model_ = id->get_string();
  target.context_ =
      std::max(IntAt(models, "/data/0/max_model_len"), IntAt(models, "/data/0/meta/n_ctx_train"));
  // vLLM and Jikji read `prompt`, llama-server `content`.
  const boost::json::object body = {{"model", target.model_},
                                    {"prompt", kSample},
                                    {"content", kSample},
                                    {"add_special_tokens", false}};
  JIKJI_ASSIGN(const auto answer,
               Ask(RequestTo(url + "/tokenize", target.api_key_, boost::json::serialize(body))));
  if (const auto* tokens = At(answer, "/tokens"); tokens != nullptr && tokens->is_array()) {
    for (const auto& token : tokens->get_array()) {
      if (token.is_int64()) target.tokens_.push_back(static_cast<int32_t>(token.get_int64()));
    }
  }
  if (target.tokens_.empty()) {
    return Fail(ErrorCode::kMalformed, "the server made no tokens of a text", url + "/tokenize");
  }
  return target;
}

LoadOutcome LoadTarget::Run(const LoadRequest& request, Clock::time_point due,
                            Clock::time_point deadline) const {
  LoadOutcome outcome;
  const boost::json::object body = {
      {"model", model_},
      {"prompt", boost::json::array(request.prompt.begin(), request.prompt.end())},
      {"max_tokens", request.output},
      {"temperature", 0},
      {"ignore_eos", true},
      {"skip_special_tokens", false},
      {"stream", true},
      {"stream_options", {{"include_usage", true}}}};
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
  if (left.count() <= 0) {
    outcome.error = "the time was over";
    return outcome;
  }
  Reader reader(outcome, due);
  net::SseParser events;
  const auto response =
      net::FetchStream(RequestTo(url_ + "/v1/completions", api_key_, boost::json::serialize(body)),
                       [&](std::string_view piece) {
                         events.Feed(piece, [&](std::string_view data) { reader.Event(data); });
                         return outcome.error.empty() && Clock::now() < deadline;
                       },
                       {.timeout = left});
  outcome.total = Since(due);
  if (!response) {
    outcome.error = Clock::now() < deadline ? response.error().ToString() : "the time was over";
  } else if (response->status != 200) {
    outcome.error =
        "status " + std::to_string(response->status) + ": " + response->body.substr(0, 200);
  } else if (!outcome.finished && outcome.error.empty()) {
    outcome.error = Clock::now() < deadline ? "the answer broke off" : "the time was over";
  }
  outcome.finished = outcome.error.empty();
  return outcome;
}

}  // namespace jikji::measure
