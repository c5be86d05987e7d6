#include "net/message.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace jikji::net {
namespace {

struct BadHead {
  const char* why;
  std::string text;
  int status;
};

std::string Head(std::string_view line, std::string_view fields = "Host: x\r\n") {
  return std::string(line) + "\r\n" + std::string(fields) + "\r\n";
}

TEST(RequestHead, KeepsWhatWasSent) {
  const auto head =
      ParseRequestHead(Head("POST /a%20b/%ED%95%9C?q=%20+x HTTP/1.1",
                            "Host: x:80\r\nX-Two:  a b\t\r\nx-two:\r\nContent-Length: 12\r\n"));
  ASSERT_TRUE(head) << head.error().message;
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->path, "/a b/한");
  EXPECT_EQ(head->query, "q=%20+x");
  EXPECT_EQ(head->content_length, 12u);
  ASSERT_EQ(head->headers.size(), 4u);
  EXPECT_EQ(head->headers[1], (std::pair<std::string, std::string>("X-Two", "a b")));
  EXPECT_EQ(head->headers[2].second, "");
  EXPECT_TRUE(head->keep_alive);
  EXPECT_FALSE(head->chunked);
}

TEST(RequestHead, TakesEveryFormOfTarget) {
  const auto target = [](std::string_view line) {
    const auto head = ParseRequestHead(Head(line));
    return head ? head->path + "|" + head->query : "error: " + head.error().message;
  };
  EXPECT_EQ(target("GET http://host:80/a/b?c HTTP/1.1"), "/a/b|c");
  EXPECT_EQ(target("GET HTTPS://host HTTP/1.1"), "/|");
  EXPECT_EQ(target("GET http://host?q=/ HTTP/1.1"), "/|q=/");
  EXPECT_EQ(target("OPTIONS * HTTP/1.1"), "*|");
  EXPECT_EQ(target("GET //a/../b? HTTP/1.1"), "//a/../b|");
  EXPECT_EQ(target("GET /한글 HTTP/1.1"), "/한글|");
}

TEST(RequestHead, DecidesWhetherTheConnectionStays) {
  const auto stays = [](std::string_view version, std::string_view fields) {
    const auto head = ParseRequestHead(
        Head("GET / " + std::string(version), "Host: x\r\n" + std::string(fields)));
    return head && head->keep_alive;
  };
  EXPECT_TRUE(stays("HTTP/1.1", ""));
  EXPECT_FALSE(stays("HTTP/1.1", "Connection: close\r\n"));
  EXPECT_FALSE(stays("HTTP/1.1", "Connection: keep-alive, CLOSE\r\n"));
  EXPECT_FALSE(stays("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
  EXPECT_FALSE(stays("HTTP/1.0", ""));
  EXPECT_TRUE(stays("HTTP/1.0", "Connection: Keep-Alive\r\n"));
}

TEST(RequestHead, RefusesWhatServersDisagreeAbout) {
  const std::string host = "Host: x\r\n";
  const std::string nul("GET /\0 HTTP/1.1", 15);
  const BadHead cases[] = {
      {"both lengths",
       Head("POST / HTTP/1.1", host + "Content-Length: 3\r\n"
                                      "Transfer-Encoding: chunked\r\n"),
       400},
      {"both, other order",
       Head("POST / HTTP/1.1", host + "Transfer-Encoding: chunked\r\n"
                                      "Content-Length: 3\r\n"),
       400},
      {"lengths differ",
       Head("POST / HTTP/1.1", host + "Content-Length: 3\r\n"
                                      "Content-Length: 4\r\n"),
       400},
      {"length list", Head("POST / HTTP/1.1", host + "Content-Length: 3, 3\r\n"), 400},
      {"signed length", Head("POST / HTTP/1.1", host + "Content-Length: +3\r\n"), 400},
      {"negative length", Head("POST / HTTP/1.1", host + "Content-Length: -1\r\n"), 400},
      {"hex length", Head("POST / HTTP/1.1", host + "Content-Length: 0x3\r\n"), 400},
      {"no length", Head("POST / HTTP/1.1", host + "Content-Length:\r\n"), 400},
      {"unknown coding", Head("POST / HTTP/1.1", host + "Transfer-Encoding: gzip\r\n"), 501},
      {"hidden coding", Head("POST / HTTP/1.1", host + "Transfer-Encoding: xchunked\r\n"), 501},
      {"two codings", Head("POST / HTTP/1.1", host + "Transfer-Encoding: gzip, chunked\r\n"), 501},
      {"coding twice",
       Head("POST / HTTP/1.1", host + "Transfer-Encoding: chunked\r\n"
                                      "Transfer-Encoding: chunked\r\n"),
       400},
      {"chunked in 1.0", Head("POST / HTTP/1.0", host + "Transfer-Encoding: chunked\r\n"), 400},
      {"folded", Head("GET / HTTP/1.1", host + "A: b\r\n c\r\n"), 400},
      {"folded first", Head("GET / HTTP/1.1", " A: b\r\n" + host), 400},
      {"space before colon", Head("GET / HTTP/1.1", host + "Content-Length : 3\r\n"), 400},
      {"no colon", Head("GET / HTTP/1.1", host + "nonsense\r\n"), 400},
      {"empty name", Head("GET / HTTP/1.1", host + ": x\r\n"), 400},
      {"NUL in a value", Head("GET / HTTP/1.1", host + std::string("A: \0\r\n", 6)), 400},
      {"bare CR in a value", Head("GET / HTTP/1.1", host + "A: b\rC: d\r\n"), 400},
      {"no Host", Head("GET / HTTP/1.1", ""), 400},
      {"two Hosts", Head("GET / HTTP/1.1", host + host), 400},
      {"Host with a path", Head("GET / HTTP/1.1", "Host: x/y\r\n"), 400},
      {"NUL in the path", Head(nul), 400},
      {"escaped NUL", Head("GET /%00 HTTP/1.1"), 400},
      {"escaped line break", Head("GET /%0d%0a HTTP/1.1"), 400},
      {"broken escape", Head("GET /%4 HTTP/1.1"), 400},
      {"not hex", Head("GET /%zz HTTP/1.1"), 400},
      {"fragment", Head("GET /a#b HTTP/1.1"), 400},
      {"space in the path", Head("GET /a b HTTP/1.1"), 400},
      {"authority form", Head("CONNECT x:80 HTTP/1.1"), 400},
      {"no path", Head("GET a HTTP/1.1"), 400},
      {"other scheme", Head("GET ftp://x/ HTTP/1.1"), 400},
      {"no host in URL", Head("GET http:///x HTTP/1.1"), 400},
      {"no version", Head("GET /"), 400},
      {"0.9", Head("GET / HTTP/0.9"), 505},
      {"2.0", Head("GET / HTTP/2.0"), 505},
      {"lower case version", Head("GET / http/1.1"), 400},
      {"long version", Head("GET / HTTP/1.10"), 400},
      {"method with a colon", Head("GE:T / HTTP/1.1"), 400},
      {"no method", Head(" / HTTP/1.1"), 400},
      {"empty line", Head(""), 400},
      {"unknown expectation", Head("POST / HTTP/1.1", host + "Expect: 200-ok\r\n"), 417},
      {"long target", Head("GET /" + std::string(kMaxTargetBytes, 'a') + " HTTP/1.1"), 414},
  };
  for (const BadHead& bad : cases) {
    const auto head = ParseRequestHead(bad.text);
    ASSERT_FALSE(head) << bad.why;
    EXPECT_EQ(head.error().status, bad.status) << bad.why << ": " << head.error().message;
    EXPECT_FALSE(head.error().message.empty()) << bad.why;
  }
}

TEST(RequestHead, CountsFields) {
  std::string fields = "Host: x\r\n";
  for (size_t i = 1; i < kMaxFields; ++i) fields += "a:\r\n";
  EXPECT_TRUE(ParseRequestHead(Head("GET / HTTP/1.1", fields)));
  const auto over = ParseRequestHead(Head("GET / HTTP/1.1", fields + "a:\r\n"));
  ASSERT_FALSE(over);
  EXPECT_EQ(over.error().status, 431);
}

TEST(RequestHead, AHugeLengthIsMoreThanAnyLimit) {
  const auto head = ParseRequestHead(
      Head("POST / HTTP/1.1", "Host: x\r\nContent-Length: 99999999999999999999999\r\n"));
  ASSERT_TRUE(head);
  EXPECT_EQ(head->content_length, UINT64_MAX);
}

TEST(HeadEnd, IsFoundWhereverTheBytesAreSplit) {
  const std::string text = "GET / HTTP/1.1\r\nHost: x\r\n\r\nrest";
  const size_t size = text.size() - 4;
  for (size_t first = 0; first < size; ++first) {
    const HeadEnd early = FindHeadEnd(std::string_view(text).substr(0, first), 0);
    EXPECT_EQ(early.size, 0u);
    EXPECT_FALSE(early.malformed);
    EXPECT_EQ(FindHeadEnd(text, first).size, size) << first;
  }
  EXPECT_TRUE(FindHeadEnd("GET / HTTP/1.1\n\n", 0).malformed);
  EXPECT_TRUE(FindHeadEnd("GET / HTTP/1.1\r\nHost: x\n\r\n", 0).malformed);
}

TEST(ResponseHead, IsNeverSplitByItsFields) {
  Response response;
  response.content_type = "text/plain\r\nX-Evil: 1";
  response.headers = {{"X-Good", "1"},
                      {"X-Split", "a\r\nX-Evil: 1"},
                      {"X Evil", "1"},
                      {"Content-Length", "999"},
                      {"Transfer-Encoding", "chunked"}};
  response.body = "four";
  const std::string head = FormatResponseHead(response, {});
  EXPECT_NE(head.find("X-Good: 1\r\n"), std::string::npos);
  EXPECT_EQ(head.find("Evil"), std::string::npos);
  EXPECT_EQ(head.find("999"), std::string::npos);
  EXPECT_EQ(head.find("chunked"), std::string::npos);
  EXPECT_NE(head.find("Content-Length: 4\r\n"), std::string::npos);
  const auto parsed = ParseResponseHead(head);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->content_length, 4u);
}

}  // namespace
}  // namespace jikji::net
