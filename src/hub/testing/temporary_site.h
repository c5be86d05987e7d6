// A hub that is served on a free port, and a client for it, for tests.
#ifndef JIKJI_HUB_TESTING_TEMPORARY_SITE_H_
#define JIKJI_HUB_TESTING_TEMPORARY_SITE_H_

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <fstream>
#include <memory>
#include <string>

#include "base/json.h"
#include "hub/accounts.h"
#include "hub/http/site.h"
#include "hub/names.h"
#include "hub/testing/temporary_hub.h"
#include "net/client.h"
#include "net/server.h"

namespace jikji::hub {

// A safetensors file of some hundred bytes.
inline std::string SmallWeights(char fill = 'w') {
  const std::string header = R"({"w":{"dtype":"U8","shape":[600],"data_offsets":[0,600]}})";
  std::string out(8, '\0');
  out[0] = static_cast<char>(header.size());
  return out + header + std::string(600, fill);
}

inline std::string FieldOf(const net::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (Folded(key) == Folded(name)) return value;
  }
  return {};
}

class TemporarySite {
 public:
  explicit TemporarySite(Record record = nullptr)
      : site_(Site::Create(*hub_, {"", 3, nullptr, std::move(record)})) {
    net::ServerOptions options;
    options.port = 0;
    site_->Configure(options);
    auto server = net::Server::Start(options, site_->handler());
    EXPECT_TRUE(server.has_value());
    if (server) server_ = *std::move(server);
  }
  ~TemporarySite() {
    server_.reset();
    site_->Stop();
  }

  Hub& hub() { return *hub_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  void UseToken(std::string token) { token_ = std::move(token); }
  std::string AddAccount(const std::string& name, AccountRole role) {
    auto session = hub_->Connect();
    auto token = hub::AddAccount(**session, {name, role, {}});
    EXPECT_TRUE(token.has_value());
    return token.value_or("");
  }

  net::Response Request(const std::string& method, const std::string& path,
                        const std::string& body = {}, net::Headers headers = {}) {
    if (!token_.empty()) headers.emplace_back("Authorization", "Bearer " + token_);
    return Fetch({method, url() + path, std::move(headers), body});
  }
  net::Response Get(const std::string& path, net::Headers headers = {}) {
    return Request("GET", path, {}, std::move(headers));
  }
  net::Response Head(const std::string& path) { return Request("HEAD", path); }
  net::Response Post(const std::string& path, const std::string& body) {
    return Request("POST", path, body);
  }
  // To URLs that carry their own right: without a token.
  net::Response Put(const std::string& url, const std::string& body) {
    return Fetch({"PUT", url, {}, body});
  }
  net::Response PostUrl(const std::string& url, const std::string& body) {
    return Fetch({"POST", url, {}, body});
  }
  net::Response GetUrl(const std::string& url) { return Fetch({"GET", url, {}, {}}); }

  boost::json::value GetJson(const std::string& path) { return Parsed(Get(path)); }
  boost::json::value PostJson(const std::string& path, const std::string& body,
                              const std::string& type = "application/json") {
    return Parsed(Request("POST", path, body, {{"Content-Type", type}}));
  }

  // Commits one small file to `main`.
  net::Response Commit(const std::string& repository, const std::string& path,
                       const std::string& content) {
    const boost::json::object header{{"key", "header"}, {"value", {{"summary", "add " + path}}}};
    const boost::json::object file{
        {"key", "file"},
        {"value", {{"path", path}, {"content", Base64Of(content)}, {"encoding", "base64"}}}};
    return Post("/api/models/" + repository + "/commit/main",
                boost::json::serialize(header) + "\n" + boost::json::serialize(file) + "\n");
  }

 private:
  static net::Response Fetch(const net::ClientRequest& request) {
    auto response = net::Fetch(request);
    EXPECT_TRUE(response.has_value()) << (response ? "" : response.error().ToString());
    return response.value_or(net::Response{.status = 0, .headers = {}, .body = {}});
  }
  static boost::json::value Parsed(const net::Response& response) {
    EXPECT_EQ(response.status, 200) << response.body;
    return ParseJson(response.body).value_or(nullptr);
  }

  TemporaryHub hub_;
  std::unique_ptr<Site> site_;
  std::unique_ptr<net::Server> server_;
  std::string token_;
};

}  // namespace jikji::hub

#endif  // JIKJI_HUB_TESTING_TEMPORARY_SITE_H_
