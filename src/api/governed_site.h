// For tests: the API under governance, over a fake engine and a store of each kind.
#ifndef JIKJI_API_GOVERNED_SITE_H_
#define JIKJI_API_GOVERNED_SITE_H_

#include <memory>
#include <string>

#include "api/fakes.h"
#include "api/route_table.h"
#include "govern/testing/site.h"

namespace jikji {

inline constexpr const char* kChat =
    R"({"messages":[{"role":"user","content":"hi"}],"max_tokens":4})";
inline constexpr const char* kCompletion = R"({"prompt":"hi","max_tokens":4})";

class GovernedSite : public Site {
 protected:
  void SetUp() override {
    Site::SetUp();
    ASSERT_TRUE(admin_->SetPrice("fake", "KRW", 0, kPrices));
    governor_ = Open();
    ASSERT_NE(governor_, nullptr);
    ApiOptions options;
    options.governor = governor_.get();
    server_ = std::make_unique<FakeServer>(options);
  }
  void TearDown() override {
    server_.reset();
    governor_.reset();
    Site::TearDown();
  }

  std::shared_ptr<FakeResponder> Ask(const std::string& secret, const Route& route,
                                     const std::string& peer = "127.0.0.1:9") {
    std::string path(route.path);
    if (path.ends_with('*')) path.replace(path.size() - 1, 1, "fake");
    return Ask(secret, std::string(route.method), path,
               path == "/v1/chat/completions" ? kChat
               : path == "/detokenize"        ? R"({"tokens":[1]})"
                                              : kCompletion,
               peer);
  }
  std::shared_ptr<FakeResponder> Ask(const std::string& secret, const std::string& method,
                                     const std::string& path, const std::string& body,
                                     const std::string& peer = "127.0.0.1:9") {
    auto responder = std::make_shared<FakeResponder>();
    net::Request request;
    request.method = method;
    request.path = path;
    request.body = body;
    request.peer = peer;
    if (!secret.empty()) request.headers = {{"Authorization", "Bearer " + secret}};
    const size_t query = request.path.find('?');
    if (query != std::string::npos) {
      request.query = request.path.substr(query + 1);
      request.path.resize(query);
    }
    const Route* route = FindRoute(method, request.path).route;
    server_->service->handler()(std::move(request), responder);
    if (route != nullptr && route->waits) responder->ready.wait();
    return responder;
  }
  std::shared_ptr<FakeResponder> Post(const std::string& body) {
    return Ask(key_.secret, "POST", "/v1/completions", body);
  }
  static std::string CodeOf(const FakeResponder& answer) {
    const auto code = answer.Json().at("error").at("code");
    return code.is_string() ? std::string(code.as_string()) : "";
  }

  std::unique_ptr<Governor> governor_;
  std::unique_ptr<FakeServer> server_;
};

}  // namespace jikji

#endif  // JIKJI_API_GOVERNED_SITE_H_
