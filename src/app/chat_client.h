// A client of the chat API for the terminal: the same requests go to a server by HTTP or to an
// engine in this process, through the very same handlers (there is no way round the one door).
#ifndef JIKJI_APP_CHAT_CLIENT_H_
#define JIKJI_APP_CHAT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/engine_settings.h"
#include "app/settings.h"
#include "base/error.h"

namespace jikji {

// What may be said of sampling on the command line; an empty text leaves it to the model.
struct SamplingSettings {
  std::string temperature, top_p, top_k, seed;
  int64_t max_tokens = 0;  // 0: as far as the context reaches
  void AddTo(Settings& settings);
};

struct ChatTurn {
  std::string role, content;
};

struct Reply {
  std::string text;
  std::string finish_reason;
  int64_t prompt_tokens = 0;
  int64_t output_tokens = 0;
  double first_seconds = 0;  // until the first text
  double seconds = 0;
};

class ChatClient {
 public:
  // Posts `body` to `path` and hands over the pieces of the streamed answer until on_data says
  // false; an error for any other status than 2xx.
  class Transport {
   public:
    virtual ~Transport() = default;
    virtual Result<> Post(const std::string& path, std::string body,
                          const std::function<bool(std::string_view)>& on_data) = 0;
  };

  enum class Need { kText, kChat };
  // kInvalidArgument where a chat is needed and the model has no chat template.
  static Result<ChatClient> Local(const EngineSettings& settings, Need need);
  // `url` is http://host:port, with or without /v1.
  static ChatClient Remote(std::string url, std::string api_key);

  using OnText = std::function<bool(std::string_view text)>;  // false: stop
  Result<Reply> Chat(const std::vector<ChatTurn>& turns, const SamplingSettings& sampling,
                     const OnText& on_text);
  // Without a chat template: the text goes on from the prompt.
  Result<Reply> Complete(const std::string& prompt, const SamplingSettings& sampling,
                         const OnText& on_text);

 private:
  explicit ChatClient(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}
  Result<Reply> Ask(const std::string& path, std::string body, const OnText& on_text);

  std::unique_ptr<Transport> transport_;
};

}  // namespace jikji

#endif  // JIKJI_APP_CHAT_CLIENT_H_
