#include "hub/http/site.h"

#include <boost/json.hpp>
#include <deque>
#include <mutex>
#include <new>

#include "base/log.h"
#include "base/workers.h"
#include "hub/http/oci_routes.h"
#include "hub/http/routes.h"
#include "hub/http/upload.h"
#include "hub/names.h"
#include "hub/pages/frame.h"

namespace jikji::hub {
namespace {

namespace json = boost::json;

// Small files of one commit, in base64.
constexpr size_t kMaxBody = 128u << 20;
constexpr size_t kMaxTotalBody = 512u << 20;
// Requests that wait for a worker.
constexpr size_t kMaxWaiting = 4096;

using RouteHandler = HttpResult<net::Response> (*)(Call& call);

struct RepositoryRoute {
  std::string_view method;  // GET is HEAD too; empty: any
  std::string_view verb;    // behind /api/models/OWNER/NAME; empty: nothing
  RouteHandler handler;
};
constexpr RepositoryRoute kRepositoryRoutes[] = {
    {"GET", "", RepoInfo},
    {"GET", "revision", RepoInfo},
    {"GET", "tree", RepoTree},
    {"POST", "paths-info", PathsInfo},
    {"GET", "pieces", RepoPieces},
    {"GET", "refs", RepoRefs},
    {"GET", "commits", RepoCommits},
    {"POST", "preupload", Preupload},
    {"POST", "commit", PostCommit},
    {"POST", "branch", RepoBranch},
    {"DELETE", "branch", RepoBranch},
    {"POST", "tag", RepoTag},
    {"DELETE", "tag", RepoTag},
    {"POST", "super-squash", SuperSquash},
    {"PUT", "settings", RepoSettings},
    {"GET", "auth-check", AuthCheck},
    {"GET", "user-access-request", AccessRequests},
    {"POST", "user-access-request", AccessRequests},
};

struct PlainRoute {
  std::string_view method;
  std::string_view path;
  RouteHandler handler;
};
HttpResult<net::Response> NoHarnesses(Call&) {
  return JsonResponse(
      json::object{{"standardEnvVars", json::array()}, {"harnesses", json::object()}});
}
HttpResult<net::Response> Nothing(Call&) { return JsonResponse(json::object()); }
constexpr PlainRoute kPlainRoutes[] = {
    {"GET", "/api/whoami-v2", WhoAmI},
    {"POST", "/api/repos/create", CreateRepo},
    {"DELETE", "/api/repos/delete", DeleteRepo},
    {"POST", "/api/repos/move", MoveRepo},
    {"POST", "/api/validate-yaml", ValidateYaml},
    {"GET", "/api/agent-harnesses", NoHarnesses},
    {"GET", "/api/models-tags-by-type", Nothing},
    {"GET", "/health", Nothing},
    {"GET", "/", ListPage},
    {"GET", "/models", ListPage},
    {"GET", "/sign-in", SignIn},
    {"POST", "/sign-in", SignIn},
    {"POST", "/sign-out", SignOut},
};

std::string_view Effective(std::string_view method) { return method == "HEAD" ? "GET" : method; }

std::unexpected<HttpError> NotThere(const net::Request& request) {
  return std::unexpected(HttpError(404, "", "there is nothing at `" + request.path + "`",
                                   "`" + request.path + "`에는 아무것도 없습니다"));
}

// Of a client of Hugging Face's, or as the password of one of a registry.
std::string TokenOf(const net::Request& request) {
  constexpr std::string_view kBearer = "Bearer ", kBasic = "Basic ";
  const std::string_view header = request.Header("Authorization");
  if (header.starts_with(kBearer)) return std::string(header.substr(kBearer.size()));
  if (!header.starts_with(kBasic)) return {};
  const std::string pair = ParseBase64(header.substr(kBasic.size())).value_or("");
  return pair.substr(std::min(pair.find(':') + 1, pair.size()));
}

// `host:port` of `https://host:port/...`.
std::string HostOf(std::string_view url) {
  const size_t host = url.find("://");
  if (host == std::string_view::npos) return {};
  return Folded(url.substr(host + 3, url.find('/', host + 3) - host - 3));
}

// True for what a browser sends for a page of another site: it may come without the user's knowing,
// and a hub without accounts would do it.
bool IsOfAnotherSite(const net::Request& request, const std::string& public_url) {
  const std::string_view origin = request.Header("Origin");
  if (origin.empty()) return false;
  const std::string host = HostOf(origin);
  return host.empty() || (host != Folded(request.Header("Host")) && host != HostOf(public_url));
}

// A browser that is signed in reads, and asks for access; what changes a repository needs the
// token.
bool CookieSuffices(const net::Request& request) {
  return Effective(request.method) == "GET" || request.path.ends_with("/ask-access");
}

// A browser's address line asked, not a program.
bool IsForAPerson(const net::Request& request) {
  return Effective(request.method) == "GET" && !request.path.starts_with("/api/") &&
         !IsOciPath(request.path) &&
         request.Header("Accept").find("text/html") != std::string_view::npos;
}

// `/OWNER/NAME` at the front of the path, taken off it.
std::string TakeName(std::string_view& path) {
  const std::string_view owner = TakeSegment(path);
  const std::string_view name = TakeSegment(path);
  return std::string(owner) + "/" + std::string(name);
}

HttpResult<net::Response> RunApi(Call& call, std::string_view path) {
  if (path.empty() && Effective(call.request.method) == "GET") return ListRepos(call);
  JIKJI_ASSIGN(call.repository, SeeRepository(call, call.kind, TakeName(path)));
  const std::string_view verb = TakeSegment(path);
  call.rest = path;
  for (const RepositoryRoute& route : kRepositoryRoutes) {
    if (route.verb == verb && route.method == Effective(call.request.method)) {
      return route.handler(call);
    }
  }
  return NotThere(call.request);
}

// What lies outside /api: pages, files, git-lfs, and asking for access.
HttpResult<net::Response> RunRepositoryPath(Call& call, std::string_view path) {
  call.kind = "model";
  std::string_view behind = path;
  if (const std::string kind = KindOf(TakeSegment(behind)); !kind.empty() && kind != "model") {
    call.kind = kind;
    path = behind;
  }
  std::string name = TakeName(path);
  const bool git = name.ends_with(".git");
  if (git) name.resize(name.size() - 4);
  JIKJI_ASSIGN(call.repository, SeeRepository(call, call.kind, name));
  if (git) {
    if (path == "info/lfs/objects/batch") return LfsBatch(call);
    if (path == "info/lfs/objects/verify") return LfsVerify(call);
    return NotThere(call.request);
  }
  const std::string_view verb = TakeSegment(path);
  call.rest = path;
  const bool get = Effective(call.request.method) == "GET";
  if (get && (verb == "tree" || (verb.empty() && path.empty()))) return ModelPage(call);
  if ((verb == "resolve" || verb == "raw") && get) return ResolveFile(call);
  if (verb == "ask-access" && call.request.method == "POST") return AskForAccess(call);
  return NotThere(call.request);
}

HttpResult<net::Response> RunRoute(Call& call) {
  const std::string& path = call.request.path;
  for (const PlainRoute& route : kPlainRoutes) {
    if (route.path == path && route.method == Effective(call.request.method)) {
      return route.handler(call);
    }
  }
  if (path.starts_with("/api/telemetry/")) return Nothing(call);
  if (path.starts_with(kObjectPath)) {
    if (call.request.method == "PUT") return LfsUpload(call);
    if (call.request.method == "POST") return LfsComplete(call);
    return GetObject(call);
  }
  if (IsOciPath(path)) return RunOci(call);
  std::string_view rest = std::string_view(path).substr(1);
  if (path.starts_with("/api/")) {
    rest.remove_prefix(4);
    call.kind = KindOf(TakeSegment(rest));
    if (call.kind.empty()) return NotThere(call.request);
    return RunApi(call, rest);
  }
  return RunRepositoryPath(call, rest);
}

class HubSite : public Site {
 public:
  HubSite(Hub& hub, SiteOptions options)
      : hub_(hub), options_(std::move(options)), workers_(options_.workers, kMaxWaiting) {}
  ~HubSite() override { Stop(); }

  void Configure(net::ServerOptions& options) override {
    options.max_body_bytes = kMaxBody;
    options.max_total_body_bytes = kMaxTotalBody;
    options.error_body = [](int status, std::string_view message) {
      return json::serialize(json::object{{"error", message}, {"status", status}});
    };
    options.body_sink = [this](const net::Request& head) -> std::shared_ptr<net::BodySink> {
      if (head.method != "PUT" || !head.path.starts_with(kObjectPath)) return nullptr;
      return Upload::Begin(hub_, head);
    };
  }

  net::Handler handler() override {
    return [this](net::Request request, std::shared_ptr<net::Responder> responder) {
      auto shared = std::make_shared<net::Request>(std::move(request));
      if (!workers_.Post([this, shared, responder] { responder->Send(Answer(*shared)); })) {
        responder->Send(ResponseOf(
            HttpError(Error{ErrorCode::kUnavailable, "the hub is busy; try again later", ""})));
      }
    };
  }

  void Stop() override {
    workers_.Stop();
    if (const auto recorded = RecordPending(); !recorded) {
      Log(LogLevel::kError, recorded.error().ToString());
    }
  }

 private:
  net::Response Answer(const net::Request& request) {
    try {
      auto answer = Run(request);
      if (answer) return *std::move(answer);
      if (answer.error().status >= 500) Log(LogLevel::kError, answer.error().english);
      return Refuse(request, answer.error());
    } catch (const std::bad_alloc&) {
      return Refuse(request, HttpError(Error{ErrorCode::kUnavailable,
                                             "not enough memory for this request", ""}));
    }
  }

  static net::Response Refuse(const net::Request& request, const HttpError& error) {
    return IsOciPath(request.path) ? OciResponseOf(error) : ResponseOf(error);
  }

  HttpResult<net::Response> Run(const net::Request& request) {
    if (Effective(request.method) != "GET" && IsOfAnotherSite(request, options_.public_url)) {
      return std::unexpected(HttpError(403, "", "pages of another site may change nothing here",
                                       "다른 사이트의 페이지는 여기서 아무것도 바꿀 수 없습니다"));
    }
    // Reads wait for no record.
    if (Effective(request.method) != "GET") JIKJI_RETURN_IF_ERROR(RecordPending());
    JIKJI_ASSIGN(const Hub::Session session, hub_.Connect());
    const auto account_of = [&](std::string_view token) {
      return options_.identify ? options_.identify(request, token) : FindAccount(*session, token);
    };
    JIKJI_ASSIGN(Account account, account_of(TokenOf(request)));
    Call call{hub_, *session, request, options_.public_url, std::move(account), "model"};
    call.account_of = account_of;
    if (call.account.name.empty() && CookieSuffices(request)) {
      // A cookie that is no good any more is no cookie.
      const auto found = account_of(CookieOf(request, kTokenCookie));
      if (found) call.account = *found;
      call.signed_in = !call.account.name.empty();
    }
    if (call.base_url.empty()) call.base_url = "http://" + std::string(request.Header("Host"));
    auto answer = RunRoute(call);
    if (call.deed && options_.record) {
      {
        const std::lock_guard lock(pending_mutex_);
        pending_.push_back({std::move(call.deed->event),
                            call.account.actor.empty() ? call.account.name : call.account.actor,
                            std::move(call.deed->repository), json::serialize(call.deed->detail)});
      }
      JIKJI_RETURN_IF_ERROR(RecordPending());
    }
    if (!answer && answer.error().status < 500 && IsForAPerson(request)) {
      return ErrorPage(call, answer.error());
    }
    return answer;
  }

  // What could not be recorded when it was done is recorded before anything else is changed.
  Result<> RecordPending() {
    const std::lock_guard lock(pending_mutex_);
    while (!pending_.empty()) {
      if (auto recorded = options_.record(pending_.front()); !recorded) {
        return Fail(ErrorCode::kUnavailable,
                    "what was changed cannot be recorded, so nothing more is: " +
                        recorded.error().ToString());
      }
      pending_.pop_front();
    }
    return {};
  }

  Hub& hub_;
  const SiteOptions options_;
  std::mutex pending_mutex_;
  std::deque<Act> pending_;
  Workers workers_;
};

}  // namespace

std::unique_ptr<Site> Site::Create(Hub& hub, SiteOptions options) {
  options.workers = std::max<size_t>(options.workers, 1);
  return std::make_unique<HubSite>(hub, std::move(options));
}

}  // namespace jikji::hub
