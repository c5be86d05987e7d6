#include "app/membership/registration_settings.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

namespace jikji {
namespace {

// This machine, as others may know it.
std::string HostName() {
  std::array<char, 256> name{};
  if (gethostname(name.data(), name.size() - 1) != 0) return "127.0.0.1";
  return name.data();
}

}  // namespace

void RegistrationSettings::AddTo(Settings& settings) {
  settings.Add("register", &etcd,
               {"etcd to register in, http://HOST:PORT, for `jikji route --etcd`; may be repeated",
                "`jikji route --etcd`가 찾도록 등록할 etcd, http://HOST:PORT. 여러 번 쓸 수 있음"});
  settings.Add("register-prefix", &prefix, {"Beginning of the key there", "등록하는 키의 앞부분"});
  settings.Add("advertise", &advertise,
               {"URL that routers reach this node by; else from --host and --port",
                "라우터가 이 노드에 접속할 URL. 없으면 --host와 --port에서"});
  settings.Add("lease-seconds", &lease_seconds,
               {"After so long without a word from it, a node is forgotten",
                "이 시간 동안 소식이 없는 노드는 목록에서 빠짐(초)"},
               1, 3600);
}

Result<std::unique_ptr<Registration>> RegistrationSettings::Start(const ListenSettings& listen,
                                                                  uint16_t port) const {
  if (etcd.empty()) return nullptr;
  RegistrationOptions options;
  options.etcd = etcd;
  options.prefix = prefix;
  options.lease = std::chrono::seconds(lease_seconds);
  options.url = advertise;
  if (options.url.empty()) {
    const bool everywhere = listen.host == "0.0.0.0" || listen.host == "::";
    options.url = everywhere ? fmt::format("http://{}:{}", HostName(), port) : listen.Url(port);
  }
  return Registration::Start(std::move(options));
}

}  // namespace jikji
