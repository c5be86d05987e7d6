#include <gtest/gtest.h>

#include <atomic>
#include <boost/json.hpp>
#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "app/membership/etcd_messages.h"
#include "app/membership/node_url.h"
#include "app/membership/node_watch.h"
#include "app/membership/registration.h"
#include "base/json.h"
#include "base/test_rounds.h"
#include "net/server.h"

namespace jikji {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// As much of etcd's gateway as membership uses, in memory; leases end when the test says so.
// tests/membership holds the same code to the real one.
class FakeEtcd {
 public:
  FakeEtcd() {
    net::ServerOptions options;
    options.port = 0;
    auto server = net::Server::Start(options, [this](net::Request request, auto responder) {
      Answer(request, std::move(responder));
    });
    EXPECT_TRUE(server) << server.error().ToString();
    server_ = *std::move(server);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  // As if the time of all leases were up.
  void EndLeases() {
    const std::lock_guard lock(mutex_);
    leases_.clear();
    keys_.clear();
    Changed();
  }
  void Put(const std::string& key, const std::string& value) {
    const std::lock_guard lock(mutex_);
    keys_[key] = {value, 0};
    Changed();
  }
  // Waits until the keys are these.
  bool WaitForKeys(const std::set<std::string>& wanted) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(20), [&] {
      std::set<std::string> now;
      for (const auto& [key, value] : keys_) now.insert(key);
      return now == wanted;
    });
  }
  std::atomic<bool> broken = false;

 private:
  void Changed() {
    ++revision_;
    for (const auto& watcher : watchers_) {
      watcher->Write(R"({"result":{"header":{},"events":[{"type":"DELETE"}]}})"
                     "\n");
      watcher->End();
    }
    watchers_.clear();
    changed_.notify_all();
  }

  void Answer(const net::Request& request, std::shared_ptr<net::Responder> responder) {
    net::Response response;
    if (broken) {
      response.status = 503;
      return responder->Send(response);
    }
    const boost::json::object body = ParseJson(request.body)->as_object();
    const std::lock_guard lock(mutex_);
    boost::json::object answer = {{"header", {{"revision", std::to_string(revision_)}}}};
    if (request.path == "/v3/lease/grant") {
      leases_.insert(++last_lease_);
      answer["ID"] = std::to_string(last_lease_);
      answer["TTL"] = "1";
    } else if (request.path == "/v3/lease/keepalive") {
      boost::json::object result = {{"ID", body.at("ID")}};
      if (leases_.contains(*TextInteger(body, "ID"))) result["TTL"] = "1";
      answer = {{"result", result}};
    } else if (request.path == "/v3/lease/revoke") {
      const int64_t lease = *TextInteger(body, "ID");
      leases_.erase(lease);
      std::erase_if(keys_, [&](const auto& item) { return item.second.lease == lease; });
      Changed();
    } else if (request.path == "/v3/kv/put") {
      keys_[*DecodeBase64(body.at("key").as_string())] = {
          *DecodeBase64(body.at("value").as_string()), *TextInteger(body, "lease")};
      Changed();
    } else if (request.path == "/v3/kv/range") {
      boost::json::array items;
      for (const auto& [key, value] : keys_) {
        items.push_back({{"key", EncodeBase64(key)}, {"value", EncodeBase64(value.text)}});
      }
      answer["kvs"] = items;
    } else {
      const auto start = *TextInteger(body.at("create_request").as_object(), "start_revision");
      responder->Begin(response);
      responder->Write("{\"result\":{\"created\":true}}\n");
      watchers_.push_back(responder);
      if (start <= revision_) Changed();
      return;
    }
    response.body = boost::json::serialize(answer);
    responder->Send(response);
  }

  struct Value {
    std::string text;
    int64_t lease;
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t revision_ = 1, last_lease_ = 0;
  std::set<int64_t> leases_;
  std::map<std::string, Value> keys_;
  std::vector<std::shared_ptr<net::Responder>> watchers_;
  std::unique_ptr<net::Server> server_;
};

// What a watch has reported last.
class Reports {
 public:
  NodeWatch::OnNodes taker() {
    return [this](std::vector<std::string> urls) {
      const std::lock_guard lock(mutex_);
      last_ = std::move(urls);
      changed_.notify_all();
    };
  }
  bool WaitFor(const std::vector<std::string>& urls) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, seconds(20), [&] { return last_ == urls; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> last_;
};

std::unique_ptr<Registration> Register(const FakeEtcd& etcd, const std::string& url) {
  RegistrationOptions options;
  options.etcd = {etcd.url()};
  options.url = url;
  options.retry = milliseconds(5);
  auto made = Registration::Start(options);
  EXPECT_TRUE(made) << made.error().ToString();
  return *std::move(made);
}

std::unique_ptr<NodeWatch> Watch(const FakeEtcd& etcd, Reports& reports) {
  NodeWatchOptions options;
  options.etcd = {etcd.url()};
  options.retry = milliseconds(5);
  auto made = NodeWatch::Start(options, reports.taker());
  EXPECT_TRUE(made) << made.error().ToString();
  return *std::move(made);
}

TEST(Membership, NodesComeAndGo) {
  FakeEtcd etcd;
  Reports reports;
  const auto watch = Watch(etcd, reports);
  const auto a = Register(etcd, "http://a:1");
  EXPECT_TRUE(reports.WaitFor({"http://a:1"}));
  auto b = Register(etcd, "http://b:1/");
  EXPECT_TRUE(reports.WaitFor({"http://a:1", "http://b:1"}));
  b.reset();
  EXPECT_TRUE(reports.WaitFor({"http://a:1"}));
  EXPECT_TRUE(etcd.WaitForKeys({"/jikji/nodes/a:1"}));
}

TEST(Membership, ALostLeaseIsTakenAnew) {
  FakeEtcd etcd;
  const auto node = Register(etcd, "http://a:1");
  EXPECT_TRUE(etcd.WaitForKeys({"/jikji/nodes/a:1"}));
  etcd.EndLeases();
  EXPECT_TRUE(etcd.WaitForKeys({}));
  EXPECT_TRUE(etcd.WaitForKeys({"/jikji/nodes/a:1"}));
}

TEST(Membership, WhereEtcdIsAwayTheKnownNodesStay) {
  FakeEtcd etcd;
  Reports reports;
  etcd.broken = true;
  const auto watch = Watch(etcd, reports);
  auto a = Register(etcd, "http://a:1");
  etcd.broken = false;
  EXPECT_TRUE(reports.WaitFor({"http://a:1"}));  // both kept trying
  // The last entry goes: the watch hears of it, and reports no empty list; then one that is new.
  a.reset();
  EXPECT_TRUE(etcd.WaitForKeys({}));
  EXPECT_TRUE(reports.WaitFor({"http://a:1"}));
  const auto b = Register(etcd, "http://b:1");
  EXPECT_TRUE(reports.WaitFor({"http://b:1"}));
}

TEST(Membership, EntriesThatNameNoNodeArePassedOver) {
  FakeEtcd etcd;
  Reports reports;
  etcd.Put("/jikji/nodes/x", "not json");
  etcd.Put("/jikji/nodes/y", R"({"url": "https://y:1"})");
  etcd.Put("/jikji/nodes/z", R"({"url": "http://z:1"})");
  const auto watch = Watch(etcd, reports);
  EXPECT_TRUE(reports.WaitFor({"http://z:1"}));
}

TEST(Membership, BadOptionsAreErrors) {
  RegistrationOptions options;
  options.etcd = {"http://127.0.0.1:1"};
  options.url = "https://a:1";
  EXPECT_EQ(Registration::Start(options).error().code, ErrorCode::kInvalidArgument);
  options.url = "http://a:1";
  options.etcd = {};
  EXPECT_EQ(Registration::Start(options).error().code, ErrorCode::kInvalidArgument);
}

TEST(Etcd, TheNextEndpointIsAskedWhereOneDoesNotAnswer) {
  FakeEtcd etcd;
  auto client = Etcd::Create({"http://127.0.0.1:1", etcd.url()});
  ASSERT_TRUE(client);
  EXPECT_TRUE(client->Grant(seconds(1)));
  EXPECT_TRUE(client->List("/jikji/"));
}

TEST(EtcdMessages, Base64GoesThereAndBack) {
  EXPECT_EQ(EncodeBase64("a"), "YQ==");
  EXPECT_EQ(EncodeBase64("ab"), "YWI=");
  EXPECT_EQ(EncodeBase64("abc"), "YWJj");
  std::mt19937_64 random(1);
  for (int round = 0; round < TestRounds(2000); ++round) {
    std::string bytes(random() % 50, ' ');
    for (char& c : bytes) c = static_cast<char>(random());
    const auto back = DecodeBase64(EncodeBase64(bytes));
    ASSERT_TRUE(back);
    EXPECT_EQ(*back, bytes);
  }
  for (const char* bad : {"a", "====", "YQ=a", "YQ!=", "YQ==YQ=="}) {
    EXPECT_FALSE(DecodeBase64(bad)) << bad;
  }
}

TEST(EtcdMessages, ThePrefixEndIsAfterAllThatBeginWithIt) {
  EXPECT_EQ(PrefixEnd("/a/"), "/a0");
  EXPECT_EQ(PrefixEnd("a\xFF"), "b");
  EXPECT_EQ(PrefixEnd("\xFF"), std::string(1, '\0'));
}

TEST(EtcdMessages, BrokenAnswersAreErrors) {
  const std::string text =
      R"({"header":{"revision":"7"},"kvs":[{"key":"YQ==","value":"Yg=="}],"count":"1"})";
  const auto listing = ParseListing(ParseJson(text)->as_object());
  ASSERT_TRUE(listing);
  EXPECT_EQ(listing->revision, 7);
  EXPECT_EQ(listing->values.at("a"), "b");
  std::mt19937_64 random(2);
  for (int round = 0; round < TestRounds(3000); ++round) {
    std::string broken = text;
    for (int i = 0; i < 3; ++i) broken[random() % broken.size()] = static_cast<char>(random());
    const auto parsed = ParseJson(broken);
    if (parsed && parsed->is_object()) {
      const auto read = ParseListing(parsed->as_object());
      EXPECT_TRUE(!read || read->values.size() <= 1);
    }
    (void)TellsChange(broken);
  }
  EXPECT_FALSE(TellsChange("{}"));
  EXPECT_FALSE(TellsChange("[]"));
  EXPECT_FALSE(*TellsChange(R"({"result":{"created":true}})"));
  EXPECT_TRUE(*TellsChange(R"({"result":{"canceled":true}})"));
  EXPECT_TRUE(*TellsChange(R"({"result":{"events":[{}]}})"));
}

TEST(NodeUrl, IsHostAndPortOnly) {
  EXPECT_EQ(*NodeUrl("http://h:1//"), "http://h:1");
  EXPECT_EQ(EndpointOf("http://h:1"), "h:1");
  EXPECT_EQ(*NodeUrl("http://[::1]:80"), "http://[::1]:80");
  for (const char* bad : {"", "h:1", "https://h:1", "http://", "http://h:1/p", "http://u@h:1",
                          "http://h:1?q", "http://h", "http://h:", "http://:1", "http://h:0",
                          "http://h:99999", "http://h:1x", "http://[::1]"}) {
    EXPECT_FALSE(NodeUrl(bad)) << bad;
  }
}

}  // namespace
}  // namespace jikji
