#include "hub/http/call.h"

#include <algorithm>
#include <charconv>

#include "base/json.h"

namespace jikji::hub {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string Unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? HexValue(text[i + 1]) : -1;
    const int low = high >= 0 ? HexValue(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i] == '+' ? ' ' : text[i];
    }
  }
  return out;
}

}  // namespace

std::string KindOf(std::string_view plural) {
  for (const std::string_view kind : {"model", "dataset", "space"}) {
    if (plural.starts_with(kind) && plural.substr(kind.size()) == "s") return std::string(kind);
  }
  return {};
}

std::string_view CookieOf(const net::Request& request, std::string_view name) {
  std::string_view cookies = request.Header("Cookie");
  while (!cookies.empty()) {
    const size_t end = std::min(cookies.find(';'), cookies.size());
    std::string_view cookie = cookies.substr(0, end);
    cookies.remove_prefix(std::min(end + 1, cookies.size()));
    while (cookie.starts_with(' ')) cookie.remove_prefix(1);
    if (cookie.starts_with(name)) return cookie.substr(name.size());
  }
  return {};
}

std::string_view TakeSegment(std::string_view& path) {
  const size_t slash = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, slash);
  path.remove_prefix(std::min(slash + 1, path.size()));
  return segment;
}

FormFields ParseForm(std::string_view raw) {
  FormFields fields;
  while (!raw.empty()) {
    const size_t end = std::min(raw.find('&'), raw.size());
    const std::string_view field = raw.substr(0, end);
    raw.remove_prefix(std::min(end + 1, raw.size()));
    const size_t equals = std::min(field.find('='), field.size());
    if (field.empty()) continue;
    fields.emplace_back(Unescape(field.substr(0, equals)),
                        Unescape(field.substr(std::min(equals + 1, field.size()))));
  }
  return fields;
}

std::string FieldOf(const FormFields& fields, std::string_view name, std::string_view otherwise) {
  for (const auto& [key, value] : fields) {
    if (key == name) return value;
  }
  return std::string(otherwise);
}

HttpResult<size_t> NumberOf(const FormFields& fields, std::string_view name, size_t otherwise,
                            size_t most) {
  const std::string text = FieldOf(fields, name);
  if (text.empty()) return otherwise;
  size_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ptr != text.data() + text.size()) {
    const std::string field = "`" + std::string(name) + "`";
    return std::unexpected(BadRequest(field + " is not a whole number from 0 on",
                                      field + "에는 0 이상의 정수를 적어야 합니다"));
  }
  return parsed.ec == std::errc() ? std::min(number, most) : most;
}

std::string UrlEscape(std::string_view text, bool keep_slash) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~' || (keep_slash && c == '/');
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += kDigits[static_cast<uint8_t>(c) >> 4];
    out += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return out;
}

HttpResult<Repository> SeeRepository(const Call& call, const std::string& kind,
                                     std::string_view name) {
  auto found = FindRepository(call.database, kind, name);
  if (found && MaySee(call.account, *found)) return *std::move(found);
  if (!found && found.error().code != ErrorCode::kNotFound) {
    return std::unexpected(HttpError(found.error()));
  }
  return std::unexpected(RepositoryNotFound(name));
}

HttpResult<std::monostate> MustWrite(const Call& call) {
  if (MayWrite(call.account, *call.repository)) return {};
  if (call.account.name.empty()) return std::unexpected(NeedsToken());
  return std::unexpected(MayNotWrite(call.repository->name));
}

HttpResult<std::monostate> MustRead(const Call& call) {
  JIKJI_ASSIGN(const bool may, MayRead(call.database, call.account, *call.repository));
  if (may) return {};
  return std::unexpected(Gated(call.repository->name));
}

HttpResult<Commit> TakeRevision(const Call& call, std::string_view& path) {
  // `refs/heads/x`, `feature/x`: a name that is a folder of another cannot exist, so at most one
  // front of the path is a revision.
  for (size_t slash = path.find('/');; slash = path.find('/', slash + 1)) {
    const std::string name(path.substr(0, slash));
    auto commit = ResolveRevision(call.database, call.repository->id, name);
    if (commit) {
      path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
      return *std::move(commit);
    }
    if (commit.error().code != ErrorCode::kNotFound) {
      return std::unexpected(HttpError(commit.error()));
    }
    if (slash == std::string_view::npos) break;
  }
  return std::unexpected(RevisionNotFound(path.substr(0, path.find('/'))));
}

HttpResult<boost::json::object> JsonBody(const Call& call) {
  if (call.request.body.empty()) return boost::json::object();
  JIKJI_ASSIGN(boost::json::value value, ParseJson(call.request.body));
  if (!value.is_object()) {
    return std::unexpected(
        BadRequest("the body must be a JSON object", "본문은 JSON 객체여야 합니다"));
  }
  return std::move(value.as_object());
}

net::Response JsonResponse(const boost::json::value& value, int status) {
  net::Response response;
  response.status = status;
  response.body = boost::json::serialize(value);
  return response;
}

void AddNextLink(const Call& call, const FormFields& fields, net::Response& response) {
  std::string query;
  for (const auto& [name, value] : fields) {
    query += (query.empty() ? "?" : "&") + UrlEscape(name) + "=" + UrlEscape(value);
  }
  response.headers.emplace_back(
      "Link", "<" + call.base_url + UrlEscape(call.request.path, true) + query + ">; rel=\"next\"");
}

}  // namespace jikji::hub
