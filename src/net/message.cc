#include "net/message.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <limits>

namespace jikji::net {
namespace {

std::unexpected<WireError> Bad(std::string message, int status = 400) {
  return std::unexpected(WireError{status, std::move(message)});
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// RFC 9110 5.6.2.
constexpr std::array<bool, 256> kTokenChars = [] {
  std::array<bool, 256> table{};
  for (char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  for (int c = '0'; c <= '9'; ++c) table[c] = true;
  for (int c = 'A'; c <= 'Z'; ++c) table[c] = table[c + 32] = true;
  return table;
}();

bool IsToken(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return kTokenChars[c]; });
}

bool IsControl(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7F;
}

bool IsFieldValue(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return IsControl(c) && c != '\t'; });
}

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// The line at the front of `text` without its CRLF; takes it off.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = text.find("\r\n");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
  return line;
}

std::expected<Headers, WireError> ParseFields(std::string_view text) {
  Headers headers;
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    if (line.empty()) break;
    if (line.front() == ' ' || line.front() == '\t') return Bad("a header is folded over lines");
    if (headers.size() == kMaxFields) return Bad("too many headers", 431);
    const size_t colon = line.find(':');
    const std::string_view name = line.substr(0, colon);
    if (colon == std::string_view::npos || !IsToken(name)) return Bad("a header has no valid name");
    const std::string_view value = Trim(line.substr(colon + 1));
    if (!IsFieldValue(value)) return Bad("a header holds a control character");
    headers.emplace_back(name, value);
  }
  return headers;
}

// What the fields say about the connection and the length of the body.
struct Framing {
  bool close = false;
  bool keep_alive = false;
  bool has_encoding = false;
  bool chunked = false;
  std::optional<uint64_t> content_length;
};

std::expected<Framing, WireError> ParseFraming(const Headers& headers) {
  Framing framing;
  for (const auto& [name, value] : headers) {
    if (EqualIgnoringCase(name, "Connection")) {
      std::string_view rest = value;
      while (!rest.empty()) {
        const size_t comma = std::min(rest.find(','), rest.size());
        const std::string_view option = Trim(rest.substr(0, comma));
        framing.close |= EqualIgnoringCase(option, "close");
        framing.keep_alive |= EqualIgnoringCase(option, "keep-alive");
        rest.remove_prefix(std::min(comma + 1, rest.size()));
      }
    } else if (EqualIgnoringCase(name, "Content-Length")) {
      if (framing.content_length) return Bad("Content-Length is given twice");
      if (value.empty() || !std::ranges::all_of(value, IsDigit)) {
        return Bad("Content-Length is not a number");
      }
      uint64_t length = 0;
      const auto end = value.data() + value.size();
      if (std::from_chars(value.data(), end, length).ec != std::errc()) {
        length = std::numeric_limits<uint64_t>::max();  // More than any limit lets pass.
      }
      framing.content_length = length;
    } else if (EqualIgnoringCase(name, "Transfer-Encoding")) {
      if (framing.has_encoding) return Bad("Transfer-Encoding is given twice");
      framing.has_encoding = true;
      framing.chunked = EqualIgnoringCase(value, "chunked");
      if (!framing.chunked) return Bad("only the transfer coding `chunked` is known", 501);
    }
  }
  if (framing.has_encoding && framing.content_length) {
    return Bad("both Content-Length and Transfer-Encoding are given");
  }
  return framing;
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  c = Lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::expected<std::string, WireError> DecodePath(std::string_view raw) {
  std::string path;
  path.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      const int high = i + 2 < raw.size() ? HexDigit(raw[i + 1]) : -1;
      const int low = i + 2 < raw.size() ? HexDigit(raw[i + 2]) : -1;
      if (high < 0 || low < 0) return Bad("the path has a broken percent escape");
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (IsControl(c)) return Bad("the path holds a control character");
    path.push_back(c);
  }
  return path;
}

std::expected<void, WireError> ParseTarget(std::string_view target, RequestHead& head) {
  if (target.size() > kMaxTargetBytes) return Bad("the request target is too long", 414);
  if (target.empty() || std::ranges::any_of(target, [](char c) { return IsControl(c); }) ||
      target.find_first_of(" #") != std::string_view::npos) {
    return Bad("the request target is not valid");
  }
  if (target == "*" && head.method == "OPTIONS") {
    head.path.assign(1, '*');
    return {};
  }
  if (target.front() != '/') {  // Absolute form, as sent to proxies.
    const size_t scheme = target.find("://");
    const std::string_view name = target.substr(0, std::min(scheme, target.size()));
    if (scheme == std::string_view::npos ||
        !(EqualIgnoringCase(name, "http") || EqualIgnoringCase(name, "https"))) {
      return Bad("the request target is neither a path nor an http URL");
    }
    target.remove_prefix(scheme + 3);
    const size_t end = std::min(target.find_first_of("/?"), target.size());
    if (end == 0) return Bad("the request target names no host");
    target.remove_prefix(end);
  }
  const size_t question = std::min(target.find('?'), target.size());
  auto path = DecodePath(target.substr(0, question));
  if (!path) return std::unexpected(std::move(path).error());
  if (path->empty()) path->push_back('/');
  head.path = *std::move(path);
  if (question < target.size()) head.query = target.substr(question + 1);
  return {};
}

std::expected<void, WireError> CheckHost(const RequestHead& head) {
  size_t hosts = 0;
  for (const auto& [name, value] : head.headers) {
    if (!EqualIgnoringCase(name, "Host")) continue;
    ++hosts;
    if (value.find_first_of(" \t/\\@?#,") != std::string::npos) return Bad("Host is not valid");
  }
  if (hosts > 1) return Bad("Host is given twice");
  if (hosts == 0 && head.http11) return Bad("Host is missing");
  return {};
}

// The time as RFC 9110 5.6.7 writes it, formatted once a second.
std::string_view HttpDate() {
  thread_local std::time_t last = -1;
  thread_local char text[32];
  thread_local size_t size = 0;
  const std::time_t now = std::time(nullptr);
  if (now != last) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    size = std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    last = now;
  }
  return {text, size};
}

bool FramesTheMessage(std::string_view name) {
  return EqualIgnoringCase(name, "Content-Length") ||
         EqualIgnoringCase(name, "Transfer-Encoding") || EqualIgnoringCase(name, "Connection") ||
         EqualIgnoringCase(name, "Content-Type") || EqualIgnoringCase(name, "Date");
}

}  // namespace

bool EqualIgnoringCase(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return Lower(x) == Lower(y); });
}

HeadEnd FindHeadEnd(std::string_view data, size_t scanned) {
  size_t from = scanned;
  for (;;) {
    const size_t lf = data.find('\n', from);
    if (lf == std::string_view::npos) return {};
    if (lf == 0 || data[lf - 1] != '\r') return {0, true};
    if (lf >= 3 && data[lf - 2] == '\n') return {lf + 1, false};
    from = lf + 1;
  }
}

std::expected<RequestHead, WireError> ParseRequestHead(std::string_view text) {
  const std::string_view line = TakeLine(text);
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) {
    return Bad("the request line is not `METHOD TARGET HTTP/1.1`");
  }
  RequestHead head;
  head.method = line.substr(0, first);
  if (!IsToken(head.method)) return Bad("the request method is not valid");
  const std::string_view version = line.substr(last + 1);
  if (version.size() != 8 || !version.starts_with("HTTP/") || !IsDigit(version[5]) ||
      version[6] != '.' || !IsDigit(version[7])) {
    return Bad("the request line is not `METHOD TARGET HTTP/1.1`");
  }
  if (version[5] != '1') return Bad("only HTTP/1.1 and HTTP/1.0 are spoken here", 505);
  head.http11 = version[7] != '0';
  if (auto target = ParseTarget(line.substr(first + 1, last - first - 1), head); !target) {
    return std::unexpected(std::move(target).error());
  }
  auto fields = ParseFields(text);
  if (!fields) return std::unexpected(std::move(fields).error());
  head.headers = *std::move(fields);
  if (auto host = CheckHost(head); !host) return std::unexpected(std::move(host).error());
  auto framing = ParseFraming(head.headers);
  if (!framing) return std::unexpected(std::move(framing).error());
  if (framing->chunked && !head.http11) return Bad("Transfer-Encoding in HTTP/1.0");
  head.chunked = framing->chunked;
  head.content_length = framing->content_length.value_or(0);
  head.keep_alive = !framing->close && (head.http11 || framing->keep_alive);
  for (const auto& [name, value] : head.headers) {
    if (!EqualIgnoringCase(name, "Expect")) continue;
    if (!EqualIgnoringCase(value, "100-continue")) {
      return Bad("only the expectation `100-continue` is known", 417);
    }
    head.expect_continue = head.http11;
  }
  return head;
}

std::expected<ResponseHead, WireError> ParseResponseHead(std::string_view text) {
  const std::string_view line = TakeLine(text);
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' || !IsDigit(line[9]) ||
      !IsDigit(line[10]) || !IsDigit(line[11]) || (line.size() > 12 && line[12] != ' ')) {
    return Bad("the answer is not HTTP/1.1");
  }
  ResponseHead head;
  head.status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
  auto fields = ParseFields(text);
  if (!fields) return std::unexpected(std::move(fields).error());
  head.headers = *std::move(fields);
  auto framing = ParseFraming(head.headers);
  if (!framing) return std::unexpected(std::move(framing).error());
  head.chunked = framing->chunked;
  head.content_length = framing->content_length;
  head.keep_alive = !framing->close && (line[7] != '0' || framing->keep_alive);
  return head;
}

std::string FormatResponseHead(const Response& response, const AnswerFraming& framing) {
  std::string out;
  out.reserve(256);
  out += "HTTP/1.1 ";
  out += std::to_string(std::clamp(response.status, 100, 999));
  out += ' ';
  out += StatusText(response.status);
  out += "\r\nDate: ";
  out += HttpDate();
  const bool bodiless = IsBodiless(response.status);
  if (!bodiless && !response.content_type.empty() && IsFieldValue(response.content_type)) {
    out += "\r\nContent-Type: ";
    out += response.content_type;
  }
  for (const auto& [name, value] : response.headers) {
    if (!IsToken(name) || !IsFieldValue(value) || FramesTheMessage(name)) continue;
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  }
  if (framing.streamed) {
    if (framing.http11 && !bodiless) out += "\r\nTransfer-Encoding: chunked";
  } else if (!bodiless) {
    out += "\r\nContent-Length: ";
    out += std::to_string(response.file ? response.file->length : response.body.size());
  }
  if (!framing.keep_alive) {
    out += "\r\nConnection: close";
  } else if (!framing.http11) {
    out += "\r\nConnection: keep-alive";
  }
  out += "\r\n\r\n";
  return out;
}

bool IsBodiless(int status) { return status / 100 == 1 || status == 204 || status == 304; }

std::string_view StatusText(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 425:
      return "Too Early";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 499:
      return "Client Closed Request";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    case 529:
      return "Overloaded";
    default:
      return "Status";
  }
}

}  // namespace jikji::net
