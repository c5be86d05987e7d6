// `jikji chat`: a conversation in the terminal, with a model in this process or a server.
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <iostream>

#include "app/chat_client.h"
#include "app/command.h"
#include "app/commands.h"
#include "app/console.h"

namespace jikji {
namespace {

struct Options {
  EngineSettings engine;
  SamplingSettings sampling;
  std::string system;
  std::string url;
  std::string api_key;

  void AddTo(Settings& settings) {
    engine.AddTo(settings);
    sampling.AddTo(settings);
    settings.Add("system", &system, {"System prompt", "시스템 프롬프트"});
    settings.Add("url", &url,
                 {"A server to talk with instead: http://host:port",
                  "대신 대화할 서버: http://호스트:포트"});
    settings.Add("api-key", &api_key, {"Key of that server", "그 서버의 키"}, /*secret=*/true);
  }
};

// Set by Ctrl-C: the answer being written stops, the conversation goes on.
std::atomic<bool> interrupted{false};

void WatchInterrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int) { interrupted.store(true); };
  sigaction(SIGINT, &action, nullptr);  // no SA_RESTART: reading a line ends too
}

class Conversation {
 public:
  Conversation(ChatClient client, const Options& options)
      : client_(std::move(client)), options_(options), system_(options.system) {}

  // One line of the person's. False: the conversation is over.
  bool Take(const std::string& line) {
    if (line == "/quit" || line == "/exit" || line == "/끝" || line == "/종료") return false;
    if (line == "/new" || line == "/새로") {
      turns_.clear();
      fmt::print("{}\n", Say("(a new conversation)", "(새 대화를 시작합니다)"));
    } else if (line.starts_with("/system") || line.starts_with("/시스템")) {
      const size_t space = line.find(' ');
      system_ = space == std::string::npos ? "" : line.substr(space + 1);
      turns_.clear();
      fmt::print("{}\n", Say("(a new conversation with this system prompt)",
                             "(이 시스템 지시로 새 대화를 시작합니다)"));
    } else if (line.starts_with('/')) {
      if (line != "/help" && line != "/도움말") {
        fmt::print(fmt::runtime(Say("There is no command {}.\n", "{} 명령은 없습니다.\n")), line);
      }
      PrintHelp();
    } else if (!line.empty()) {
      Ask(line);
    }
    return true;
  }

  static void PrintHelp() {
    fmt::print("{}\n",
               Say("/new: a new conversation · /system TEXT: set the system prompt · /quit: end · "
                   "Ctrl-C: stop an answer, or end",
                   "/새로: 새 대화 · /시스템 내용: 시스템 프롬프트 설정 · /끝: 종료 · "
                   "Ctrl-C: 답변 중단 또는 종료"));
  }

 private:
  void Ask(const std::string& line) {
    turns_.push_back({"user", line});
    std::vector<ChatTurn> sent = turns_;
    if (!system_.empty()) sent.insert(sent.begin(), {"system", system_});
    interrupted.store(false);
    auto reply = client_.Chat(sent, options_.sampling, [](std::string_view text) {
      fmt::print("{}", text);
      std::fflush(stdout);
      return !interrupted.load();
    });
    fmt::print("\n");
    if (!reply) {
      ReportError(reply.error());
      turns_.pop_back();
      return;
    }
    turns_.push_back({"assistant", reply->text});
    if (isatty(STDERR_FILENO) == 1 && reply->output_tokens > 0) {
      fmt::print(stderr, "\033[2m{} {}, {:.1f} s\033[0m\n", reply->output_tokens,
                 Say("tokens", "토큰"), reply->seconds);
    }
  }

  ChatClient client_;
  const Options& options_;
  std::string system_;
  std::vector<ChatTurn> turns_;
};

Result<> Chat(Options& options) {
  const bool remote = !options.url.empty();
  if (remote && !options.engine.model.empty()) {
    return Fail(ErrorCode::kInvalidArgument, "--url and --model exclude each other");
  }
  Result<ChatClient> client = remote ? ChatClient::Remote(options.url, options.api_key)
                                     : ChatClient::Local(options.engine, ChatClient::Need::kChat);
  if (!client) return std::unexpected(client.error());
  WatchInterrupts();
  Conversation conversation(std::move(*client), options);
  const bool terminal = isatty(STDIN_FILENO) == 1;
  if (terminal) Conversation::PrintHelp();
  std::string line;
  while (true) {
    if (terminal) {
      fmt::print("{} ", Say("you>", "나>"));
      std::fflush(stdout);
    }
    if (!std::getline(std::cin, line)) break;
    if (!conversation.Take(line)) break;
  }
  if (terminal) fmt::print("\n");
  return {};
}

}  // namespace

void AddChatCommand(Program& program) {
  program.Add("chat", Say("Talk with a model in the terminal", "터미널에서 모델과 대화합니다"),
              &Chat);
}

}  // namespace jikji
