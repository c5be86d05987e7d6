// The settings of every command that serves: where it listens, its limits, and how it ends.
#ifndef JIKJI_APP_LISTEN_SETTINGS_H_
#define JIKJI_APP_LISTEN_SETTINGS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "app/settings.h"
#include "base/error.h"
#include "net/server.h"

namespace jikji {

struct ListenSettings {
  std::string host = "127.0.0.1";
  int64_t port;
  int64_t network_threads = 1;
  int64_t max_connections = 16384;
  int64_t max_connections_per_address = 4096;
  int64_t wrong_keys_per_second = 20;
  uint64_t max_body = 8u << 20;
  int64_t drain_seconds = 30;

  explicit ListenSettings(int64_t usual_port) : port(usual_port) {}

  void AddTo(Settings& settings);

  // `adjust` sees the options last.
  Result<std::unique_ptr<net::Server>> Listen(
      net::Handler handler, const std::function<void(net::ServerOptions&)>& adjust = nullptr) const;
  // Lets answers in flight end, and cuts what does not in time.
  void Drain(net::Server& server) const;

  // As others on this machine reach it: http://127.0.0.1:8080 for 0.0.0.0.
  std::string Url(uint16_t port_in_use) const;
};

}  // namespace jikji

#endif  // JIKJI_APP_LISTEN_SETTINGS_H_
