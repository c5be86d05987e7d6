#include "app/listen_settings.h"

#include <fmt/format.h>

#include "api/service.h"
#include "base/log.h"

namespace jikji {

void ListenSettings::AddTo(Settings& settings) {
  settings.Add("host", &host,
               {"Address to listen on; 0.0.0.0 for every interface",
                "접속을 받을 주소. 0.0.0.0이면 모든 인터페이스"});
  settings.Add(
      "port", &port,
      {"Port to listen on; 0: any free one", "접속을 받을 포트. 0이면 비어 있는 아무 포트"}, 0,
      65535);
  settings.Add("network-threads", &network_threads, {"Threads for sockets", "소켓 스레드 수"}, 1,
               256);
  settings.Add("max-connections", &max_connections, {"Connections held at once", "동시 연결 수"}, 1,
               1 << 20);
  settings.Add("max-connections-per-address", &max_connections_per_address,
               {"Of these, one address's (a proxy is one); 0: all",
                "그중 한 주소의 연결 수 (프록시도 한 주소). 0이면 전부"},
               0, 1 << 20);
  settings.Add("wrong-keys-per-second", &wrong_keys_per_second,
               {"Answers to wrong keys that one address gets a second; more wait; 0: none waits",
                "한 주소가 1초에 받는 잘못된 키 응답 수. 넘으면 기다리며, 0이면 기다리지 않음"},
               0, 1'000'000);
  settings.AddBytes("max-body", &max_body, {"Largest request body", "요청 본문의 최대 크기"});
  settings.Add(
      "drain-seconds", &drain_seconds,
      {"After SIGTERM, time for answers to end", "SIGTERM 뒤 답변이 끝나기를 기다리는 시간(초)"}, 0,
      86400);
}

Result<std::unique_ptr<net::Server>> ListenSettings::Listen(
    net::Handler handler, const std::function<void(net::ServerOptions&)>& adjust) const {
  net::ServerOptions options;
  options.address = host;
  options.port = static_cast<uint16_t>(port);
  options.threads = static_cast<size_t>(network_threads);
  options.max_connections = static_cast<size_t>(max_connections);
  options.max_connections_per_address = static_cast<size_t>(max_connections_per_address);
  options.max_body_bytes = max_body;
  options.unauthorized_per_second = static_cast<size_t>(wrong_keys_per_second);
  options.error_body = &Service::ErrorBody;
  if (adjust) adjust(options);
  auto server = net::Server::Start(options, std::move(handler));
  if (!server) {
    return Fail(server.error().code, server.error().message + "; --host and --port choose another",
                server.error().where);
  }
  return server;
}

void ListenSettings::Drain(net::Server& server) const {
  Log(LogLevel::kInfo, "stopping: answers in flight may end");
  if (!server.Drain(std::chrono::seconds(drain_seconds))) {
    Log(LogLevel::kWarning, "some answers did not end in time and were cut");
  }
}

std::string ListenSettings::Url(uint16_t port_in_use) const {
  const std::string shown = host == "0.0.0.0" || host == "::" ? "127.0.0.1" : host;
  return shown.find(':') == std::string::npos ? fmt::format("http://{}:{}", shown, port_in_use)
                                              : fmt::format("http://[{}]:{}", shown, port_in_use);
}

}  // namespace jikji
