// Writers of JSON, request ids, keys and origins.
#include <gtest/gtest.h>

#include <cmath>
#include <latch>
#include <limits>

#include "api/access.h"
#include "api/api_error.h"
#include "api/fakes.h"
#include "api/json_text.h"
#include "api/request_id.h"
#include "base/utf8.h"
#include "base/workers.h"

namespace jikji {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, out);
  return out;
}

TEST(JsonText, EscapesWhatJsonEscapes) {
  EXPECT_EQ(Quoted("한글 \"\\/\n\r\t"), R"("한글 \"\\/\n\r\t")");
  EXPECT_EQ(Quoted(std::string_view("\0\x01\x1f\x7f", 4)), R"("\u0000\u0001\u001f\u007f")");
}

TEST(JsonText, EveryByteStringReadsBackAsItsValidForm) {
  std::string text;
  for (int i = 0; i < 4096; ++i) text += static_cast<char>((i * 7919) >> 3);
  const std::string quoted = Quoted(text);
  EXPECT_TRUE(IsValidUtf8(quoted));
  EXPECT_EQ(FakeResponder::Parse(quoted).as_string(), ReplaceInvalidUtf8(text));
}

TEST(JsonText, LogprobsAreFiniteAndNotPositive) {
  const auto written = [](float value) {
    std::string out;
    AppendJsonLogprob(value, out);
    return out;
  };
  EXPECT_EQ(written(-0.5f), "-0.5");
  EXPECT_EQ(written(-std::numeric_limits<float>::infinity()), "-9999.0");
  EXPECT_EQ(written(std::nanf("")), "-9999.0");
  EXPECT_EQ(written(1e-7f), "0");
  EXPECT_FLOAT_EQ(std::stof(written(-1.2345678e-20f)), -1.2345678e-20f);
}

TEST(ApiErrorTest, AlwaysHasAllFourKeys) {
  const auto json = FakeResponder::Parse(ErrorOfStatus(500, "no \"luck\"").ToJson());
  const auto& error = json.at("error").as_object();
  EXPECT_EQ(error.size(), 4u);
  EXPECT_EQ(error.at("message").as_string(), "no \"luck\"");
  EXPECT_TRUE(error.at("param").is_null());
  EXPECT_TRUE(error.at("code").is_null());
  EXPECT_EQ(FakeResponder::Parse(Service::ErrorBody(413, "too large")).at("error").at("type"),
            "invalid_request_error");
}

TEST(ApiErrorTest, CodesBecomeStatuses) {
  const auto of = [](ErrorCode code) { return ApiError(Error{code, "m", "field"}); };
  EXPECT_EQ(of(ErrorCode::kInvalidArgument).status, 400);
  EXPECT_EQ(of(ErrorCode::kInvalidArgument).param, "field");
  EXPECT_EQ(of(ErrorCode::kUnavailable).status, 503);
  EXPECT_EQ(of(ErrorCode::kUnavailable).type, "unavailable_error");
  EXPECT_TRUE(of(ErrorCode::kUnavailable).retry_after.has_value());
  EXPECT_EQ(of(ErrorCode::kUnauthenticated).type, "authentication_error");
  // Where a defect was is no field of the caller's.
  EXPECT_EQ(of(ErrorCode::kInternal).param, std::nullopt);
}

TEST(RequestId, KeepsUsableOnesAndMakesOthers) {
  EXPECT_EQ(ResolveRequestId("abc-123"), "abc-123");
  EXPECT_EQ(ResolveRequestId(std::string(128, 'x')), std::string(128, 'x'));
  for (const std::string& bad : {std::string(), std::string(129, 'x'), std::string("a\r\nb"),
                                 std::string("a b"), std::string("한글")}) {
    const std::string id = ResolveRequestId(bad);
    EXPECT_EQ(id.size(), 32u);
    EXPECT_TRUE(IsUsableRequestId(id));
  }
  EXPECT_NE(RandomId(), RandomId());
}

TEST(KeyGuardTest, AdmitsTheRightKeyOnly) {
  const KeyGuard guard({"first-key", "second"});
  EXPECT_TRUE(guard.Admits("Bearer first-key"));
  EXPECT_TRUE(guard.Admits("bearer second"));
  EXPECT_TRUE(guard.Admits("Bearer  second "));
  for (const char* bad : {"", "Bearer", "Bearer ", "Bearer first-ke", "Bearer first-keyy",
                          "Bearer secondsecond", "Basic second", "second", "Bearer Second"}) {
    EXPECT_FALSE(guard.Admits(bad)) << bad;
  }
  EXPECT_TRUE(KeyGuard({}).Admits(""));
}

net::Request From(const char* origin, const char* host) {
  net::Request request;
  request.headers = {{"Origin", origin}, {"Host", host}};
  return request;
}

TEST(CorsPolicyTest, ListedAndOwnOriginsMayCall) {
  const CorsPolicy policy({"https://a.example"});
  EXPECT_TRUE(policy.Admits(From("https://a.example", "127.0.0.1:8080")));
  EXPECT_TRUE(policy.Admits(From("http://127.0.0.1:8080", "127.0.0.1:8080")));
  EXPECT_TRUE(policy.Admits(net::Request()));
  EXPECT_FALSE(policy.Admits(From("https://b.example", "127.0.0.1:8080")));
  EXPECT_FALSE(policy.Admits(From("null", "127.0.0.1:8080")));
  EXPECT_EQ(policy.AnswerHeaders(From("https://a.example", "x")).front().second,
            "https://a.example");
  EXPECT_TRUE(policy.AnswerHeaders(From("https://b.example", "x")).empty());
  EXPECT_TRUE(CorsPolicy({"*"}).Admits(From("null", "x")));
}

TEST(WorkersTest, TakeNoMoreThanTheyMayHold) {
  std::latch started(1), go(1), done(3);
  Workers workers(1, 2);
  const auto job = [&] { done.count_down(); };
  ASSERT_TRUE(workers.Post([&] {
    started.count_down();
    go.wait();
    done.count_down();
  }));
  started.wait();
  EXPECT_TRUE(workers.Post(job));
  EXPECT_TRUE(workers.Post(job));
  EXPECT_FALSE(workers.Post(job));
  go.count_down();
  done.wait();
  workers.Stop();
  EXPECT_FALSE(workers.Post(job));
}

}  // namespace
}  // namespace jikji
