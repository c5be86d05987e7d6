// Hubs that send their files from another host, as public ones do.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hub/client/remote.h"
#include "net/server.h"

namespace jikji::hub {
namespace {

// Answers with what `answer` says, and remembers who asked.
class Host {
 public:
  explicit Host(std::function<net::Response(const net::Request&)> answer) {
    net::ServerOptions options;
    options.port = 0;
    auto server = net::Server::Start(
        options, [this, answer = std::move(answer)](net::Request request,
                                                    std::shared_ptr<net::Responder> responder) {
          {
            const std::lock_guard lock(mutex_);
            authorizations_.emplace_back(request.Header("Authorization"));
          }
          responder->Send(answer(request));
        });
    EXPECT_TRUE(server);
    server_ = *std::move(server);
  }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  std::vector<std::string> authorizations() {
    const std::lock_guard lock(mutex_);
    return authorizations_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> authorizations_;
  std::unique_ptr<net::Server> server_;
};

net::Response To(const std::string& location) {
  net::Response response;
  response.status = 302;
  response.headers = {{"Location", location}};
  return response;
}

Result<std::string> ReadAll(Remote& remote) {
  JIKJI_ASSIGN(net::BodyReader body, remote.Read("a/b", std::string(40, '0'), "file.bin", 2, 6));
  std::string out(body.left(), '\0');
  JIKJI_RETURN_IF_ERROR(body.Read(out));
  return out;
}

TEST(Redirects, AreFollowedAndTheTokenStaysBehind) {
  Host files([](const net::Request& request) {
    net::Response response;
    response.status = request.Header("Range") == "bytes=2-5" ? 206 : 200;
    response.body = "2345";
    return response;
  });
  Host hub([&](const net::Request& request) {
    return request.path == "/again" ? To(files.url() + "/signed?x=1") : To("/again");
  });
  Remote remote(hub.url(), "hf_secret");
  const auto read = ReadAll(remote);
  ASSERT_TRUE(read) << read.error().ToString();
  EXPECT_EQ(*read, "2345");
  const std::vector<std::string> twice{"Bearer hf_secret", "Bearer hf_secret"};
  EXPECT_EQ(hub.authorizations(), twice) << "the hub's own pages are asked as before";
  EXPECT_EQ(files.authorizations(), std::vector<std::string>{""});
}

TEST(Redirects, RoundAndRoundOrNowhereEnds) {
  Host round([](const net::Request&) { return To("/again"); });
  Remote remote(round.url(), "");
  EXPECT_FALSE(ReadAll(remote));
  EXPECT_EQ(round.authorizations().size(), 6u);
  for (const char* location : {"ftp://x/y", "//x/y", "file:///etc/passwd", ""}) {
    Host host([&](const net::Request&) { return To(location); });
    Remote other(host.url(), "");
    EXPECT_EQ(ReadAll(other).error().code, ErrorCode::kMalformed) << location;
    EXPECT_EQ(host.authorizations().size(), 1u);
  }
}

}  // namespace
}  // namespace jikji::hub
