// `jikji hub serve`: a folder of models behind Hugging Face's API, until SIGTERM.
#include <fmt/format.h>

#include <cstdio>

#include "app/command.h"
#include "app/console.h"
#include "app/hub_commands.h"
#include "app/hub_root.h"
#include "app/listen_settings.h"
#include "app/signal_wait.h"
#include "hub/http/site.h"
#include "net/server.h"

namespace jikji {
namespace {

struct Options {
  ListenSettings listen{8070};
  std::string root;
  std::string public_url;
  int64_t workers = 4;

  void AddTo(Settings& settings) {
    settings.Add("root", &root,
                 {"Folder of the hub; made where it is absent", "허브 폴더. 없으면 만듦"});
    settings.Add("public-url", &public_url,
                 {"http://HOST:PORT that clients reach this by; empty: as they write it",
                  "클라이언트가 접속하는 http://HOST:PORT. 비우면 요청에 적힌 대로"});
    settings.Add("workers", &workers, {"Requests worked on at once", "동시에 처리하는 요청 수"}, 1,
                 256);
    listen.AddTo(settings);
  }
};

Result<> Run(Options& options) {
  if (options.root.empty()) {
    return Fail(ErrorCode::kInvalidArgument,
                std::string(Say("which folder? --root DIR", "어느 폴더인가요? --root DIR")),
                "--root");
  }
  const SignalWait stop;
  JIKJI_ASSIGN(const auto hub, hub::Hub::Open(options.root));
  const auto site =
      hub::Site::Create(*hub, {options.public_url, static_cast<size_t>(options.workers)});
  JIKJI_ASSIGN(const auto server,
               options.listen.Listen(site->handler(),
                                     [&](net::ServerOptions& set) { site->Configure(set); }));
  const std::string url = options.listen.Url(server->port());
  fmt::print(fmt::runtime(Say("Jikji hub  {}  {}\n  export HF_ENDPOINT={} HF_HUB_DISABLE_XET=1\n",
                              "직지 허브  {}  {}\n  export HF_ENDPOINT={} HF_HUB_DISABLE_XET=1\n")),
             url, options.root, url);
  std::fflush(stdout);
  if (options.listen.host != "127.0.0.1") JIKJI_RETURN_IF_ERROR(WarnIfHubIsOpen(*hub));
  stop.Wait();
  options.listen.Drain(*server);
  return {};
}

}  // namespace

void AddHubServeCommand(CommandGroup& group) {
  group.Add("serve",
            Say("Serve a hub that Hugging Face's clients speak to",
                "Hugging Face 클라이언트가 쓰는 허브를 서비스합니다"),
            &Run);
}

}  // namespace jikji
